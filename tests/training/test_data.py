"""Texts alone as data: from a file or a release, each once, and known to have been had."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.errors import RecipeError, TrainingError
from training.data import TextsConfig, parse_data, read_data
from training.evaluation.leaks import marks_of
from training.members import DataConfig, waves_of

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


def test_texts_of_a_release_count_once_however_many_read_them(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning", "one latte"], speakers=["anna", "bela"])

    source, members = read_data(TextsConfig("told", corpus=str(corpus), split=None))

    assert sorted(member.text for member in members) == ["good morning", "one latte"]
    assert source.name == "told"


def test_what_was_read_as_a_text_has_been_had(tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_text("A large tea\n")

    marks = dict(marks_of(read_data(TextsConfig(str(tmp_path / "menu.txt")))[1][0]))

    assert marks["texts"] == "a large tea"
    assert "speakers" not in marks


def test_a_method_that_hears_refuses_texts(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning"], speakers=["anna"])
    (tmp_path / "menu.txt").write_text("a large tea\n")

    data = [{"texts": str(tmp_path / "menu.txt")}]

    with pytest.raises(TrainingError, match="no encoder frames"):
        train_on("told", tmp_path, corpus, "ctc", {"method": "ctc"}, data=data)


def test_texts_that_are_not_there_are_missed(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nowhere.txt cannot be read"):
        read_data(TextsConfig("nowhere.txt"))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(TrainingError, match="has no text"):
        read_data(TextsConfig(str(tmp_path / "empty.txt")))


def test_a_table_is_of_texts_if_it_names_some() -> None:
    assert isinstance(parse_data({"corpus": "c", "release": "r"}, source="data.0"), DataConfig)
    assert isinstance(parse_data({"texts": "t"}, source="data.0"), TextsConfig)
    with pytest.raises(RecipeError, match="release"):
        parse_data({"texts": "t", "release": "r"}, source="data.0")
