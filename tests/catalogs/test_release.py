"""Releases: frozen selections that stay what they are."""

from pathlib import Path
from typing import Any

import pytest

from catalogs import flac, release
from catalogs.errors import QueryRefused, ReleaseError, UsageError


def freeze(studio: Any, name: str, where: str = "true", **options: Any) -> Any:
    chosen = release.select(studio.folder, where=where, **options)
    return release.freeze(studio.catalog, name, take_ids=chosen, made_by=where)


def test_a_release_has_its_members_their_hours_and_their_licences(studio: Any) -> None:
    studio.record(range(10))

    frozen = freeze(studio, "r")

    assert (frozen.num_takes, frozen.licences) == (10, ("CC0-1.0",))
    assert frozen.audio_s == pytest.approx(10 * 400 / 8000)
    assert release.releases(studio.catalog) == [frozen]
    splits = studio.catalog.lake.rows("SELECT split, count(*) FROM release_item GROUP BY ALL ORDER BY ALL")
    assert splits == [("test", 2), ("train", 8)]


def test_the_same_name_and_members_are_the_release_that_is_there(studio: Any) -> None:
    studio.record(range(4))
    first = freeze(studio, "r")

    again = freeze(studio, "r")

    assert again == first
    assert studio.catalog.count("release_item") == 4


def test_a_name_is_not_given_twice(studio: Any) -> None:
    studio.record(range(4))
    freeze(studio, "r")
    studio.record(range(4, 6), shard="more")

    with pytest.raises(ReleaseError, match="4 takes that are not these 6"):
        freeze(studio, "r")


def test_the_id_tells_the_members_whatever_the_name(studio: Any) -> None:
    studio.record(range(4))

    one, two = freeze(studio, "one"), freeze(studio, "two")

    assert one.id == two.id
    assert studio.catalog.count("release_item") == 4
    assert len(list(release.members(studio.catalog, two))) == 4


def test_a_release_that_selects_nothing_is_refused(studio: Any) -> None:
    studio.record(range(2))

    with pytest.raises(ReleaseError, match="nothing was selected"):
        freeze(studio, "r", "verdict = 'keep'")
    known = release.select(studio.folder, where="true", limit=1)
    unknown = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(ReleaseError, match="1 of them are in"):
        release.freeze(studio.catalog, "r", take_ids=[*known, unknown], made_by="test")


def test_takes_are_selected_by_condition_order_and_limit(studio: Any) -> None:
    ids = [take.id for take in studio.record(range(6))]
    for number, take_id in enumerate(ids):
        studio.score(studio.WORDS, [take_id], number / 10)

    best = release.select(studio.folder, where="wer < 0.45 -- good", order="wer DESC", limit=3)

    assert best == [ids[4], ids[3], ids[2]]


@pytest.mark.parametrize("where", ["wer <", "werr < 1", "true; DELETE FROM take"])
def test_a_mistake_in_the_condition_is_told(studio: Any, where: str) -> None:
    with pytest.raises(UsageError, match=r"LINE [12]"):
        release.select(studio.folder, where=where)


def test_a_condition_reads_nothing_but_the_corpus(studio: Any) -> None:
    with pytest.raises(QueryRefused):
        release.select(studio.folder, where="text IN (SELECT content FROM read_text('/etc/passwd'))")


def test_members_come_split_by_split_with_their_own_bytes(studio: Any) -> None:
    recorded = {take.id: take for take in studio.record(range(10))}
    frozen = freeze(studio, "r")

    items = list(release.members(studio.catalog, frozen))

    assert [item.split for item in items] == ["test"] * 2 + ["train"] * 8
    for item in items:
        samples, rate_hz = flac.decode(item.flac)
        assert (item.take, rate_hz) == (recorded[item.take.id], 8000)
        assert flac.pcm_sha256(samples) == item.take.pcm_sha256
        assert item.prompt.slots[0].value == item.prompt.text.split()[1]
    assert list(release.members(studio.catalog, frozen)) == items


def test_members_can_be_read_while_more_is_recorded(studio: Any) -> None:
    studio.record(range(5))
    frozen = freeze(studio, "r")
    members = release.members(studio.catalog, frozen)
    next(members)

    studio.record(range(5, 9), shard="more")

    assert len(list(members)) == 4


def test_an_unknown_release_is_told_with_those_there_are(studio: Any, tmp_path: Path) -> None:
    studio.record(range(2))
    freeze(studio, "spring")

    with pytest.raises(ReleaseError, match="known: spring"):
        release.release_named(studio.catalog, "sprung")
