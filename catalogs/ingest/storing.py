"""Real speech into a corpus: prompts, human voices and takes, with the recordings' own FLAC bytes.

What is there already is recognised by its id and left alone, so an ingest that was killed, or is run again, adds only
what is missing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.errors import InputError
from catalogs.ids import Id
from catalogs.ingest.rows import RowError
from catalogs.ingest.speakers import Speakers, human_voices
from catalogs.ingest.speech import Recording, SpeechSource, human_voice, read_recordings
from catalogs.labels import OTHER_LABELS, add_prompts
from catalogs.lake import query
from catalogs.records import Failure, Take, VoiceCard
from catalogs.stage import batched
from catalogs.takes import reset

BATCH = 512


@dataclass(slots=True)
class Ingested:
    """What an ingest came to; ``moved`` of the known takes have another split than before."""

    added: int = 0
    known: int = 0
    failed: int = 0
    moved: int = 0
    audio_s: float = 0.0

    def text(self) -> str:
        """The figures in one line."""
        moved = f" ({self.moved:,} of them moved to another split)" if self.moved else ""
        added = f"added {self.added:,} takes ({self.audio_s / 3600:.2f} h)"
        return f"{added} · known {self.known:,}{moved} · failed {self.failed:,}"


def ingest_speech(
    catalog: Catalog, source: SpeechSource, run_id: Id, *, watch: Callable[[Ingested], None] | None = None
) -> Ingested:
    """Store the recordings of a source; a bad one is a failure, and the rest go on.

    Raises:
        InputError: if the source holds nothing at all.
    """
    known = {str(take_id): split for take_id, split in catalog.lake.rows(query("splits_of_real_takes"))}
    speakers = Speakers(human_voices(catalog))
    writer = catalog.audio.writer(run_id[:18])
    ingested = Ingested()
    for batch in batched(read_recordings(source), BATCH):
        found = _sorted(batch, known, speakers)
        places = writer.append([(take_id, recording.flac) for take_id, (recording, _) in found.fresh.items()])
        takes = [
            _take(take_id, recording, voice, place)
            for (take_id, (recording, voice)), place in zip(found.fresh.items(), places, strict=True)
        ]
        with catalog.lake.transaction():
            found.failures += _with_prompts(catalog, [recording for recording, _ in found.fresh.values()])
            _move(catalog, found.moved)
            catalog.add([voice for _, voice in found.fresh.values()])
            catalog.add(found.failures)
            catalog.commit(Done(takes=takes, shards=writer.seal(if_full=True)))
        known |= {take.id: take.split for take in takes} | found.moved
        ingested.added += len(found.fresh)
        ingested.known += found.known
        ingested.moved += len(found.moved)
        ingested.failed += len(found.failures)
        ingested.audio_s += sum(r.num_samples / r.sample_rate_hz for r, _ in found.fresh.values())
        if watch:
            watch(ingested)
    catalog.commit(Done(shards=writer.seal()))
    if not (ingested.added or ingested.known or ingested.failed):
        raise InputError(f"{source.path} holds no recordings")
    return ingested


@dataclass(slots=True)
class _Batch:
    """What a batch holds: new recordings by the ids of their takes, failures, how many are known, and new splits."""

    fresh: dict[Id, tuple[Recording, VoiceCard]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    known: int = 0
    moved: dict[Id, str] = field(default_factory=dict)


def _sorted(items: Iterable[Recording | Failure], known: Mapping[Id, str | None], speakers: Speakers) -> _Batch:
    found = _Batch()
    for item in items:
        if isinstance(item, Failure):
            found.failures.append(item)
            continue
        take_id, voice = _named(item, speakers)
        if take_id in known:
            found.known += 1
            split = item.prompt.split
            if split and split != known[take_id]:
                found.moved[take_id] = split
            continue
        stored = next((card for card in speakers.on_other_terms(voice) if _id(item, card) in known), None)
        if stored:
            found.failures.append(_on_other_terms(item, voice, stored))
        else:
            found.fresh[take_id] = item, voice
    return found


def _named(recording: Recording, speakers: Speakers) -> tuple[Id, VoiceCard]:
    """The id of a recording's take, and the card of its speaker."""
    voice = speakers.card(
        human_voice(
            recording.speaker,
            recording.language,
            sample_rate_hz=recording.sample_rate_hz,
            licence=recording.licence,
            consent=recording.consent,
        )
    )
    return _id(recording, voice), voice


def _id(recording: Recording, voice: VoiceCard) -> Id:
    return Take.id_of_recording(recording.prompt.id, voice.id, recording.pcm_sha256)


def _move(catalog: Catalog, splits: Mapping[Id, str]) -> None:
    """Give known takes the splits that their corpus says now; releases keep the splits that they were frozen with."""
    if not splits:
        return
    with catalog.lake.lent("moved", pa.table({"id": list(splits), "split": list(splits.values())})):
        catalog.lake.run("UPDATE take SET split = moved.split FROM moved WHERE take.id = moved.id::UUID")
    reset(catalog.lake)


def _with_prompts(catalog: Catalog, recordings: Iterable[Recording]) -> list[Failure]:
    """Add the texts of recordings; what one says otherwise of a text than is stored is a failure, and it goes in."""
    rows = {recording.prompt: recording.row for recording in recordings}
    told = add_prompts(catalog, list(rows), with_splits=False)
    return [
        rows[prompt].failure(RowError(OTHER_LABELS, f"the recording is kept, but {why}"))
        for prompt, why in told.items()
    ]


def _on_other_terms(recording: Recording, voice: VoiceCard, stored: VoiceCard) -> Failure:
    sentence = (
        f"this recording of {voice.speaker} is stored under {stored.terms}, and here it is under {voice.terms}; "
        "ingest it under the former, or into another corpus"
    )
    return recording.row.failure(RowError("other-terms", sentence))


def _take(take_id: Id, recording: Recording, voice: VoiceCard, place: Place) -> Take:
    return Take(
        id=take_id,
        line_id=None,
        prompt_id=recording.prompt.id,
        voice_id=voice.id,
        origin="real",
        shard=place.shard,
        offset=place.offset,
        num_bytes=place.num_bytes,
        pcm_sha256=recording.pcm_sha256,
        sample_rate_hz=recording.sample_rate_hz,
        num_samples=recording.num_samples,
        split=recording.prompt.split,
    )
