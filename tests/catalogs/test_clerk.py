import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from catalogs import clerk
from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.clerk import Clerk
from catalogs.errors import DiskFull, EngineError
from catalogs.flac import decode, encode, pcm_sha256
from catalogs.ids import content_id
from catalogs.records import Failure, Take, Verdict
from catalogs.stage import Outcome, Recording
from catalogs.stopping import Stopped, stoppable
from catalogs.verify import verify


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(tmp_path / "corpus") as catalog:
        yield catalog


def recording(number: int) -> Recording:
    pcm = np.arange(number, number + 800, dtype=np.int16)
    return Recording(
        line_id=content_id("line", number),
        prompt_id=content_id("prompt", number),
        voice_id=content_id("voice", 0),
        flac=encode(pcm, 16_000),
        pcm_sha256=pcm_sha256(pcm),
        sample_rate_hz=16_000,
        num_samples=800,
        tokens=None,
    )


def batch(*numbers: int) -> Outcome:
    return Outcome(items=len(numbers), recordings=[recording(number) for number in numbers])


def run_of(catalog: Catalog) -> str:
    return catalog.begin_run(None, "test")


def check_takes(catalog: Catalog, *numbers: int) -> None:
    """These takes are there, each with its samples, and no shard has a fault."""
    rows = catalog.lake.rows('SELECT line_id::VARCHAR, shard, "offset", num_bytes, pcm_sha256 FROM take')
    assert sorted(row[0] for row in rows) == sorted(content_id("line", number) for number in numbers)
    for _, shard, offset, num_bytes, sha256 in rows:
        pcm, _ = decode(catalog.audio.read(Place(shard, offset, num_bytes)))
        assert pcm_sha256(pcm) == sha256
    faults = [problem.text() for problem in verify(catalog).problems if problem.fault != "dangling"]
    assert faults == []


def test_what_was_received_is_there_at_the_end_in_a_sealed_shard(catalog: Catalog) -> None:
    with Clerk(catalog, run_of(catalog)) as clerk:
        clerk.receive(batch(1, 2))
        clerk.receive(batch(3))

    check_takes(catalog, 1, 2, 3)
    assert catalog.lake.rows("SELECT num_takes FROM shard") == [(3,)]
    assert catalog.audio.parts() == []


def test_rows_are_committed_when_enough_have_come_together(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "FLUSH_ROWS", 3)

    with Clerk(catalog, run_of(catalog)) as writing:
        writing.receive(batch(1, 2))
        before = catalog.count("take")
        writing.receive(batch(3))
        after = catalog.count("take")

    assert (before, after) == (0, 3)


def test_rows_are_committed_when_they_have_waited_long_enough(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk, "FLUSH_S", 0.0)

    with Clerk(catalog, run_of(catalog)) as writing:
        writing.receive(batch(1))

        assert catalog.count("take") == 1


def test_much_audio_is_written_before_its_rows(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "AUDIO_BYTES", 1)

    with Clerk(catalog, run_of(catalog)) as writing:
        writing.receive(batch(1, 2))
        parts, rows = catalog.audio.parts(), catalog.count("take")

    assert (len(parts), rows) == (1, 0)
    check_takes(catalog, 1, 2)


def test_a_shard_is_sealed_when_it_is_full(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "FLUSH_ROWS", 2)

    with Clerk(catalog, run_of(catalog)) as writing:
        writing._writer._shard_takes = 2
        for number in range(5):
            writing.receive(batch(number))

    check_takes(catalog, 0, 1, 2, 3, 4)
    assert catalog.lake.rows("SELECT num_takes FROM shard ORDER BY name") == [(2,), (2,), (1,)]


def test_verdicts_and_failures_come_with_their_takes(catalog: Catalog) -> None:
    policy = content_id("policy", 0)

    def judge(outcome: Outcome) -> list[Verdict]:
        return [Verdict(Take.id_of_line(r.line_id), policy, "drop", ("too short",)) for r in outcome.recordings]

    with Clerk(catalog, run_of(catalog), judge=judge) as clerk:
        verdicts = clerk.receive(batch(1))
        clerk.receive(Outcome(items=1, failures=[Failure("record", content_id("line", 2), 1, "Oh", "dear")]))

    assert [verdict.reasons for verdict in verdicts] == [("too short",)]
    assert (catalog.count("verdict"), catalog.count("failure")) == (1, 1)


def test_what_was_received_before_an_engine_failed_is_kept(catalog: Catalog) -> None:
    def job() -> None:
        with Clerk(catalog, run_of(catalog)) as clerk:
            clerk.receive(batch(1))
            raise EngineError("the cluster is gone")

    with pytest.raises(EngineError):
        job()

    check_takes(catalog, 1)


def test_a_stop_in_the_middle_of_a_commit_comes_after_it(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "FLUSH_ROWS", 1)
    monkeypatch.setattr(catalog, "commit", _stopping_once(catalog.commit))

    def job() -> None:
        with stoppable(), Clerk(catalog, run_of(catalog)) as writing:
            writing.receive(batch(1))
            writing.receive(batch(2))

    with pytest.raises(Stopped):
        job()

    check_takes(catalog, 1)


def _stopping_once(commit: Callable[[Done], None]) -> Callable[[Done], None]:
    signals = iter([signal.SIGTERM])

    def stopping(done: Done) -> None:
        for number in signals:
            signal.raise_signal(number)
        commit(done)

    return stopping


def test_a_full_disk_is_told_and_costs_only_what_was_not_committed(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk, "FLUSH_ROWS", 1)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def job() -> None:
        with Clerk(catalog, run_of(catalog)) as writing:
            writing.receive(batch(1))
            monkeypatch.setattr(os, "fsync", full)
            writing.receive(batch(2))

    with pytest.raises(DiskFull, match="free some space"):
        job()
    monkeypatch.undo()
    catalog.seal_abandoned()

    check_takes(catalog, 1)
    with Clerk(catalog, run_of(catalog)) as writing:
        writing.receive(batch(2))
    check_takes(catalog, 1, 2)
