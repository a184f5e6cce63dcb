"""From a release and a file of texts to a recogniser, by the same command, one recipe after the other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from safetensors.torch import save_file
from typer.testing import CliRunner

from catalogs.errors import DataLeak, TrainingError
from catalogs.progress import Progress
from synthgen.cli import app
from training import checkpoint, session
from training.alphabet import ENGLISH
from training.answering import DecodingConfig
from training.curve import rows_of
from training.data import TextsConfig, read_data
from training.evaluation.leaks import had_by, overlaps
from training.evaluation.trained import recogniser_of
from training.members import DataConfig, members_of
from training.recipe import parse_recipe

pytest.importorskip("pocketsphinx")

SPLIT = 1
Train = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lasyn")


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], folder: Path) -> Path:
    (folder / "menu.txt").write_text("a large tea\ntwo small cakes\nmilk please\n")
    return produce(folder, "told", prompts=["good morning", "see you at nine", "one small tea"], speakers=["anna"])


@pytest.fixture(scope="module")
def train(folder: Path, corpus: Path) -> Train:
    heard = {"corpus": str(corpus), "release": "told", "split": None}

    def run(name: str, objective: dict[str, Any], *, data: str = "both", texts: str = "menu.txt", **more: Any) -> Path:
        read = {"texts": str(folder / texts)}
        digits = {"corpus": str(folder / "digits"), "release": "said", "split": None}
        table = {
            "name": name,
            "folder": str(folder / name),
            "data": {
                "heard": [heard],
                "read": [read],
                "both": [heard, read],
                "digits": [digits],
                "digits and texts": [digits, read],
            }[data],
            "encoder": {"name": "tiny"},
            "features": {"folder": str(folder / "features"), "layers": [SPLIT]},
            "objective": objective,
            "loop": {"epochs": 2, "threads": 1, "log_every": 1, "save_every": 1},
        }
        return session.train(parse_recipe(table | more, source="test"), progress=Progress(quiet=True)).folder

    return run


@pytest.fixture(scope="module")
def guide(train: Train) -> str:
    return str(train("guide", {"method": "ctc", "split": SPLIT}, data="heard"))


@pytest.fixture(scope="module")
def fixed(train: Train, guide: str) -> str:
    objective = {"method": "lasyn_fixed", "guide_from": guide, "synthesiser": {"filters": 16}}
    return str(train("fixed", objective, data="read"))


@pytest.fixture(scope="module")
def diffusion(train: Train) -> str:
    codes = {"method": "lasyn_autoencoder", "split": SPLIT, "autoencoder": {"channels": 4, "hidden": 16}}
    small = {"denoiser": {"width": 16}, "diffusion": {"voice": True}}
    codes_from = str(train("codes", codes, data="heard"))
    return str(train("diffusion", {"method": "lasyn_diffusion", "autoencoder_from": codes_from, **small}, data="heard"))


def dual(guide: str, synthesiser: str, **settings: Any) -> dict[str, Any]:
    recogniser = {"method": "ctc", "split": SPLIT}
    made_by = {"guide_from": guide, "synthesiser_from": synthesiser, "sampler": {"steps": 2}}
    return {"method": "lasyn", "recogniser": recogniser, **made_by, **settings}


def test_a_recogniser_learns_from_speech_and_texts_and_knows_both(
    train: Train, guide: str, fixed: str, folder: Path, corpus: Path
) -> None:
    found = train("dual", dual(guide, fixed), sampling={"texts": [1.0, 0.5], "size": 4})

    rows, made = rows_of(found), checkpoint.load(found)
    assert rows[0]["made"] * rows[0]["targets"] == pytest.approx(4)
    assert rows[-1]["made"] * rows[-1]["targets"] == pytest.approx(2)
    assert [source["name"] for source in made.provenance["releases"]] == ["told", str(folder / "menu.txt")]
    assert set(made.provenance["base"]["started_from"]) == {"objective.guide_from", "objective.synthesiser_from"}
    had = had_by(found)
    _, read = read_data(TextsConfig(str(folder / "menu.txt")))
    _, heard = members_of(DataConfig(str(corpus), "told", split=None))
    assert {overlap.kind for overlap in overlaps(read, had)} == {"takes", "texts"}
    assert {overlap.kind for overlap in overlaps(heard, had)} == {"takes", "speakers", "texts"}
    recogniser = recogniser_of(found, DecodingConfig(beams=1), features=folder / "features")
    recogniser.prepare(heard, Progress(quiet=True))
    assert len(recogniser.transcribe(heard)) == len(heard)


def test_diffusion_makes_latents_for_it_as_well(train: Train, guide: str, diffusion: str) -> None:
    found = train("diffused", dual(guide, diffusion))

    assert all(row["loss"] > 0 for row in rows_of(found))


def test_the_autoencoder_is_still_the_one_that_diffusion_was_trained_on(
    train: Train, diffusion: str, guide: str, folder: Path
) -> None:
    codes, kept = folder / "codes", folder / "codes-kept"
    trained = checkpoint.load(codes).folder
    objective = dual(guide, diffusion)
    codes.rename(kept)
    try:
        with pytest.raises(
            TrainingError, match=r"synthesiser_from: .*/diffusion/step-\d+ was trained on .* is gone: .*codes"
        ):
            train("uncoded", objective)
        shutil.copytree(kept, codes)
        tensors = trained / checkpoint.TRAINED
        save_file({name: value + 1 for name, value in checkpoint.load(codes).trained().items()}, tensors)
        with pytest.raises(TrainingError, match=r"synthesiser_from: .* another autoencoder than .*codes holds now"):
            train("uncoded", objective)
    finally:
        shutil.rmtree(codes, ignore_errors=True)
        kept.rename(codes)
    assert rows_of(train("coded", objective))


def test_a_transducer_goes_the_same_way(train: Train, folder: Path, corpus: Path) -> None:
    table = {"method": "transducer", "split": SPLIT, "width": 16}
    guided = str(train("transducer", table, data="heard"))
    small = {"filters": 16, "frames_per_phone": 1}
    made_by = train("phonewise", {"method": "lasyn_fixed", "guide_from": guided, "synthesiser": small}, data="read")

    found = train("transduced", dual(guided, str(made_by)) | {"recogniser": table}, sampling={"texts": [0.5]})

    assert all(row["loss"] > 0 and row["made"] > 0 for row in rows_of(found))
    _, heard = members_of(DataConfig(str(corpus), "told", split=None))
    assert {overlap.kind for overlap in overlaps(heard, had_by(found))} == {"takes", "speakers", "texts"}
    recogniser = recogniser_of(found, features=folder / "features")
    recogniser.prepare(heard, Progress(quiet=True))
    assert [answer.take_id for answer in recogniser.transcribe(heard)] == [member.take_id for member in heard]


def test_texts_that_changed_since_are_another_training(train: Train, fixed: str, folder: Path, corpus: Path) -> None:
    before = (folder / "menu.txt").read_text()
    (folder / "menu.txt").write_text(before + "no milk\n")
    try:
        with pytest.raises(DataLeak, match="has had another list of texts"):
            had_by(Path(fixed))
    finally:
        (folder / "menu.txt").write_text(before)


def test_features_of_another_layer_are_refused(train: Train, guide: str, fixed: str) -> None:
    with pytest.raises(TrainingError, match=r"goes on from layer 1 of the encoder, and features.layers = \[-1\]"):
        train("wrong", dual(guide, fixed), features={"layers": [-1]})


def test_a_text_with_digits_is_refused_before_training(train: Train, guide: str, fixed: str, folder: Path) -> None:
    (folder / "digits.txt").write_text("a large tea\nsee you at 9\n")

    with pytest.raises(TrainingError, match="1 of 2 texts have no pronunciation; '9' in 'see you at 9'"):
        train("digits", dual(guide, fixed), texts="digits.txt")


@pytest.fixture(scope="module")
def digits(folder: Path) -> None:
    """A release of two takes, of which one says what has no phones."""
    rows = []
    for number, text in enumerate(["one small tea", "see you at 9"]):
        soundfile.write(folder / f"{number}.wav", 0.3 * np.sin(np.arange(9_000) * 0.07 + number), 16_000)
        rows.append({"audio": f"{number}.wav", "text": text, "speaker": "c", "language": "en"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in (["ingest", str(folder)], ["freeze", "said", "--where", "origin = 'real'"]):
        assert CliRunner().invoke(app, [*words, "-c", str(folder / "digits")]).exit_code == 0


@pytest.mark.parametrize("method", ["lasyn_diffusion", "lasyn_fixed"])
@pytest.mark.usefixtures("diffusion", "digits")
def test_a_take_that_cannot_be_read_is_refused_before_anything_is_encoded(
    train: Train, guide: str, folder: Path, method: str
) -> None:
    asked = {
        "lasyn_diffusion": {"autoencoder_from": str(folder / "codes"), "denoiser": {"width": 16}},
        "lasyn_fixed": {"guide_from": guide, "matching": {}, "synthesiser": {"filters": 16}},
    }[method]
    features = {"folder": str(folder / "spare"), "layers": [SPLIT]}

    with pytest.raises(
        TrainingError, match=r"1 of 2 texts have no pronunciation; take [0-9a-f-]+: '9' in 'see you at 9'"
    ):
        train(f"not-{method}", {"method": method, **asked}, data="digits", features=features)
    assert not [path for path in (folder / "spare").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("digits")
def test_what_is_only_heard_need_not_be_read(train: Train, fixed: str) -> None:
    recogniser = {"method": "ctc", "split": SPLIT, "alphabet": f"{ENGLISH}9"}
    objective = {"method": "lasyn", "recogniser": recogniser, "synthesiser_from": fixed}

    assert all(row["loss"] > 0 for row in rows_of(train("figures", objective, data="digits and texts")))
