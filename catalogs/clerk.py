"""The clerk: takes in outcomes as crews deliver them, and writes them down in few, big commits.

Audio first, synced, then the rows that point to it, in one transaction. What was not yet written down when a job is
killed is simply recorded again, to the same bytes.
"""

import time
from collections.abc import Callable

from catalogs.catalog import Catalog, Done
from catalogs.ids import Id
from catalogs.records import Take, Verdict
from catalogs.stage import Outcome, Recording

FLUSH_TAKES = 2000
FLUSH_S = 15.0

Judge = Callable[[Outcome], list[Verdict]]


class Clerk:
    """Buffers outcomes and commits them; use it as a context, whose end commits the rest and seals the shard."""

    def __init__(self, catalog: Catalog, run_id: Id, *, judge: Judge | None = None) -> None:
        self._catalog = catalog
        self._judge = judge
        self._writer = catalog.audio.writer(run_id[:18])
        self._pending = Outcome()
        self._verdicts: list[Verdict] = []
        self._since = time.monotonic()

    def __enter__(self) -> "Clerk":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self.flush(seal=True)
        else:
            self._writer.abandon()

    def receive(self, outcome: Outcome) -> list[Verdict]:
        """Take in one batch's outcome, judge it on arrival, and commit if enough has come together."""
        verdicts = self._judge(outcome) if self._judge else []
        self._verdicts += verdicts
        self._pending.add(outcome)
        rows = max(len(self._pending.recordings), *(len(s) for s in self._pending.scores.values()), 0, 0)
        if rows >= FLUSH_TAKES or time.monotonic() - self._since > FLUSH_S:
            self.flush()
        return verdicts

    def flush(self, *, seal: bool = False) -> None:
        """Commit what has come together."""
        pending, self._pending = self._pending, Outcome()
        verdicts, self._verdicts = self._verdicts, []
        takes = self._store(pending.recordings)
        shards = self._writer.seal(if_full=not seal)
        self._catalog.commit(Done(takes, shards, pending.scores, verdicts, pending.failures))
        self._since = time.monotonic()

    def _store(self, recordings: list[Recording]) -> list[Take]:
        if not recordings:
            return []
        places = self._writer.append([(Take.id_of_line(r.line_id), r.flac) for r in recordings])
        return [
            Take(
                id=Take.id_of_line(r.line_id),
                line_id=r.line_id,
                prompt_id=r.prompt_id,
                voice_id=r.voice_id,
                origin="synthetic",
                shard=place.shard,
                offset=place.offset,
                num_bytes=place.num_bytes,
                pcm_sha256=r.pcm_sha256,
                sample_rate_hz=r.sample_rate_hz,
                num_samples=r.num_samples,
                tokens=r.tokens,
            )
            for r, place in zip(recordings, places, strict=True)
        ]
