import json
from pathlib import Path

import pytest

from catalogs.errors import InputError
from synthgen.spoken import Spoken, SpokenConfig

SPOKEN = SpokenConfig().build()


def lexicon_of(folder: Path, content: str, name: str = "lexicon.tsv") -> Spoken:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return SpokenConfig(lexicon=str(path)).build()


def test_lexicon_entries_are_whole_words_in_any_case_the_longest_first(tmp_path: Path) -> None:
    spoken = lexicon_of(tmp_path, "# ours\nSQL\tsequel\nNew York\tthe city\nYork\tYorktown\nC++\tC plus plus\n\n")

    assert (
        spoken("sql in NEW  YORK, MySQL, York and C++.", "en") == "sequel in the city, MySQL, Yorktown and C plus plus."
    )


def test_lexicon_entries_go_before_every_rule(tmp_path: Path) -> None:
    spoken = lexicon_of(tmp_path, "ATM\tcash machine\nmg\tmigs\n🙂\tsmile\nMI5\tM I five\n")

    assert spoken("The ATM, 5 mg 🙂 MI5", "en") == "The cash machine, five migs smile M I five"


def test_a_lexicon_serves_languages_that_do_not_part_their_words(tmp_path: Path) -> None:
    spoken = lexicon_of(tmp_path, "北京\tペキン\nका\tX\n")

    assert spoken("私は北京に行く", "ja") == "私はペキンに行く"
    assert spoken("कार का", "hi") == "कार X"


def test_a_lexicon_may_be_json(tmp_path: Path) -> None:
    spoken = lexicon_of(tmp_path, json.dumps({"Nguyen": "win"}), "lexicon.json")

    assert spoken("Mr. NGUYEN", "en") == "Mister win"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("one column\n", "line 1: expected written<TAB>spoken"),
        ("a\tb\nA\tc\n", "line 2: 'A' is given twice"),
        ("\tb\n", "the written form is empty"),
        ("IBM\tthe IBM company\n", "which another entry makes"),
    ],
)
def test_a_lexicon_with_a_mistake_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        lexicon_of(tmp_path, content)


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_json_lexicon_with_a_mistake_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"lexicon\.json"):
        lexicon_of(tmp_path, content, "lexicon.json")


def test_a_missing_lexicon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        SpokenConfig(lexicon=str(tmp_path / "none.tsv")).build()


def test_the_version_covers_options_and_lexicon_entries_but_not_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one = lexicon_of(tmp_path, "# first\nSQL\tsequel\nGIF\tjif\n")
    same = lexicon_of(tmp_path / "a", '{"gif": "jif", "sql": "sequel"}', "lexicon.json")
    other = lexicon_of(tmp_path, "SQL\tS Q L\n")

    versions = {
        SPOKEN.version,
        one.version,
        other.version,
        SpokenConfig(numbers=False).build().version,
        SpokenConfig(acronyms=False).build().version,
        SpokenConfig(dates="dmy").build().version,
    }

    assert one.version == same.version
    assert len(versions) == 6
    assert "num2words/" in SPOKEN.version
