"""Measuring: every metric family a job asks for, on takes as they arrive and on takes that lack a score."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from catalogs.audio import AudioStore, Place
from catalogs.catalog import Catalog
from catalogs.clerk import Clerk
from catalogs.clip import Clip
from catalogs.errors import AudioError
from catalogs.flac import decode
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.progress import Progress
from catalogs.records import Failure, MetricCard, Score, WordTime
from catalogs.signal import to_float32
from catalogs.stage import MEASURE, WORKER_CRASHED, Crew, Outcome, Stream, batched, failure, one_by_one
from catalogs.takes import score_table
from curation.metric import MetricConfig
from curation.scope import Scope
from synthgen.fleet import FleetConfig, at_work

STAGE = MEASURE
BATCH = 32


@dataclass(frozen=True, slots=True)
class StoredTake:
    """A take to be heard again, and the texts it should carry."""

    take_id: Id
    voice_id: Id
    place: Place
    text: str
    spoken: str
    language: str
    codes: tuple[int, ...] | None = None
    word_times: tuple[WordTime, ...] | None = None


class Measurer:
    """A critic: several metric families, loaded."""

    def __init__(self, configs: Sequence[MetricConfig]) -> None:
        self._metrics = [(config.card(), config.build()) for config in configs]

    def work(self, clips: Sequence[Clip]) -> Outcome:
        """Score the clips; a family that cannot measure a clip leaves a failure of its own."""
        outcome = Outcome()
        for card, metric in self._metrics:
            measured, failures = one_by_one(metric.measure, clips, stage=stage_of(card), subject=_take_id)
            scores: list[Score] = [score for _, score in measured]
            outcome.scores[card] = scores
            outcome.failures += failures
        return outcome


class Listener:
    """A head: reads stored takes back."""

    def __init__(self, folder: Path) -> None:
        self._store = AudioStore(folder)

    def work(self, items: Sequence[StoredTake]) -> tuple[list[Clip], Outcome]:
        """Decode takes; one whose audio is gone or damaged is a failure."""
        outcome = Outcome(items=len(items))
        clips = []
        for item in items:
            try:
                pcm, rate_hz = decode(self._store.read(item.place))
            except AudioError as error:
                outcome.failures.append(failure(STAGE, item.take_id, error))
                continue
            told = (item.text, item.spoken, item.language, item.codes, item.word_times)
            clips.append(Clip(item.take_id, item.voice_id, to_float32(pcm), rate_hz, *told))
        return clips, outcome


def stage_of(card: MetricCard) -> str:
    """The stage under which a family's failures are kept."""
    return f"{STAGE}:{score_table(card).removeprefix('score_')}"


def critics(configs: Sequence[MetricConfig], *, workers: int | None) -> list[Crew]:
    """One crew per kind of machine the families ask for; those that ask for the same share a crew."""
    grouped: dict[tuple[float, float], list[MetricConfig]] = {}
    for config in configs:
        needs = (float(getattr(config, "num_cpus", 1.0)), float(getattr(config, "num_gpus", 0.0)))
        grouped.setdefault(needs, []).append(config)
    return [
        Crew(
            "+".join(score_table(c.card()).removeprefix("score_") for c in group),
            partial(Measurer, tuple(group)),
            workers=workers,
            num_cpus=num_cpus,
            num_gpus=num_gpus,
        )
        for (num_cpus, num_gpus), group in grouped.items()
    ]


def takes_to_measure(catalog: Catalog, scope: Scope, card: MetricCard) -> int:
    """How many of these takes lack this family's current version and have not failed it."""
    sql = query("takes_to_measure").format(table=score_table(card))
    parameters = {"version": card.version, "stage": stage_of(card), **asdict(scope)}
    number: int = catalog.lake.rows(f"SELECT count(*) FROM ({sql})", **parameters)[0][0]  # noqa: S608
    return number


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of the takes that lacked a family: how many have a row of scores now, and how many failed."""

    family: str
    scored: int = 0
    failed: int = 0


def measure_missing(
    catalog: Catalog,
    scope: Scope,
    configs: Sequence[MetricConfig],
    *,
    fleet: FleetConfig,
    run_id: Id,
    progress: Progress,
) -> list[Measured]:
    """Score the takes that lack a family: family by family, each read once; gives what came of each."""
    found, workers = [], fleet.workers
    for config in configs:
        card = config.card()
        missing = takes_to_measure(catalog, scope, card)
        scored = failed = 0
        if not missing:
            found.append(Measured(card.family))
            continue
        streams = [listening_stream(catalog, scope, card, workers=workers)]
        crews = critics([config], workers=workers)
        progress.start(f"measuring {card.family}", missing)
        with Clerk(catalog, run_id) as clerk:
            for outcome in at_work(fleet)(streams, crews):
                scored += len(outcome.scores.get(card, ()))
                failed += len(outcome.failures)
                progress.receive(outcome, clerk.receive(outcome))
        progress.finish()
        found.append(Measured(card.family, scored, failed))
    return found


def listening_stream(catalog: Catalog, scope: Scope, card: MetricCard, *, workers: int | None) -> Stream:
    """Those of these takes that lack this family's current version and have not failed it."""
    rows = catalog.stream(
        query("takes_to_measure").format(table=score_table(card)),
        version=card.version,
        stage=stage_of(card),
        **asdict(scope),
    )
    crew = Crew("listening", partial(Listener, catalog.audio.folder.resolve()), workers=workers, num_cpus=0.1)
    return Stream(crew, _batches(rows), _lost, _lost)


def _batches(rows: Iterator[Mapping[str, Any]]) -> Iterator[Sequence[StoredTake]]:
    yield from batched((_stored(row) for row in rows), BATCH)


def _stored(row: Mapping[str, Any]) -> StoredTake:
    place = Place(row["shard"], row["offset"], row["num_bytes"])
    codes = None if row["codes"] is None else tuple(row["codes"])
    times = None if row["word_times"] is None else tuple(WordTime(**time) for time in row["word_times"])
    texts = (row["text"], row["spoken"], row["language"])
    return StoredTake(row["take_id"], row["voice_id"], place, *texts, codes, times)


def _take_id(clip: Clip) -> Id:
    return clip.take_id


def _lost(item: StoredTake, message: str) -> Failure:
    return Failure(STAGE, item.take_id, 1, WORKER_CRASHED, message)
