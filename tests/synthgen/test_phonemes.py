"""Texts as clauses of phonemes."""

import pytest

from synthgen.espeak import Espeak
from synthgen.phonemes import Clause, clauses_of, pack, sentences_of


@pytest.fixture(scope="module")
def library() -> Espeak:
    return Espeak()


def read(text: str, library: Espeak) -> list[str]:
    return [str(clause) for clause in clauses_of(text, library, language="en-us")]


def test_punctuation_stays_between_the_phonemes(library: Espeak) -> None:
    assert read("Hello, you! Is it so?", library) == ["həlˈoʊ,", "juː!", "ɪz ɪt sˈoʊ?"]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("about 3.5 at 10:30", [""]),
        ("three thousand (3,000) people", [""]),
        ('"Stop!" he said', ["!", ""]),
        ("so... what", ["…", ""]),
        ("what?!", ["?"]),
        ("yes — no", ["—", ""]),
        ("one\ntwo\n", [".", "."]),
        ("first。second，third", [".", ",", ""]),
        ("¿que?", ["?"]),
    ],
)
def test_a_mark_ends_a_clause_where_a_reader_would_pause(library: Espeak, text: str, marks: list[str]) -> None:
    assert [clause.mark for clause in clauses_of(text, library, language="en-us")] == marks


@pytest.mark.parametrize("text", ["", " ", "…", "— !?", "\x07"])
def test_a_text_that_says_nothing_has_no_clauses(library: Espeak, text: str) -> None:
    assert read(text, library) == []


def test_sentences_end_at_full_stops_not_at_commas() -> None:
    clauses = [Clause("a", ","), Clause("b", "."), Clause("c", "?"), Clause("d", "")]

    assert sentences_of(clauses) == [clauses[:2], clauses[2:3], clauses[3:]]


def test_runs_are_as_few_as_fit_and_lose_nothing() -> None:
    clauses = [Clause("aaaa", ","), Clause("bbbb", "."), Clause("cc cc cc cc", "!"), Clause("d" * 25, "")]

    runs = pack(clauses, limit=11)

    assert runs == ["aaaa, bbbb.", "cc cc cc", "cc!", "ddddddddddd", "ddddddddddd", "ddd"]


def test_words_of_a_long_clause_are_packed_together() -> None:
    runs = pack([Clause("ab " * 400, ".")], limit=100)

    assert all(90 < len(run) <= 100 for run in runs[:-1])
