"""The clerk: takes in outcomes as crews deliver them, and writes them down in few, big commits.

Audio first, synced, then the rows that point to it, in one transaction; a shard is sealed when its takes' rows are
there, and gets its own row with the next commit. What was not yet written down when a job is killed is simply recorded
again, to the same bytes.
"""

import time
from collections.abc import Callable

from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.errors import CatalogError
from catalogs.ids import Id
from catalogs.records import Shard, Take, Verdict
from catalogs.stage import Outcome, Recording
from catalogs.stopping import undisturbed

FLUSH_ROWS = 2000
FLUSH_S = 15.0
# Encoded audio is written out earlier than its rows, so that long takes do not pile up in memory.
AUDIO_BYTES = 64 << 20

Judge = Callable[[Outcome], list[Verdict]]


class Clerk:
    """Buffers outcomes and commits them; use it as a context, whose end commits the rest and seals the shard."""

    def __init__(self, catalog: Catalog, run_id: Id, *, judge: Judge | None = None) -> None:
        self._catalog = catalog
        self._judge = judge
        self._writer = catalog.audio.writer(run_id[:18])
        self._pending = Outcome()
        self._verdicts: list[Verdict] = []
        self._takes: list[Take] = []
        self._shards: list[Shard] = []
        self._audio_bytes = 0
        self._since = time.monotonic()

    def __enter__(self) -> "Clerk":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, CatalogError | MemoryError):
            self._writer.abandon()
            return
        with undisturbed():
            self.flush()
            self._shards += self._writer.seal()
            self.flush()

    def receive(self, outcome: Outcome) -> list[Verdict]:
        """Take in one batch's outcome, judge it on arrival, and commit if enough has come together."""
        verdicts = self._judge(outcome) if self._judge else []
        with undisturbed():
            self._verdicts += verdicts
            self._pending.add(outcome)
            self._audio_bytes += sum(len(r.flac) for r in outcome.recordings)
            if self._rows() >= FLUSH_ROWS or time.monotonic() - self._since > FLUSH_S:
                self.flush()
                self._shards += self._writer.seal(if_full=True)
            elif self._audio_bytes >= AUDIO_BYTES:
                self._store_audio()
        return verdicts

    def flush(self) -> None:
        """Commit what has come together."""
        self._store_audio()
        pending = self._pending
        self._catalog.commit(Done(self._takes, self._shards, pending.scores, self._verdicts, pending.failures))
        self._pending, self._takes, self._shards, self._verdicts = Outcome(), [], [], []
        self._since = time.monotonic()

    def _rows(self) -> int:
        pending = self._pending
        return max(len(self._takes) + len(pending.recordings), *map(len, pending.scores.values()), 0, 0)

    def _store_audio(self) -> None:
        """Write the recordings' audio, synced, and keep only the rows that will point to it."""
        recordings, self._pending.recordings = self._pending.recordings, []
        if recordings:
            places = self._writer.append([(Take.id_of_line(r.line_id), r.flac) for r in recordings])
            self._takes += [_take(recording, place) for recording, place in zip(recordings, places, strict=True)]
        self._audio_bytes = 0


def _take(recording: Recording, place: Place) -> Take:
    return Take(
        id=Take.id_of_line(recording.line_id),
        line_id=recording.line_id,
        prompt_id=recording.prompt_id,
        voice_id=recording.voice_id,
        origin="synthetic",
        shard=place.shard,
        offset=place.offset,
        num_bytes=place.num_bytes,
        pcm_sha256=recording.pcm_sha256,
        sample_rate_hz=recording.sample_rate_hz,
        num_samples=recording.num_samples,
        tokens=recording.tokens,
        word_times=recording.word_times,
    )
