"""Damage of every kind is found, told, and mended without touching what is sound."""

import os
from pathlib import Path
from typing import Any

import pytest

from catalogs import flac, release, takes
from catalogs.audio import PART, Place
from catalogs.catalog import Done
from catalogs.ids import content_id
from catalogs.records import Failure, Interleaving, SequenceUnit
from catalogs.verify import Report, verify


def faults(report: Report) -> list[tuple[str, int]]:
    return [(problem.fault, len(problem.lost)) for problem in report.problems]


def path_of(studio: Any, name: str = "shard-000000.tar") -> Path:
    return studio.catalog.audio.folder / name


def damage(path: Path, *, at: int, data: bytes = b"\xff" * 40) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def readable(studio: Any) -> set[str]:
    """Takes whose row leads to bytes that decode to the promised samples."""
    good = set()
    for take_id, shard, offset, size, pcm in studio.catalog.lake.rows(
        'SELECT id, shard, "offset", num_bytes, pcm_sha256 FROM take'
    ):
        samples, _ = flac.decode(studio.catalog.audio.read(Place(shard, offset, size)))
        assert flac.pcm_sha256(samples) == pcm
        good.add(str(take_id))
    return good


def assert_whole(studio: Any) -> None:
    report = verify(studio.catalog, deep=True)
    assert (report.problems, report.exit_code) == ([], 0)


def test_a_sound_corpus_has_no_problems(studio: Any) -> None:
    studio.record(range(10))

    seen: list[int] = []
    report = verify(studio.catalog, watch=lambda so_far: seen.append(so_far.shards))

    assert (report.problems, report.exit_code, report.takes, seen) == ([], 0, 10, [1])
    assert report.num_bytes == path_of(studio).stat().st_size


def test_an_empty_corpus_is_sound(studio: Any) -> None:
    assert verify(studio.catalog, repair=True).exit_code == 0


def test_one_damaged_take_is_lost_and_the_others_of_its_shard_are_saved(studio: Any) -> None:
    recorded = studio.record(range(10))
    studio.score(studio.LEVELS, [take.id for take in recorded], -1.0)
    damage(path_of(studio), at=recorded[3].offset + recorded[3].num_bytes // 2)

    found = verify(studio.catalog)
    mended = verify(studio.catalog, repair=True)

    assert faults(found) == faults(mended) == [("shard altered", 1)]
    assert (found.exit_code, mended.exit_code) == (3, 5)
    assert readable(studio) == {take.id for take in recorded} - {recorded[3].id}
    assert studio.catalog.count("score_levels") == studio.catalog.count("takes") == 9
    assert (path_of(studio).parent / ".orphans" / "shard-000000.tar").exists()
    assert_whole(studio)


def test_what_is_lost_leaves_a_row_that_says_why_and_can_be_recorded_again(studio: Any) -> None:
    recorded = studio.record(range(4))
    path_of(studio).unlink()

    report = verify(studio.catalog, repair=True)

    assert faults(report) == [("shard missing", 4)]
    rows = studio.catalog.lake.rows("SELECT stage, subject_id::VARCHAR, error FROM failure ORDER BY subject_id")
    assert rows == [("verify", take.id, "AudioLost") for take in sorted(recorded, key=lambda t: t.id)]
    again = studio.record(range(4), shard="again")
    assert [take.id for take in again] == [take.id for take in recorded]
    assert_whole(studio)


def test_a_truncated_shard_keeps_the_takes_before_the_cut(studio: Any) -> None:
    recorded = studio.record(range(6))
    os.truncate(path_of(studio), recorded[4].offset + 10)

    report = verify(studio.catalog, repair=True)

    assert faults(report) == [("shard truncated", 2)]
    assert readable(studio) == {take.id for take in recorded[:4]}
    assert_whole(studio)


def test_damage_to_a_header_loses_nothing(studio: Any) -> None:
    recorded = studio.record(range(5))
    damage(path_of(studio), at=recorded[2].offset - 512)

    report = verify(studio.catalog, repair=True)

    assert (faults(report), report.exit_code) == ([("shard altered", 0)], 0)
    assert readable(studio) == {take.id for take in recorded}
    assert_whole(studio)


def test_the_flat_table_follows_a_repair(studio: Any) -> None:
    recorded = studio.record(range(6))
    studio.score(studio.LEVELS, [take.id for take in recorded], -1.0)
    takes.flatten(studio.catalog.lake)
    damage(path_of(studio), at=recorded[0].offset + 30)

    verify(studio.catalog, repair=True)

    assert studio.catalog.lake.rows("SELECT count(*), count(peak_db) FROM takes") == [(5, 5)]
    rows = studio.catalog.lake.rows('SELECT take_id::VARCHAR, shard, "offset" FROM takes ORDER BY 1')
    assert rows == studio.catalog.lake.rows('SELECT id::VARCHAR, shard, "offset" FROM take ORDER BY 1')


def test_a_wrong_row_is_found_without_decoding(studio: Any) -> None:
    recorded = studio.record(range(3))
    studio.catalog.lake.run('UPDATE take SET "offset" = "offset" + 512 WHERE id = $id::UUID', id=recorded[1].id)

    assert faults(verify(studio.catalog)) == [("take misplaced", 1)]


def test_a_wrong_hash_of_samples_is_found_by_a_deep_check_alone(studio: Any) -> None:
    recorded = studio.record(range(3))
    studio.catalog.lake.run("UPDATE take SET pcm_sha256 = 'x' WHERE id = $id::UUID", id=recorded[1].id)

    assert faults(verify(studio.catalog)) == []
    assert faults(verify(studio.catalog, deep=True)) == [("take misplaced", 1)]


def test_what_a_killed_job_left_open_is_found_and_sealed(studio: Any) -> None:
    writer = studio.catalog.audio.writer("killed")
    committed = studio.append(writer, studio.lines(range(3)))
    studio.catalog.commit(Done(takes=committed))
    studio.append(writer, studio.lines(range(3, 5)))
    writer.abandon()

    assert faults(verify(studio.catalog)) == [("shard unsealed", 0)]
    report = verify(studio.catalog, repair=True)

    assert report.exit_code == 0
    assert readable(studio) == {take.id for take in committed}
    assert_whole(studio)


def test_what_a_running_job_has_open_is_left_alone(studio: Any) -> None:
    writer = studio.catalog.audio.writer("running")
    studio.catalog.commit(Done(takes=studio.append(writer, studio.lines(range(3)))))
    studio.append(writer, studio.lines(range(3, 5)))

    report = verify(studio.catalog, repair=True)

    assert report.problems == []
    studio.catalog.commit(Done(shards=writer.seal()))
    assert_whole(studio)


@pytest.mark.parametrize("repair", [True, False])
def test_a_shard_that_is_sealed_while_others_are_checked_is_left_alone(
    studio: Any, monkeypatch: pytest.MonkeyPatch, repair: bool
) -> None:
    monkeypatch.setattr("catalogs.verify.YOUNG_S", 0.0)  # as if checking had taken longer than a quarter of an hour
    monkeypatch.setattr(studio.catalog, "metadata_at", "dbname=corpus")
    studio.record(range(3), shard="a-whole")
    writer = studio.catalog.audio.writer("running")
    first = studio.append(writer, studio.lines(range(3, 6)))
    studio.catalog.commit(Done(takes=first))

    def seal_meanwhile(so_far: Report) -> None:
        if so_far.shards == 1:
            second = studio.append(writer, studio.lines(range(6, 9)))
            studio.catalog.commit(Done(takes=second, shards=writer.seal()))

    report = verify(studio.catalog, repair=repair, watch=seal_meanwhile)

    assert (report.problems, report.exit_code) == ([], 0)
    assert path_of(studio, "running-000000.tar").exists()
    assert len(readable(studio)) == 9
    assert_whole(studio)


def test_takes_that_came_into_a_shard_while_others_were_checked_are_mended_with_it(studio: Any) -> None:
    studio.record(range(3), shard="a-whole")
    writer = studio.catalog.audio.writer("killed")
    studio.catalog.commit(Done(takes=studio.append(writer, studio.lines(range(3, 6)))))

    def die_after_another_commit(so_far: Report) -> None:
        if so_far.shards == 1:
            studio.catalog.commit(Done(takes=studio.append(writer, studio.lines(range(6, 9)))))
            writer.abandon()

    report = verify(studio.catalog, repair=True, watch=die_after_another_commit)

    assert faults(report) == [("shard unsealed", 0)]
    assert len(readable(studio)) == 9
    assert_whole(studio)


def test_files_that_no_row_knows_are_moved_aside(studio: Any) -> None:
    studio.record(range(2))
    for name in ("stray.tar", "stray-part.tar" + PART):
        path_of(studio, name).write_bytes(b"x" * 1024)

    assert faults(verify(studio.catalog)) == []  # they are young: a job may be writing them
    report = verify(studio.catalog, repair=True)

    assert faults(report) == [("orphan", 0), ("orphan", 0)]
    assert sorted(p.name for p in (path_of(studio).parent / ".orphans").iterdir()) == [
        "stray-part.tar.part",
        "stray.tar",
    ]
    assert_whole(studio)


def test_rows_that_repeat_others_are_removed(studio: Any) -> None:
    recorded = studio.record(range(3))
    studio.score(studio.LEVELS, [take.id for take in recorded], -1.0)
    for table in ("take", "score_levels"):
        studio.catalog.lake.run(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 2")

    report = verify(studio.catalog, repair=True)

    assert [(p.fault, p.subject) for p in report.problems] == [("duplicate", "score_levels"), ("duplicate", "take")]
    assert studio.catalog.count("takes") == 3
    assert_whole(studio)


def test_scores_and_verdicts_without_a_take_are_removed(studio: Any) -> None:
    recorded = studio.record(range(3))
    studio.score(studio.LEVELS, [take.id for take in recorded], -1.0)
    studio.judge([take.id for take in recorded], "p")
    studio.catalog.lake.run("DELETE FROM take WHERE id = $id::UUID", id=recorded[0].id)

    report = verify(studio.catalog, repair=True)

    assert [(p.fault, p.subject) for p in report.problems] == [("stray", "score_levels"), ("stray", "verdict")]
    assert studio.catalog.count("score_levels") == 2


def test_what_was_heard_in_a_take_that_is_gone_is_removed(studio: Any) -> None:
    recorded = studio.record(range(3))
    ids = ", ".join(f"('{take.id}'::UUID)" for take in recorded)
    for table in ("hypothesis", "understanding"):
        studio.catalog.lake.run(
            f"INSERT INTO {table} BY NAME SELECT uuid() AS evaluation_id, take_id FROM (VALUES {ids}) t(take_id)"
        )
    studio.catalog.lake.run("DELETE FROM take WHERE id = $id::UUID", id=recorded[0].id)

    report = verify(studio.catalog, repair=True)

    assert [(p.fault, p.subject) for p in report.problems] == [("stray", "hypothesis"), ("stray", "understanding")]
    assert [studio.catalog.count(table) for table in ("hypothesis", "understanding")] == [2, 2]


def test_a_row_that_points_at_nothing_is_told_and_left(studio: Any) -> None:
    studio.record(range(3))
    studio.catalog.lake.run("DELETE FROM voice")

    report = verify(studio.catalog, repair=True)

    assert {p.subject for p in report.problems} == {"take.voice_id", "line.voice_id"}
    assert report.exit_code == 3


def test_a_release_that_lost_a_member_is_told_until_it_is_recorded_again(studio: Any) -> None:
    recorded = studio.record(range(4))
    frozen = release.freeze(studio.catalog, "r", take_ids=[take.id for take in recorded], made_by="test")
    path_of(studio).unlink()

    report = verify(studio.catalog, repair=True)

    assert [p.fault for p in report.problems] == ["shard missing", "release altered"]
    assert report.exit_code == 3
    assert studio.catalog.count("release_item") == 4
    studio.record(range(4), shard="again")
    assert_whole(studio)
    assert release.releases(studio.catalog) == [frozen]


def test_the_report_says_what_was_done_in_one_line_each(studio: Any) -> None:
    studio.record(range(2))
    path_of(studio).unlink()

    lines = verify(studio.catalog, repair=True).text().splitlines()

    assert "2 takes lost" in lines[0]
    assert "run the job again" in lines[0]
    assert lines[-1].startswith("1 shards, 2 takes")


def test_a_failure_of_a_lost_take_does_not_outlive_it(studio: Any) -> None:
    recorded = studio.record(range(1))
    studio.catalog.add([Failure("measure", recorded[0].id, 1, "ValueError", "too short")])
    path_of(studio).unlink()

    verify(studio.catalog, repair=True)

    assert studio.catalog.lake.rows("SELECT stage FROM failure") == [("verify",)]


@pytest.mark.parametrize("twice", [False, True])
def test_repairing_twice_changes_nothing_more(studio: Any, twice: bool) -> None:
    recorded = studio.record(range(5))
    damage(path_of(studio), at=recorded[1].offset + 30)
    verify(studio.catalog, repair=True)
    before = studio.catalog.lake.snapshot()

    if twice:
        assert verify(studio.catalog, repair=True).problems == []

    assert studio.catalog.lake.snapshot() == before


def interleaved(studio: Any, number: int, take_ids: list[str | None]) -> str:
    """A set of sequences of one unit each, of some takes and, for None, of a text alone."""
    made = Interleaving(
        id=content_id("set", number), release_id=content_id("release"), split=None, choosing="{}", seed=0, version="1",
        texts=None, texts_id=None, num_takes=1, num_untimed=0, num_texts=1, num_held_out=0, num_sequences=2,
    )  # fmt: skip
    units = [
        SequenceUnit(
            interleaving_id=made.id, take_id=take_id, prompt_id=None if take_id else content_id("prompt"),
            heard_first=False, unit_idx=0, unit_type="text", modality="text", start_s=None, end_s=None, text="a",
            confidence=None,
        )
        for take_id in take_ids
    ]  # fmt: skip
    studio.catalog.add(units)
    studio.catalog.add([made])
    return made.id


def sets_of(studio: Any) -> tuple[list[str], list[str]]:
    """The sets there are by their rows, and by their units."""
    rows = studio.catalog.lake.rows
    return (
        [row[0] for row in rows("SELECT id::VARCHAR FROM interleaving ORDER BY 1")],
        [row[0] for row in rows("SELECT DISTINCT interleaving_id::VARCHAR FROM unit ORDER BY 1")],
    )


def test_a_set_of_sequences_goes_with_a_lost_take(studio: Any) -> None:
    recorded = studio.record(range(3))
    interleaved(studio, 1, [recorded[0].id, recorded[1].id, None])
    kept = interleaved(studio, 2, [recorded[1].id, None])
    damage(path_of(studio), at=recorded[0].offset + 30)

    verify(studio.catalog, repair=True)

    assert sets_of(studio) == ([kept], [kept])
    assert verify(studio.catalog).problems == []


def test_units_of_a_take_that_is_not_there_take_their_set_along(studio: Any) -> None:
    recorded = studio.record(range(1))
    interleaved(studio, 1, [recorded[0].id, content_id("gone"), None])
    kept = interleaved(studio, 2, [recorded[0].id, None])

    assert faults(verify(studio.catalog)) == [("stray", 0), ("stray", 0)]
    verify(studio.catalog, repair=True)

    assert sets_of(studio) == ([kept], [kept])


def test_units_of_a_set_that_is_not_whole_are_removed(studio: Any) -> None:
    recorded = studio.record(range(1))
    kept = interleaved(studio, 1, [recorded[0].id, None])
    unfinished = interleaved(studio, 2, [recorded[0].id, None])
    studio.catalog.lake.run("DELETE FROM interleaving WHERE id = $id::UUID", id=unfinished)

    report = verify(studio.catalog, repair=True)

    assert (faults(report), report.exit_code) == ([("unfinished", 0)], 0)
    assert sets_of(studio) == ([kept], [kept])
