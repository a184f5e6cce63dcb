"""Real speech into a corpus: prompts, human voices and takes, with the recordings' own FLAC bytes.

What is there already is recognised by its id and left alone, so an ingest that was killed, or is run again, adds only
what is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.errors import InputError
from catalogs.ids import Id
from catalogs.ingest.speech import Recording, SpeechSource, human_voice, read_recordings
from catalogs.records import Failure, Take, VoiceCard
from catalogs.stage import batched

BATCH = 512


@dataclass(slots=True)
class Ingested:
    """What an ingest came to."""

    added: int = 0
    known: int = 0
    failed: int = 0
    audio_s: float = 0.0

    def text(self) -> str:
        """The figures in one line."""
        return (
            f"added {self.added:,} takes ({self.audio_s / 3600:.2f} h) · known {self.known:,} · failed {self.failed:,}"
        )


def ingest_speech(
    catalog: Catalog, source: SpeechSource, run_id: Id, *, watch: Callable[[Ingested], None] | None = None
) -> Ingested:
    """Store the recordings of a source; a bad one is a failure, and the rest go on.

    Raises:
        InputError: if the source holds nothing at all.
    """
    known = {str(row[0]) for row in catalog.lake.rows("SELECT id FROM take WHERE origin = 'real' ORDER BY id")}
    writer = catalog.audio.writer(run_id[:18])
    ingested = Ingested()
    for batch in batched(read_recordings(source), BATCH):
        failures = [item for item in batch if isinstance(item, Failure)]
        recordings = [_named(item) for item in batch if isinstance(item, Recording)]
        fresh = {take_id: (read, voice) for take_id, read, voice in recordings if take_id not in known}
        ingested.known += len(recordings) - len(fresh)
        places = writer.append([(take_id, recording.flac) for take_id, (recording, _) in fresh.items()])
        takes = [
            _take(take_id, recording, voice, place)
            for (take_id, (recording, voice)), place in zip(fresh.items(), places, strict=True)
        ]
        with catalog.lake.transaction():
            catalog.add([recording.prompt for recording, _ in fresh.values()])
            catalog.add([voice for _, voice in fresh.values()])
            catalog.add(failures)
            catalog.commit(Done(takes=takes, shards=writer.seal(if_full=True)))
        known |= fresh.keys()
        ingested.added += len(fresh)
        ingested.failed += len(failures)
        ingested.audio_s += sum(r.num_samples / r.sample_rate_hz for r, _ in fresh.values())
        if watch:
            watch(ingested)
    catalog.commit(Done(shards=writer.seal()))
    if not (ingested.added or ingested.known or ingested.failed):
        raise InputError(f"{source.path} holds no recordings")
    return ingested


def _named(recording: Recording) -> tuple[Id, Recording, VoiceCard]:
    """A recording with its take's id and the card of its speaker."""
    voice = human_voice(
        recording.speaker,
        recording.language,
        sample_rate_hz=recording.sample_rate_hz,
        licence=recording.licence,
        consent=recording.consent,
    )
    return Take.id_of_recording(recording.prompt.id, voice.id, recording.pcm_sha256), recording, voice


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
    )
