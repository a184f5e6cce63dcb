"""Texts alone as data: from a file or a release, each once, and known to have been had."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.errors import RecipeError, TrainingError
from catalogs.records import Slot
from training.data import TextsConfig, parse_data, read_data, text_member
from training.evaluation.leaks import marks_of
from training.inputs import utterance_of
from training.labels import UNLABELLED, Labels
from training.members import DataConfig, waves_of
from training.sampling import Draw

from .conftest import train_on


def test_lines_of_a_file_are_members_without_audio(tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_text("a large tea\n\n two lattes \na large tea\n")

    source, members = read_data(TextsConfig(str(tmp_path / "menu.txt")))

    assert sorted(member.text for member in members) == ["a large tea", "two lattes"]
    assert [member.take_id for member in members] == sorted(member.take_id for member in members)
    assert all(member.is_synthetic and member.place is None for member in members)
    assert source.id == read_data(TextsConfig(str(tmp_path / "menu.txt")))[0].id
    with pytest.raises(TrainingError, match="a text alone"):
        waves_of(members)


def test_a_line_ends_at_a_newline_and_at_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_bytes("a\u2028large\x0ctea\r\n\r\ntwo\x85lattes\n".encode())

    _, members = read_data(TextsConfig(str(tmp_path / "menu.txt")))

    assert {member.text for member in members} == {"a\u2028large\x0ctea", "two\x85lattes"}


def test_the_mark_that_some_editors_begin_a_file_with_is_no_part_of_its_first_text(tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_text("a large tea\ntwo lattes\n")
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbfa large tea\r\ntwo lattes\r\n")

    (plain, members), (marked, same) = (
        read_data(TextsConfig(str(tmp_path / name))) for name in ("menu.txt", "marked.txt")
    )

    assert (same, marked.id) == (members, plain.id)


def test_texts_of_a_release_count_once_however_many_read_them(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning", "one latte"], speakers=["anna", "bela"])

    source, members = read_data(TextsConfig("told", corpus=str(corpus), split=None))

    assert sorted(member.text for member in members) == ["good morning", "one latte"]
    assert source.name == "told"


def test_texts_of_a_release_are_written_and_spoken_as_its_transcripts_are(
    produce: Callable[..., Path], tmp_path: Path
) -> None:
    corpus = str(produce(tmp_path, "told", prompts=["It costs $5, Dr. Lee.", "one latte"], speakers=["anna"]))

    (_, heard), (_, read) = (
        read_data(config)
        for config in (DataConfig(corpus, "told", split=None), TextsConfig("told", corpus=corpus, split=None))
    )

    assert {(m.text, m.spoken) for m in read} == {(m.text, m.spoken) for m in heard}
    assert {m.spoken for m in read if m.text != m.spoken} == {"It costs five dollars, Doctor Lee."}
    assert text_member("one latte").take_id in {m.take_id for m in read}
    assert {mark for m in read for _, mark in marks_of(m)} >= {"it costs $5 doctor lee", "one latte"}


def test_what_was_read_as_a_text_has_been_had(tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_text("A large tea\n")

    marks = dict(marks_of(read_data(TextsConfig(str(tmp_path / "menu.txt")))[1][0]))

    assert marks["texts"] == "a large tea"
    assert "speakers" not in marks


def test_a_method_that_hears_refuses_texts(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning"], speakers=["anna"])
    (tmp_path / "menu.txt").write_text("a large tea\n")

    data = [{"texts": str(tmp_path / "menu.txt")}]

    with pytest.raises(TrainingError, match=r"the 1 texts of the list of texts .* have no audio, and ctc has to hear"):
        train_on("told", tmp_path, corpus, "ctc", {"method": "ctc"}, data=data)


ORDERS = [
    {"text": "one small latte", "intent": "order", "slots": {"size": "small"}, "entities": [["drink", "latte"]]},
    {"text": "is it raining"},
]


def test_labels_of_a_release_come_along_heard_or_read(produce: Callable[..., Path], tmp_path: Path) -> None:
    orders = [{**ORDERS[0], "entities": [{"type": "drink", "value": "latte"}]}, ORDERS[1]]
    corpus = str(produce(tmp_path, "orders", prompts=orders, speakers=["anna"]))
    expected = Labels("order", (Slot("size", "small"),), (Slot("drink", "latte"),))

    for config in (DataConfig(corpus, "orders", split=None), TextsConfig("orders", corpus=corpus, split=None)):
        found = {member.text: member.labels for member in read_data(config)[1]}
        assert found == {"one small latte": expected, "is it raining": UNLABELLED}
        member = read_data(config)[1][0]
        assert utterance_of(Draw(member, 0)).labels == member.labels
    assert expected.values == (Slot("size", "small"), Slot("drink", "latte"))
    assert bool(expected)
    assert not UNLABELLED


def test_a_file_of_prompts_has_labels_and_the_first_of_a_text_count(tmp_path: Path) -> None:
    rows = [
        {"text": "one latte", "intent": "order", "slots": {"number": "one"}},
        {"text": "one latte", "intent": "ask"},
        {"text": "what time is it", "entities": [{"name": "topic", "value": "time"}]},
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    source, members = read_data(TextsConfig(str(path)))

    found = {member.text: member.labels for member in members}
    assert found["one latte"] == Labels("order", (Slot("number", "one"),))
    assert found["what time is it"] == Labels(entities=(Slot("topic", "time"),))
    plain, known = read_data(TextsConfig(str(_lines(tmp_path, [str(row["text"]) for row in rows]))))
    assert [member.take_id for member in known] == [member.take_id for member in members]
    assert source.id != plain.id
    path.write_text(path.read_text().replace('"ask"', '"tell"'))
    assert read_data(TextsConfig(str(path)))[0].id != source.id


def test_a_file_that_is_not_there_is_told_with_how_a_release_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as missing:
        read_data(TextsConfig(str(tmp_path / "demo")))
    with pytest.raises(TrainingError, match="is a folder; expected a UTF-8 file"):
        read_data(TextsConfig(str(tmp_path)))

    assert str(missing.value).startswith(f"data.texts: there is no file {tmp_path / 'demo'}; texts of a release")
    assert f"corpus = ..., texts = '{tmp_path / 'demo'}'" in str(missing.value)


def test_a_row_that_is_no_prompt_is_named(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"text": "one latte"}\n{"text": "two", "slots": 3}\n')

    with pytest.raises(TrainingError, match=r"orders.jsonl:2"):
        read_data(TextsConfig(str(path)))
    with pytest.raises(TrainingError, match=r"data.texts: there is no file"):
        read_data(TextsConfig(str(tmp_path / "none.jsonl")))


def _lines(folder: Path, texts: list[str]) -> Path:
    (folder / "texts.txt").write_text("\n".join(texts))
    return folder / "texts.txt"


def test_texts_that_are_not_there_are_missed(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"there is no file nowhere\.txt; texts of a release are named beside its"):
        read_data(TextsConfig("nowhere.txt"))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(TrainingError, match="has no text"):
        read_data(TextsConfig(str(tmp_path / "empty.txt")))


def test_a_table_is_of_texts_if_it_names_some() -> None:
    assert isinstance(parse_data({"corpus": "c", "release": "r"}, source="data.0"), DataConfig)
    assert isinstance(parse_data({"texts": "t"}, source="data.0"), TextsConfig)
    with pytest.raises(RecipeError, match="release"):
        parse_data({"texts": "t", "release": "r"}, source="data.0")
