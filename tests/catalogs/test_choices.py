"""Pairs are noted as they are now: what stands already is left alone, and what follows no more is withdrawn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.catalog import Catalog
from catalogs.choices import note_pairs
from catalogs.ids import Id, content_id
from catalogs.records import Preference

JOB, OTHER = content_id("job", "one"), content_id("job", "other")


def pair(winner: int, loser: int, *, job_id: Id | None = JOB, iteration: int = 1) -> Preference:
    takes = [content_id("take", number) for number in (winner, loser)]
    return Preference(content_id("prompt", 1), *takes, "stability", "dgsa", iteration, job_id)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.create(tmp_path_factory.mktemp("corpus")) as catalog:
        yield catalog


@pytest.fixture
def catalog(corpus: Catalog) -> Catalog:
    corpus.lake.run("DELETE FROM preference")
    return corpus


def standing(catalog: Catalog) -> set[Preference]:
    rows = catalog.lake.rows(
        "SELECT prompt_id::VARCHAR, winner::VARCHAR, loser::VARCHAR, objective, method, iteration, job_id::VARCHAR "
        "FROM preference"
    )
    assert len(rows) == len(set(rows))
    return {Preference(*row) for row in rows}


@settings(max_examples=12, deadline=None)
@given(
    rounds=st.lists(
        st.tuples(st.sampled_from((JOB, OTHER, None)), st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)))),
        max_size=4,
    )
)
def test_what_stands_of_each_job_is_what_was_found_for_it_last(
    corpus: Catalog, rounds: Sequence[tuple[Id | None, set[tuple[int, int]]]]
) -> None:
    corpus.lake.run("DELETE FROM preference")
    wanted: dict[Id | None, set[Preference]] = {}
    for job_id, found in rounds:
        wanted[job_id] = {pair(*takes, job_id=job_id) for takes in found}
        note_pairs(corpus, sorted(wanted[job_id], key=str), method="dgsa", job_id=job_id)

    assert standing(corpus) == set().union(*wanted.values())


def test_noting_the_same_again_writes_nothing(catalog: Catalog) -> None:
    for job_id in (JOB, None):
        found = [pair(1, 2, job_id=job_id), pair(3, 4, job_id=job_id)]
        note_pairs(catalog, found, method="dgsa", job_id=job_id)
        before = catalog.lake.snapshot()

        note_pairs(catalog, found[::-1], method="dgsa", job_id=job_id)

        assert catalog.lake.snapshot() == before


def test_a_pair_that_weighs_otherwise_is_noted_anew(catalog: Catalog) -> None:
    for weight in (0.4, 0.6):
        note_pairs(catalog, [replace(pair(1, 2), weight=weight)], method="dgsa", job_id=JOB)

    assert catalog.lake.rows("SELECT weight FROM preference") == [(0.6,)]


def test_other_methods_and_rounds_are_left_alone(catalog: Catalog) -> None:
    by_words = replace(pair(5, 6), method="tdsc", objective="words")
    catalog.add([by_words])
    first, second = pair(1, 2), pair(3, 4, iteration=2)
    note_pairs(catalog, [first], method="dgsa", job_id=JOB, iteration=1)
    note_pairs(catalog, [second], method="dgsa", job_id=JOB, iteration=2)
    note_pairs(catalog, [], method="dgsa", job_id=JOB, iteration=1)

    assert standing(catalog) == {by_words, second}


def test_a_corpus_of_schema_6_keeps_its_pairs_as_those_of_no_job(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as catalog:
        catalog.add([pair(1, 2, job_id=None)])
        for column in ("job_id", "weight"):
            catalog.lake.run(f"ALTER TABLE preference DROP COLUMN {column}")
        catalog.lake.run("DELETE FROM migration WHERE version >= 7")

    with Catalog.create(tmp_path / "corpus") as catalog:
        assert standing(catalog) == {pair(1, 2, job_id=None)}
        note_pairs(catalog, [pair(1, 2)], method="dgsa", job_id=JOB)
        assert standing(catalog) == {pair(1, 2, job_id=None), pair(1, 2)}
