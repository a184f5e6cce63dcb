import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.errors import RecipeError, ReleaseError, TrainingError
from catalogs.progress import Progress
from training import checkpoint, session
from training.augmentation import variants
from training.augmentation.step import Lengthening
from training.checks import check_heard, look_over, tell_of_shares
from training.curve import rows_of
from training.data import text_member
from training.inputs import _share_of, loaded
from training.members import Member, members_of
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Epochs
from training.session import Trained

from .conftest import killed_behind_a_checkpoint

QUIET = Progress(quiet=True)
TEXTS = ("good morning", "see you at nine", "lights off please", "a large tea", "what is due today", "pay my bill")

AUGMENTED = {
    "augmentation": {
        "variants": 2,
        "steps": [{"step": "noise", "probability": 0.9}, {"step": "room", "probability": 0.5}, {"step": "codec"}],
    }
}

Produce = Callable[..., Path]
Recipe = Callable[..., TrainRecipe]


@pytest.fixture(scope="module")
def corpus(produce: Produce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with a release "told": six texts by two tone voices."""
    return produce(tmp_path_factory.mktemp("trained"), "told", prompts=TEXTS, speakers=["anna", "bela"])


@pytest.fixture
def table(corpus: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "small",
        "folder": str(tmp_path / "small"),
        "data": [{"corpus": str(corpus), "release": "told"}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(tmp_path / "features")},
        "objective": {"method": "ctc"},
        "sampling": {"batch_s": 5.0},
        "optim": {"rate": 0.01, "warmup_steps": 2},
        "loop": {"epochs": 4, "threads": 1, "log_every": 1, "save_every": 2},
    }


def run(table: dict[str, Any]) -> Trained:
    return session.train(parse_recipe(table, source="test"), progress=QUIET)


def test_a_release_becomes_a_checkpoint_that_knows_where_it_comes_from(table: dict[str, Any], corpus: Path) -> None:
    found = run(table)

    made = checkpoint.load(found.folder)
    rows = rows_of(found.folder)
    assert found.utterances == 2 * len(TEXTS)
    assert rows[-1]["step"] == found.steps == made.position.step
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert (found.folder / "curve.svg").read_text().startswith("<?xml")
    with Catalog.open(corpus) as catalog:
        ((release_id,),) = catalog.lake.rows("SELECT id::VARCHAR FROM release")
    assert made.provenance["releases"] == [{"id": release_id, "name": "told"}]
    assert made.provenance["recipe"]["objective"]["method"] == "ctc"


def test_a_language_model_learns_to_listen_by_the_same_command(table: dict[str, Any]) -> None:
    listener = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}}

    found = run(table | {"objective": listener})

    rows = rows_of(found.folder)
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert {"correct"} <= rows[0].keys()
    assert all(name.startswith("projector") for name in checkpoint.load(found.folder).trained())


def test_a_training_of_fewer_steps_than_a_row_is_of_has_its_loss_and_its_curve(table: dict[str, Any]) -> None:
    found = run(table | {"loop": {**table["loop"], "steps": 3, "log_every": 10, "save_every": 10}})

    (row,) = rows_of(found.folder)
    assert (found.steps, row["step"], found.loss) == (3, 3, row["loss"])
    assert (found.folder / "curve.svg").exists()


def test_a_frozen_encoder_hears_every_take_once(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run(table)
    monkeypatch.setattr(variants, "waves_of", lambda _: pytest.fail("heard again"))

    run(table | {"name": "again", "folder": f"{table['folder']}-again"})


def test_a_training_that_is_done_hears_nothing_again(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(table)
    shutil.rmtree(table["features"]["folder"])
    monkeypatch.setattr(variants, "waves_of", lambda _: pytest.fail("heard again"))

    assert run(table) == first


def test_planned_variants_are_encoded_counted_and_heard(table: dict[str, Any]) -> None:
    said = io.StringIO()
    session.train(parse_recipe(table | AUGMENTED, source="test"), progress=Progress(said))

    made = checkpoint.load(Path(table["folder"]))
    (part,) = Path(table["features"]["folder"]).glob("*/part-*.safetensors")
    with safe_open(part, framework="pt") as file:
        names = [name.split(".") for name in file.keys()]  # noqa: SIM118  # it is no dictionary
    assert f"encoding {len(names)}/{len(names)}" in said.getvalue()
    assert {name[-1] for name in names} == {"0", "1", "2"}
    assert {name[1] for name in names if name[-1] != "0"} == {made.provenance["augmentation"]}
    assert made.provenance["recipe"]["augmentation"]["steps"][0]["snr_db"] == [5.0, 25.0]


def test_training_on_variants_goes_on_bit_by_bit(table: dict[str, Any], tmp_path: Path) -> None:
    augmented = table | AUGMENTED
    whole = run(augmented)
    other = augmented | {"folder": str(tmp_path / "killed"), "features": {"folder": str(tmp_path / "anew")}}

    with killed_behind_a_checkpoint():
        run(other)
    killed = run(other)

    losses, again = ([row["loss"] for row in rows_of(found.folder)] for found in (whole, killed))
    assert losses == again
    trained, resumed = (checkpoint.load(found.folder).trained() for found in (whole, killed))
    assert all(torch.equal(trained[name], resumed[name]) for name in trained)


def test_another_recipe_does_not_go_on_in_the_same_folder(table: dict[str, Any]) -> None:
    run(table)

    with pytest.raises(TrainingError, match="holds another training"):
        run(table | {"optim": {"rate": 0.02}})


def test_a_corrected_recipe_has_the_folder_in_which_nothing_was_trained(table: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError):
        run(table | {"data": [table["data"][0] | {"release": "mistyped"}]})

    assert run(table).steps > 0


def test_all_mistakes_of_a_recipe_are_told_at_once() -> None:
    table = {"name": "x", "dta": [], "encoder": {"name": "tny"}, "loop": {"epochs": 0}, "sampling": {"batch": 3}}

    with pytest.raises(RecipeError) as caught:
        parse_recipe(table, source="wrong.toml")

    for part in ("'dta'", "data is missing", "objective is missing", "tny", "loop.epochs", "batch"):
        assert part in str(caught.value)


def test_a_release_that_is_not_there_names_those_that_are(table: dict[str, Any], corpus: Path) -> None:
    with pytest.raises(ReleaseError, match="known: told"):
        run(table | {"data": [{"corpus": str(corpus), "release": "tld"}]})


def test_a_split_without_takes_is_nothing_to_train_on(table: dict[str, Any], corpus: Path) -> None:
    with pytest.raises(ReleaseError, match="has no takes of split 'devel'; known: train"):
        run(table | {"data": [{"corpus": str(corpus), "release": "told", "split": "devel"}]})


def test_the_command_trains_and_says_where(table: dict[str, Any], tmp_path: Path) -> None:
    from synthgen.cli import app

    toml = [f'name = "small"\nfolder = "{table["folder"]}"']
    toml += [f'[[data]]\ncorpus = "{table["data"][0]["corpus"]}"\nrelease = "told"']
    for key in ("encoder", "features", "objective", "sampling", "optim", "loop"):
        toml.append(f"[{key}]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in table[key].items()))
    (tmp_path / "small.toml").write_text("\n".join(toml))

    done = CliRunner().invoke(app, ["train", str(tmp_path / "small.toml"), "-o", "loop.epochs=1", "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["utterances"] == 12


def test_a_take_in_two_releases_is_heard_as_one(table: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    twice = table | {"data": table["data"] * 2}

    found = session.train(parse_recipe(twice, source="test"), progress=Progress())

    assert found.utterances == 2 * len(TEXTS)
    assert "12 takes or texts are in several tables of data" in capsys.readouterr().err


def test_what_is_too_long_is_told(table: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    durations = sorted(member.duration_s for member in members_of(parse_recipe(table, source="test").data[0])[1])
    short = table | {"data": [{**table["data"][0], "max_s": durations[5]}]}

    found = session.train(parse_recipe(short, source="test"), progress=Progress())

    left_out = sum(each > durations[5] for each in durations)
    assert found.utterances == len(durations) - left_out
    assert f"{left_out} takes are longer than data.max_s, and left out" in capsys.readouterr().err


def test_takes_that_an_augmentation_makes_too_long_are_found_before_training(table: dict[str, Any]) -> None:
    """Whisper hears 2 s here; nothing is longer, but read at two thirds of the tempo some are."""
    durations = [member.duration_s for member in members_of(parse_recipe(table, source="test").data[0])[1]]
    window_s = 1.2 * max(durations)
    slow = {"variants": 1, "steps": [{"step": "perturbation", "kinds": ["stretch"], "tempo": [0.5, 1.0]}]}
    recipe = parse_recipe(table | {"augmentation": slow}, source="test")

    class Heard:
        longest_s = window_s

    members = [member for config in recipe.data for member in members_of(config)[1]]
    lengthening = recipe.augmentation.build(members).lengthening
    check_heard(recipe, cast("Any", Heard()), members, lengthening=Lengthening())
    with pytest.raises(TrainingError, match=rf"has made them longer: give data\.max_s = {window_s / 2:.1f}"):
        check_heard(recipe, cast("Any", Heard()), members, lengthening=lengthening)


def test_takes_that_ctc_has_no_room_for_are_told_and_refused_if_they_are_all(
    table: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = parse_recipe(table, source="test")
    members = [member for config in recipe.data for member in members_of(config)[1]]
    cut = [replace(member, duration_s=0.1) for member in members]
    inputs, objective = loaded(recipe)

    def look(these: Sequence[Member]) -> str:
        look_over(recipe, objective, inputs, these, progress=Progress())
        return capsys.readouterr().err

    assert look(members) == ""
    assert f"1 of {len(members)} takes teach nothing" in look([*members[1:], cut[0]])
    with pytest.raises(TrainingError, match=rf"{members[0].take_id}, first of them, has \d+ in 0\.10 s, and its text"):
        look(cut)
    with pytest.raises(TrainingError, match=r"ctc\.alphabet"):
        look([replace(members[0], spoken="crème brûlée")])


@pytest.mark.parametrize("method", ["ctc", "transducer", "slu"])
def test_a_text_that_cannot_be_written_is_told_before_anything_is_heard(table: dict[str, Any], method: str) -> None:
    recipe = parse_recipe(table | {"objective": {"method": method}}, source="test")
    members = [member for config in recipe.data for member in members_of(config)[1]]
    inputs, objective = loaded(recipe)

    look_over(recipe, objective, inputs, members, progress=QUIET)

    with pytest.raises(TrainingError, match=rf"{members[0].take_id}: .* 'û', which {method}\.alphabet lacks"):
        look_over(recipe, objective, inputs, [*members[1:], replace(members[0], spoken="voilû")], progress=QUIET)


@pytest.mark.parametrize("changed", ["encoder", "augmentation", "models"])
def test_nothing_goes_on_over_other_weights_or_files(table: dict[str, Any], changed: str) -> None:
    """The recipe says the same, and what it names is another by now."""
    found = run(table)
    about = checkpoint.load(found.folder).folder / checkpoint.ABOUT
    told = json.loads(about.read_text())
    where = told["provenance"] if changed != "models" else told["provenance"]["base"]
    where[changed] = {"objective.texts": "0" * 64} if changed == "models" else "another"
    about.write_text(json.dumps(told))

    with pytest.raises(TrainingError, match=r"put (back those|them back)"):
        run(table)


def test_processes_share_what_is_to_be_encoded_by_content(table: dict[str, Any]) -> None:
    """However much of it each of them sees, together they hear all of it, and nothing twice."""
    keys = [f"{number:064x}.0" for number in range(400)]

    shares = [{key for key in keys if _share_of(key, 3) == rank} for rank in range(3)]

    assert sorted(key for share in shares for key in share) == keys
    assert min(len(share) for share in shares) > 100
    late = [key for key in keys[200:] if _share_of(key, 3) == 1]
    assert set(late) == shares[1] & set(keys[200:])


@pytest.mark.parametrize(
    ("sampling", "loop", "is_told"),
    [
        ({"real": [0.0, 0.0]}, {"epochs": 1000, "steps": 3}, False),
        ({"texts": [0.0, 0.5]}, {"epochs": 1000, "steps": 3}, True),
        ({"texts": [0.0, 0.5]}, {"epochs": 2, "steps": 1000}, False),
    ],
)
def test_shares_that_will_not_come_to_their_end_are_told(
    table: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    sampling: dict[str, Any],
    loop: dict[str, Any],
    is_told: bool,  # a parameter
) -> None:
    recipe = parse_recipe(
        table | {"sampling": {"batch_s": 5.0, **sampling}, "loop": {**table["loop"], **loop}}, source="test"
    )
    members = members_of(recipe.data[0])[1]
    members.append(text_member("a small tea"))
    epochs = Epochs(members, recipe.sampling, seed=0, epochs=recipe.loop.epochs)

    tell_of_shares(recipe, epochs, epochs.schedule(1, steps=recipe.loop.steps)[0], progress=Progress())

    told = capsys.readouterr().err
    assert ("shares of sampling.texts change over loop.epochs = 1,000, and about 1 are heard" in told) == is_told


def test_a_training_of_an_earlier_version_that_noted_fewer_files_goes_on(table: dict[str, Any]) -> None:
    found = run(table)
    for step in found.folder.glob("step-*"):
        about = step / checkpoint.ABOUT
        told = json.loads(about.read_text())
        told["provenance"]["base"]["models"] = {}
        about.write_text(json.dumps(told))

    assert run(table).steps == found.steps


def test_a_projector_of_another_encoder_is_no_start(table: dict[str, Any], tmp_path: Path) -> None:
    listener = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}}
    first = run(table | {"objective": listener})
    on = {"name": "on", "folder": str(tmp_path / "on"), "objective": listener | {"projector_from": str(first.folder)}}

    with pytest.raises(TrainingError, match=r"trained with encoder = .*give both recipes the same \[encoder\]"):
        run(table | on | {"encoder": {"name": "tiny", "seed": 5}})
    with pytest.raises(TrainingError, match=r"trained with features\.layers = \[-1\], not \[1\]"):
        run(table | on | {"features": {**table["features"], "layers": [1]}})
    assert run(table | on).steps
