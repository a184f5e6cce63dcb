"""Slots from recipe to report: a listener, a synthesiser that learns through it, and JSTIP that hears texts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from catalogs.errors import RecipeError, TrainingError
from catalogs.progress import Progress
from synthgen.cli import app
from training import checkpoint, session
from training.backbones.encoders import TinyEncoderConfig
from training.curve import rows_of
from training.evaluation.leaks import had_by
from training.evaluation.naming import recogniser_named
from training.lasyn.fixed import FixedProjectionConfig
from training.lasyn.guides import guide_in
from training.lasyn.listening import Listener
from training.lasyn.methods import FixedSynthesisMethod
from training.members import members_of
from training.recipe import parse_recipe

from ..conftest import fit, killed_behind_a_checkpoint
from .conftest import TOLD, UNTOLD, written

LM = {"name": "tiny"}
PROJECTOR = {"hidden": 16}
LISTENER = {"method": "slam_asr", "language_model": LM, "projector": PROJECTOR}
MENU = ["a large tea", "two small cakes", "milk, please"]
SPARE = "nobody else has read this"


def train(folder: Path, to: str, objective: dict[str, Any], *, texts: bool = False, **more: Any) -> Path:
    heard = {"corpus": str(folder / "corpus"), "release": "told", "split": None}
    table = {
        "name": to,
        "folder": str(folder / to),
        "data": [heard, *([{"texts": str(folder / "menu.txt")}] if texts else [])],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(folder / "features")},
        "objective": objective,
        "loop": {"epochs": 2, "threads": 1, "log_every": 1, "save_every": 1},
    }
    session.train(parse_recipe(table | more, source="test"), progress=Progress(quiet=True))
    return folder / to


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release "told", a listener that has heard it, real takes, a menu, and a synthesiser that has read that."""
    folder = tmp_path_factory.mktemp("slots")
    produce(folder, "told", prompts=["good morning", "see you at nine", "one small tea"], speakers=["anna"])
    (folder / "menu.txt").write_text("\n".join(MENU))
    (folder / "more.txt").write_text("\n".join([*MENU, SPARE]))
    rows = []
    for number, text in enumerate(["small tea now", "large milk please", "two teas", "no cake", "one milk"]):
        soundfile.write(folder / f"{number}.wav", 0.3 * np.sin(np.arange(15_000) * 0.07 + number), 16_000)
        rows.append({"audio": f"{number}.wav", "text": text, "speaker": ("c", "d")[number % 2], "language": "en"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in (["ingest", str(folder)], ["freeze", "spoken", "--where", "origin = 'real'"]):
        assert CliRunner().invoke(app, [*words, "-c", str(folder / "corpus")]).exit_code == 0
    train(folder, "listener", LISTENER)
    train(folder, "slots", slots_of(folder, mask=0.3), data=[{"texts": str(folder / "more.txt")}])
    tuned = LISTENER | {"language_model": LM | {"lora": {"r": 2}}}
    for guide, made in ((tuned, "tuned"), (LISTENER, "orphan")):
        train(folder, f"guide-of-{made}", guide)
        train(folder, made, slots_of(folder, f"guide-of-{made}"), data=[{"texts": str(folder / "menu.txt")}])
    shutil.rmtree(folder / "guide-of-orphan")
    return folder


def slots_of(folder: Path, guide: str = "listener", **more: Any) -> dict[str, Any]:
    shape = {"filters": 16, "layers": 2, "frames_per_phone": 1}
    return {"method": "lasyn_fixed", "guide_from": str(folder / guide), "synthesiser": shape, **more}


def heard_table(folder: Path, synthesiser: str = "slots", **more: Any) -> dict[str, Any]:
    made = {"synthesiser_from": str(folder / synthesiser)}
    tuned = LM | {"lora": {"r": 2}}
    return {"method": "jstip", "language_model": tuned, "projector": PROJECTOR, "made": made, **more}


MIXTURE = {"asr": 0.4, "interleaved": 0.0, "made_asr": 0.3, "made_interleaved": 0.3, "tokens": 600, "batch_tokens": 200,
           "choosing": {"granularity": "word"}}  # fmt: skip


def test_a_synthesiser_learns_what_a_frozen_language_model_hears(studio: Path) -> None:
    encoder = TinyEncoderConfig().build()
    method = FixedSynthesisMethod(
        guide_from=str(studio / "listener"),
        synthesiser=FixedProjectionConfig(filters=32, layers=2, frames_per_phone=1),
    )
    synthesis = method.build(encoder, num_layers=1, seed=0)
    before = {name: p.clone() for name, p in synthesis.module["guide"].named_parameters()}
    first = float(synthesis.loss(synthesis.collate(written(TOLD))).total)

    fit(synthesis, written(TOLD), steps=60)

    assert float(synthesis.loss(synthesis.collate(written(TOLD))).total) < 0.7 * first
    assert all(torch.equal(before[name], p) for name, p in synthesis.module["guide"].named_parameters())
    assert all(p.grad is None for p in synthesis.module["guide"].parameters())
    assert set(synthesis.trained()) == {name for name, _ in synthesis.synthesiser.named_parameters()}


def test_a_listener_hears_features_as_slots_and_made_ones_as_they_are(studio: Path) -> None:
    guide = guide_in(str(studio / "listener"), TinyEncoderConfig().build())
    assert isinstance(guide, Listener)

    slots, lengths = guide.low(torch.randn(2, 1, 23, 32), torch.tensor([23, 11]))

    assert (slots.shape[1:], lengths.tolist()) == ((4, guide.width), [4, 2])
    utterances = written(UNTOLD[:2])
    together = guide.answers(utterances, [slots[0], slots[1, :2]])
    assert together == [guide.answers([u], [s])[0] for u, s in zip(utterances, [slots[0], slots[1, :2]], strict=True)]


def test_jstip_hears_texts_and_transcribes_takes(studio: Path) -> None:
    folder = train(studio, "hearing", heard_table(studio), texts=True, mixture=MIXTURE, optim={"rate": 0.01},
                   loop={"epochs": 6, "threads": 1, "log_every": 1, "save_every": 10})  # fmt: skip

    assert rows_of(folder)[-1]["loss"] < rows_of(folder)[0]["loss"]
    found = checkpoint.load(folder)
    assert "objective.made.synthesiser_from" in found.provenance["base"]["started_from"]
    assert {name.split(".")[0] for name in found.trained()} == {"projector", "lm"}
    assert {"a large tea", SPARE} <= had_by(folder)["texts"].keys()
    data = {"corpus": str(studio / "corpus"), "release": "told", "split": None}
    _, members = members_of(parse_recipe({"name": "x", "data": [data], "objective": {"method": "whisper"}},
                                         source="test").data[0])  # fmt: skip
    recogniser = recogniser_named(str(folder))
    recogniser.prepare(members, Progress(quiet=True))
    assert len(recogniser.transcribe(members)) == len(members)


def test_hearing_texts_goes_on_bit_by_bit(studio: Path) -> None:
    heard = heard_table(studio)
    masked = heard | {"made": heard["made"] | {"mask": 0.3}}
    how: dict[str, Any] = {"texts": True, "mixture": MIXTURE}

    whole = train(studio, "whole", masked, **how)
    with killed_behind_a_checkpoint():
        train(studio, "killed", masked, **how, name="whole")
    killed = train(studio, "killed", masked, **how, name="whole")

    trained, resumed = (checkpoint.load(folder).trained() for folder in (whole, killed))
    assert all(torch.equal(trained[name], resumed[name]) for name in trained)


def test_a_recogniser_on_latents_hears_no_slots(studio: Path) -> None:
    train(studio, "guide", {"method": "ctc", "split": 1}, features={"layers": [1]})
    heard = {"recogniser": {"method": "ctc", "split": 1}, "guide_from": str(studio / "guide")}

    with pytest.raises(TrainingError, match=r"synthesiser_from: .* makes slots of a language model, no latents"):
        train(studio, "latents", {"method": "lasyn", "synthesiser_from": str(studio / "slots"), **heard}, texts=True,
              features={"layers": [1]}, sampling={"texts": [0.5]})  # fmt: skip


def test_slots_have_a_report_as_other_latents_do(studio: Path) -> None:
    done = CliRunner().invoke(
        app, ["latents", str(studio / "slots"), "--real", f"{studio / 'corpus'}/spoken", "--json"]
    )

    assert done.exit_code == 0, done.output
    (kept,) = (checkpoint.load(studio / "slots").folder / "latents").glob("spoken-*/figures.jsonl")
    figures = [json.loads(line) for line in kept.read_text().splitlines()]
    assert {("wer", "made"), ("frechet_frames", "made"), ("auc", "made")} <= {(f["figure"], f["of"]) for f in figures}


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"objective": {"made": None}}, RecipeError, "name a synthesiser of slots as objective.made"),
        (
            {"objective": {"language_model": {"name": "tiny", "seed": 1, "lora": {"r": 2}}}},
            TrainingError,
            "makes slots for the language .*; make them through a guide that listens with this one",
        ),
        (
            {"objective": {"made": {"synthesiser_from": "listener"}}},
            TrainingError,
            "makes no slots of a language model",
        ),
        ({"objective": {"made": {"mask": 1.0}}}, RecipeError, "objective.made.mask"),
        ({"objective": {"language_model": LM}}, RecipeError, "of which nothing is tuned"),
        ({"objective": {"made": {}}}, TrainingError, "objective.made.synthesiser_from is missing"),
        ({"objective": {"made": {"synthesiser_from": "tuned"}}}, TrainingError, "tiny .*, tuned by training"),
        ({"objective": {"made": {"synthesiser_from": "orphan"}}}, TrainingError, "through a guide that is gone"),
        ({"mixture": {"made_asr": 0.0, "made_interleaved": 0.0, "asr": 1.0}}, RecipeError, "makes what nobody hears"),
        ({"data": None}, TrainingError, "mixture.made_asr = 0.3: there are no texts"),
    ],
)
def test_what_cannot_be_made_is_said_at_once(studio: Path, changes: dict[str, Any], error: Any, told: str) -> None:
    objective = heard_table(studio, **changes.get("objective", {}))
    if objective["made"] and (named := objective["made"].get("synthesiser_from")):
        objective["made"] = {"synthesiser_from": str(studio / named)}

    mixture = MIXTURE | changes.get("mixture", {})

    with pytest.raises(error, match=told):
        train(studio, "wrong", objective, texts="data" not in changes, mixture=mixture)


def test_matching_hears_the_layers_of_the_listener(studio: Path) -> None:
    matched = slots_of(studio, matching={"kind": "mmd"})
    real = [{"corpus": str(studio / "corpus"), "release": "spoken", "split": None}]

    train(studio, "matched", matched, data=real)

    assert rows_of(studio / "matched")[-1]["matching"] > 0
    with pytest.raises(TrainingError, match="goes on from layer 3"):
        train(studio, "layers", matched, features={"layers": [0]}, data=real)
