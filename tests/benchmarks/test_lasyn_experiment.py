"""The LaSyn experiment: what its rows are given, without training them."""

from functools import cache
from pathlib import Path

import pytest

from benchmarks.lasyn import models
from benchmarks.lasyn.models import CLAIMS, DIFFUSION, FIXED, REAL, RECOGNISERS, ROWS, TTS, Experiment
from training.recipe import TrainRecipe


@cache
def trained_for(recogniser: str, name: str) -> tuple[Path, list[TrainRecipe]]:
    """The folder of a row, and the recipes of all that would be trained for it, itself the last."""
    asked: list[TrainRecipe] = []
    experiment = Experiment(Path("asr"), Path("work"), RECOGNISERS[recogniser], 2, asked.append)
    return experiment.row(name, seed=1), asked


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("recogniser", RECOGNISERS)
def test_every_row_has_equal_steps_and_goes_on_from_the_guide(recogniser: str, name: str) -> None:
    folder, asked = trained_for(recogniser, name)
    guide, row = asked[0], asked[-1]
    _, base = trained_for(recogniser, REAL)

    assert (row.folder, row.loop.seed, row.loop.threads) == (folder, 1, 2)
    assert (row.loop.steps, row.sampling.batch_s) == (base[-1].loop.steps, base[-1].sampling.batch_s)
    assert row.optim == base[-1].optim
    table = row.table()
    started = table["objective"]["guide_from"] if ROWS[name].made else table["start_from"]
    assert (guide.name, str(guide.folder)) == ("guide", started)
    heard = [f"release '{RECOGNISERS[recogniser].real}' of work/real"]
    heard += ["release 'orders' of asr/orders"] if ROWS[name].heard else []
    texts = {str(data) for data in row.data} - set(heard)
    assert [str(data) for data in row.data][: len(heard)] == heard
    assert len(texts) == (ROWS[name].made is not None)


@pytest.mark.parametrize("recogniser", RECOGNISERS)
def test_a_row_differs_from_real_speech_in_what_stands_beside_it(recogniser: str) -> None:
    rows = {name: trained_for(recogniser, name)[1][-1] for name in ROWS}

    assert len({row.id for row in rows.values()}) == len({str(row.folder) for row in rows.values()}) == len(ROWS)
    assert set(CLAIMS) <= set(rows)
    assert (rows[REAL].sampling.texts, rows[REAL].sampling.real) == (None, None)
    assert (rows[TTS].sampling.texts, rows[TTS].sampling.real) == (None, (0.5,))
    assert rows[FIXED].sampling == rows[DIFFUSION].sampling
    made_by = [rows[name].table()["objective"]["synthesiser_from"] for name in (FIXED, DIFFUSION)]
    assert [Path(folder).name for folder in made_by] == ["fixed", "diffusion"]


def test_who_understands_begins_with_all_that_whisper_has() -> None:
    of = {name: trained_for(name, FIXED) for name in ("whisper", "slu")}

    (before, theirs), (folder, ours) = of["whisper"], of["slu"]

    assert [recipe.table() for recipe in ours[:-1]] == [recipe.table() for recipe in theirs[:-1]]
    assert {recipe.folder.parent for recipe in ours[:-1]} == {before.parent} == {Path("work/models-whisper")}
    assert folder.parent == Path("work/models-slu")
    tables = [recipes[-1].table()["objective"] for recipes in (theirs, ours)]
    assert [table["recogniser"].get("writes", "text") for table in tables] == ["text", "labels"]
    assert [table["synthesiser_from"] for table in tables] == ["work/models-whisper/fixed"] * 2
    assert [str(recipes[-1].data[0]) for recipes in (theirs, ours)] == [
        "release 'real-libri' of work/real", "release 'real' of work/real",
    ]  # fmt: skip
    for name in ("guide", "fixed"):
        assert RECOGNISERS["slu"].recipe(name) == RECOGNISERS["whisper"].recipe(name)
    rows = [RECOGNISERS[name].recipe("row") for name in ("slu", "whisper")]
    assert [row.pop("loop")["steps"] for row in rows] == [120, 60]
    assert [row.pop("optim")["rate"] for row in rows] == [1e-4, 3e-5]
    assert rows[0] == rows[1]


def test_a_recogniser_has_the_rows_that_there_are_recipes_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "RECIPES", tmp_path)
    (tmp_path / "whisper").mkdir()
    slu = RECOGNISERS["slu"]

    without = slu.rows()
    (tmp_path / "whisper" / "row.toml").touch()
    heard = slu.rows()
    (tmp_path / "whisper" / "fixed.toml").touch()
    made = slu.rows()

    assert (without, heard) == ([], [REAL, TTS])
    assert made == [name for name, row in ROWS.items() if "diffusion" not in str(row.made)]


def test_codes_that_are_heard_go_on_from_those_that_are_not() -> None:
    _, asked = trained_for("whisper", "+ LaSyn, heard diffusion")

    by_name = {recipe.name: recipe for recipe in asked}
    codes, heard, made = (by_name[name] for name in ("codes", "heard-codes", "heard-diffusion"))
    assert heard.start_from == str(codes.folder)
    assert heard.table()["objective"].pop("hearing") == {"guide_from": str(by_name["guide"].folder), "weight": 0.2}
    assert made.table()["objective"]["autoencoder_from"] == str(heard.folder)
    assert codes.table()["objective"]["autoencoder"] == heard.table()["objective"]["autoencoder"]


def test_the_noisier_diffusion_is_on_the_same_codes() -> None:
    asked = [trained_for("whisper", f"+ LaSyn, heard diffusion{more}")[1] for more in ("", ", more noise")]

    as_before, noisier = (
        next(recipe for recipe in of_row if recipe.name.endswith("diffusion")).table()["objective"] for of_row in asked
    )
    assert (as_before.pop("diffusion")["voice"], noisier.pop("diffusion")["noise"]["mean"]) == (True, -0.5)
    assert as_before == noisier


@pytest.mark.parametrize("recogniser", RECOGNISERS.values(), ids=RECOGNISERS)
def test_all_rows_are_there(recogniser: models.Recogniser) -> None:
    assert recogniser.rows() == list(ROWS)
