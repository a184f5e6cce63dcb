"""Recording: the lines a job still lacks, batch by batch, through the voice that reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import groupby
from typing import Any

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.errors import AudioError
from catalogs.flac import encode, pcm_sha256
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Failure, Line, Take
from catalogs.signal import to_float32, to_int16
from catalogs.stage import MEASURE, WORKER_CRASHED, Crew, Outcome, Recording, Stream, batched, failure, one_by_one
from synthgen.voice import Reading, VoiceConfig

STAGE = "record"
BATCH = 16


@dataclass(frozen=True, slots=True)
class Assignment:
    """A line to be read, with the prompt it stands for; one that is not needed is read for its batch's sake."""

    line: Line
    text: str
    language: str
    needed: bool


class Recorder:
    """A worker of a recording crew: one voice, loaded."""

    def __init__(self, config: VoiceConfig) -> None:
        self._voice = config.build()

    def work(self, items: Sequence[Assignment]) -> tuple[list[Clip], Outcome]:
        """Read the lines; a line that cannot be read, or that came out empty or not finite, is a failure."""
        read, failures = one_by_one(self._speak, items, stage=STAGE, subject=_subject)
        needed = {a.line.id for a in items if a.needed}
        outcome = Outcome(items=len(needed), failures=[f for f in failures if f.subject_id in needed])
        clips = []
        for assignment, reading in read:
            if not assignment.needed:
                continue
            try:
                clip, recording = _finish(assignment, reading)
            except AudioError as error:
                outcome.failures.append(failure(STAGE, assignment.line.id, error))
                continue
            clips.append(clip)
            outcome.recordings.append(recording)
        return clips, outcome

    def _speak(self, items: Sequence[Assignment]) -> list[Reading]:
        return self._voice.speak([a.line for a in items])


def recording_streams(
    catalog: Catalog, job_id: Id, configs: Sequence[VoiceConfig], *, workers: int | None
) -> list[Stream]:
    """One stream per configured engine that has lines to read; asks the catalog once for each."""
    streams = []
    for number, config in enumerate(configs):
        cards = {card.id: card for card in config.cards()}
        rows = catalog.stream(query("lines_to_record"), job_id=job_id, voice_ids=sorted(cards))
        batches = _batches(rows, size=int(getattr(config, "batch", BATCH)))
        crew = Crew(
            name=f"{getattr(config, 'engine', 'voice')}-{number}",
            build=partial(Recorder, config),
            workers=workers,
            num_cpus=float(getattr(config, "num_cpus", 1.0)),
            num_gpus=float(getattr(config, "num_gpus", 0.0)),
            runtime_env=getattr(config, "runtime_env", None),
        )
        streams.append(Stream(crew, batches, _lost, _unheard))
    return streams


def _batches(rows: Iterator[dict[str, Any]], *, size: int) -> Iterator[Sequence[Assignment]]:
    assignments = (_assignment(row) for row in rows)
    for batch_id, group in groupby(assignments, key=lambda a: a.line.batch_id):
        if batch_id is not None:
            yield list(group)
        else:
            yield from batched(group, size)


def _assignment(row: Mapping[str, Any]) -> Assignment:
    line = Line(**{f.name: row[f.name] for f in fields(Line)})
    return Assignment(line, row["prompt_text"], row["language"], row["needed"])


def _finish(assignment: Assignment, reading: Reading) -> tuple[Clip, Recording]:
    line = assignment.line
    if len(reading.samples) == 0:
        raise AudioError(f"the voice returned no audio for {line.text[:60]!r}")
    pcm = to_int16(reading.samples)
    clip = Clip(
        take_id=Take.id_of_line(line.id),
        voice_id=line.voice_id,
        samples=to_float32(pcm),
        sample_rate_hz=reading.sample_rate_hz,
        text=assignment.text,
        spoken=line.text,
        language=assignment.language,
        codes=reading.tokens,
        word_times=reading.word_times,
    )
    recording = Recording(
        line_id=line.id,
        prompt_id=line.prompt_id,
        voice_id=line.voice_id,
        flac=encode(pcm, reading.sample_rate_hz),
        pcm_sha256=pcm_sha256(pcm),
        sample_rate_hz=reading.sample_rate_hz,
        num_samples=len(pcm),
        tokens=reading.tokens,
        word_times=reading.word_times,
    )
    return clip, recording


def _subject(assignment: Assignment) -> Id:
    return assignment.line.id


def _lost(assignment: Assignment, message: str) -> Failure:
    return Failure(STAGE, assignment.line.id, 1, WORKER_CRASHED, message)


def _unheard(assignment: Assignment, message: str) -> Failure:
    return Failure(MEASURE, Take.id_of_line(assignment.line.id), 1, WORKER_CRASHED, message)
