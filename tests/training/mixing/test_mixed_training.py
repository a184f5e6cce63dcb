"""Training on a mixture from recipe to recogniser: word times read, resumed in the middle, in two stages."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.errors import DataLeak, RecipeError, TrainingError
from catalogs.progress import SILENT
from catalogs.release import freeze, release_named
from synthgen.cli import app
from training import checkpoint, session
from training.backbones.encoders import TinyEncoderConfig
from training.curve import rows_of
from training.data import read_data
from training.evaluation.leaks import had_by
from training.interleaving.words import Timings
from training.members import members_in, members_of
from training.mixing.mixer import Mixer
from training.mixing.sources import sources_of
from training.recipe import TrainRecipe, parse_recipe
from training.session import Trained, each_once

from ..conftest import killed_behind_a_checkpoint
from .conftest import SPARE, TEXTS


@pytest.fixture
def table(corpus: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "small",
        "folder": str(tmp_path / "small"),
        "data": [{"corpus": str(corpus), "release": "timed", "split": None},
                 {"texts": str(corpus.parent / "spare.txt")}],
        "mixture": {"asr": 0.4, "interleaved": 0.4, "text": 0.2, "tokens": 600, "batch_tokens": 150},
        "encoder": {"name": "tiny"},
        "features": {"folder": str(corpus.parent / "features")},
        "objective": {"method": "jstip", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}},
        "optim": {"rate": 0.01, "warmup_steps": 2},
        "loop": {"epochs": 3, "threads": 1, "log_every": 1, "save_every": 2},
    }  # fmt: skip


def run(table: dict[str, Any]) -> Trained:
    return session.train(parse_recipe(table, source="test"), progress=SILENT)


def test_a_mixture_is_trained_on_and_transcribes(table: dict[str, Any], corpus: Path, tmp_path: Path) -> None:
    from training.evaluation.naming import recogniser_named

    found = run(table)

    rows = rows_of(found.folder)
    assert rows[-1]["loss"] < rows[0]["loss"]
    made = checkpoint.load(found.folder)
    assert all(name.startswith("projector.") for name in made.trained())
    assert made.provenance["recipe"]["mixture"]["choosing"]["granularity"] == "mixed"
    _, members = members_of(parse_recipe(table, source="test").data[0])
    recogniser = recogniser_named(str(found.folder))
    recogniser.prepare(members, SILENT)
    assert [answer.take_id for answer in recogniser.transcribe(members)] == [member.take_id for member in members]


def test_training_goes_on_bit_by_bit_in_the_middle_of_an_epoch(table: dict[str, Any], tmp_path: Path) -> None:
    whole = run(table)
    other = table | {"folder": str(tmp_path / "killed")}

    with killed_behind_a_checkpoint():
        run(other)
    assert checkpoint.load(tmp_path / "killed").position.steps_of_epoch == 2
    killed = run(other)

    assert [row["loss"] for row in rows_of(whole.folder)] == [row["loss"] for row in rows_of(killed.folder)]
    trained, resumed = (checkpoint.load(found.folder).trained() for found in (whole, killed))
    assert all(torch.equal(trained[name], resumed[name]) for name in trained)


def test_a_batch_of_texts_alone_teaches_a_projector_nothing(table: dict[str, Any]) -> None:
    mixture = {"asr": 0.1, "interleaved": 0.0, "text": 0.9, "batch_tokens": 1}

    found = run(table | {"mixture": mixture, "loop": table["loop"] | {"steps": 6}})

    assert len(rows_of(found.folder)) == found.steps == 6
    with pytest.raises(TrainingError, match=r"mixture\.text = 1: texts teach the language model, of which nothing"):
        run(table | {"name": "texts", "mixture": mixture | {"asr": 0.0, "text": 1.0}, "folder": f"{found.folder}-1"})


def test_two_stages_are_two_recipes(table: dict[str, Any], tmp_path: Path) -> None:
    first = run(table | {"loop": table["loop"] | {"steps": 2}})
    tuned = table["objective"] | {
        "language_model": {"name": "tiny", "lora": {"r": 2}},
        "projector_from": str(first.folder),
    }

    second = run(table | {"name": "second", "folder": str(tmp_path / "second"), "objective": tuned})

    names = checkpoint.load(second.folder).trained()
    assert any("lora_B" in name and tensor.abs().sum() > 0 for name, tensor in names.items())
    base = checkpoint.load(second.folder).provenance["base"]
    assert list(base["started_from"]) == ["objective.projector_from"]


def test_texts_that_were_read_in_training_are_known_to_the_guard(table: dict[str, Any], corpus: Path) -> None:
    found = run(table | {"loop": table["loop"] | {"steps": 1}})
    spare = corpus.parent / "spare.txt"

    assert set(SPARE) <= had_by(found.folder)["texts"].keys()

    kept = spare.read_text()
    spare.write_text(kept + "one more\n")
    try:
        with pytest.raises(DataLeak, match=r"spare\.txt"):
            had_by(found.folder)
        with pytest.raises(TrainingError, match="other texts"):
            run(table | {"loop": table["loop"] | {"steps": 1}})
    finally:
        spare.write_text(kept)


def test_a_release_without_word_times_is_named_with_the_command(table: dict[str, Any], corpus: Path) -> None:
    untimed = {"corpus": str(corpus), "release": "untimed", "split": None}

    with pytest.raises(TrainingError, match=r"'untimed' .* run `synthgen measure -c .* --metric timing`"):
        run(table | {"data": [*table["data"], untimed]})

    mixture = table["mixture"] | {"interleaved_of": ["timed"], "tokens": 300}
    elsewhere = {"folder": f"{table['folder']}-of-timed"}
    found = run(table | elsewhere | {"data": [*table["data"], untimed], "mixture": mixture})
    assert found.utterances == len(TEXTS) + len(SPARE) + 1


def test_an_encoder_that_cuts_off_the_end_fills_every_slot(table: dict[str, Any]) -> None:
    wavlm = {"name": "tiny", "kind": "wavlm-base"}

    found = run(table | {"encoder": wavlm, "loop": table["loop"] | {"steps": 1}})

    assert found.steps == 1
    assert replace(TinyEncoderConfig(), kind="wavlm-base").build().output_lengths([1600]) == [4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixture": {"asr": 0.9}}, "1 in all"),
        ({"objective": {"method": "ctc"}}, r"ctc is trained on whole takes: leave \[mixture\] out"),
        ({"sampling": {"batch_s": 3.0}}, r"leave \[sampling\] out"),
    ],
)
def test_mistakes_are_found_in_the_recipe(table: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(table | changes, source="test")


def test_entities_are_heard_and_the_rest_is_read_if_that_is_asked_for(corpus: Path, table: dict[str, Any]) -> None:
    choosing = {"granularity": "word", "entity_heard": 1.0}
    mixture = table["mixture"] | {"asr": 0.0, "interleaved": 0.8, "choosing": choosing}
    recipe = parse_recipe(table | {"mixture": mixture}, source="test")

    sources = sources_of(recipe.mixture, [read_data(config) for config in recipe.data])

    ours = {member.take_id for member in sources.interleaved if member.text == TEXTS[0]}
    assert {take_id: tuple(values) for take_id, values in sources.entities.items()} == dict.fromkeys(ours, ("light",))
    for alternation in ("heard_first", "read_first"):
        config = replace(sources.config, alternation=alternation, text=0.0, interleaved=1.0)
        mixer = Mixer(replace(sources, config=config), lambda _: 10, context=10, seed=0, epochs=1)
        parts = [part for draw, _ in mixer.plan(0) if draw.member.take_id in ours for part in draw.parts or ()]
        assert {part.modality for part in parts if part.text == "light,"} == {"speech"}


def test_broken_word_times_name_their_take(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = parse_recipe(table, source="test")
    found = [read_data(config) for config in recipe.data]
    take_id = found[0][1][0].take_id
    broken = {take_id: Timings(("turn", "on"), (0.0, 0.1), (0.3, 0.4), (0.0, 0.0))}
    monkeypatch.setattr("training.mixing.sources.timings_of", lambda *_: broken)

    with pytest.raises(TrainingError, match=rf"take {take_id} of \S+ has timed words that overlap"):
        sources_of(recipe.mixture, found)


def test_a_mixture_must_be_named(table: dict[str, Any]) -> None:
    del table["mixture"]

    with pytest.raises(RecipeError, match="mixture is missing"):
        parse_recipe(table, source="test")


@pytest.mark.parametrize(("key", "value"), [("asr_of", ["tmd"]), ("asr_shares", {"tmd": 1.0})])
def test_a_release_that_data_does_not_name_is_a_mistake(table: dict[str, Any], key: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=rf"mixture\.{key}: .*'tmd'"):
        run(table | {"mixture": table["mixture"] | {key: value}})


@pytest.fixture(scope="module")
def few(corpus: Path) -> str:
    """A release of two of the takes of "timed"."""
    with Catalog.create(corpus) as catalog, catalog.job("test"):
        takes = members_in(catalog, release_named(catalog, "timed"), split=None)
        return freeze(catalog, "few", take_ids=[take.take_id for take in takes[:2]], made_by="test").name


@pytest.mark.parametrize("order", [["timed", "few"], ["few", "timed"]])
def test_a_release_within_another_has_its_share_wherever_it_stands(
    table: dict[str, Any], corpus: Path, few: str, order: list[str]
) -> None:
    data = [{"corpus": str(corpus), "release": name, "split": None} for name in order]
    mixture = {"asr": 1.0, "interleaved": 0.0, "tokens": 600, "batch_tokens": 300}
    recipe = parse_recipe(
        table | {"data": data, "mixture": mixture | {"asr_shares": {"timed": 0.5, "few": 0.5}}}, source="test"
    )

    assert run(json.loads(recipe.definition) | {"folder": table["folder"]}).utterances == len(TEXTS)
    found = [read_data(config) for config in recipe.data]
    sources = sources_of(recipe.mixture, each_once(found, recipe.mixture, SILENT))
    assert {name: len(members) for name, members in sources.by_release.items()} == {"few": 2, "timed": len(TEXTS) - 2}


def test_a_share_of_a_release_that_others_have_had_is_a_share_of_nothing(
    table: dict[str, Any], corpus: Path, few: str
) -> None:
    timed = {"corpus": str(corpus), "release": "timed", "split": None}

    with pytest.raises(TrainingError, match=r"0\.5: the releases have no takes"):
        run(table | {"data": [timed, {**timed, "release": few}], "mixture": {"asr": 0.5, "interleaved": 0.5,
            "asr_of": [few], "tokens": 300}})  # fmt: skip


def test_the_command_evaluates_what_it_has_trained(table: dict[str, Any], corpus: Path) -> None:
    found = run(table | {"loop": table["loop"] | {"steps": 1}})

    done = CliRunner().invoke(app, ["evaluate", str(found.folder), "untimed", "-c", str(corpus), "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["num_takes"] == 1


def test_settings_that_came_later_leave_older_trainings_what_they_were(table: dict[str, Any]) -> None:
    def asked(**mixture: Any) -> TrainRecipe:
        return parse_recipe(table | {"mixture": table["mixture"] | mixture}, source="test")

    assert asked().id == asked(text_as="text").id
    assert "text_as" not in asked().definition
    assert "asr_shares" not in asked().definition
    assert len({asked().id, asked(text_as="answer").id, asked(asr_shares={"timed": 1.0}).id}) == 3
