"""From trainings to a merged recogniser by the commands that people give; what went into it is known afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from catalogs.errors import DataLeak, SynthgenError, TrainingError
from synthgen.cli import app
from training import checkpoint
from training.evaluation.leaks import had_by
from training.merging.low_rank import dense

from .conftest import train_on

LORA = {"r": 2, "alpha": 8.0, "targets": ["q_proj", "v_proj"]}
LISTENER = {"method": "slam_asr", "language_model": {"name": "tiny", "lora": LORA}, "projector": {"hidden": 16}}
OBJECTIVES = {
    "ctc": {"method": "ctc"},
    "transducer": {"method": "transducer", "width": 16},
    "listener": LISTENER,
}
FAST = {"optim": {"rate": 0.05, "warmup_steps": 1}}

Merge = Callable[..., Result]


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], record: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases by speakers and texts of their own; for some methods a source domain's two models, and a target."""
    folder = tmp_path_factory.mktemp("merged")
    produce(folder, "read", prompts=["Good morning!", "See you at nine."], speakers=["bela"])
    record(folder, "recorded", texts=["good morning", "see you at nine"], speaker="anna")
    produce(folder, "orders", prompts=["a large tea", "one latte"], speakers=["cora"])
    corpus = produce(folder, "unseen", prompts=["is it raining", "turn left"], speakers=["dina"])
    for method, objective in OBJECTIVES.items():
        for name, release in (("real", "recorded"), ("synthetic", "read"), ("target", "orders")):
            train_on(release, folder, corpus, f"{method}-{name}", objective, **FAST)
    return folder


@pytest.fixture
def merge(studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Merge:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))

    def run(method: str, *changes: str) -> Result:
        names = {role: json.dumps(str(studio / f"{method}-{role}")) for role in ("target", "real", "synthetic")}
        path = tmp_path / "merge.toml"
        path.write_text(
            f'name = "merged"\nfolder = "{tmp_path}/merged"\nscale = 0.5\ntarget = {names["target"]}\n'
            f'[[sources]]\nname = "greetings"\nreal = {names["real"]}\nsynthetic = {names["synthetic"]}\n'
        )
        words = [word for change in changes for word in ("-o", change)]
        return CliRunner().invoke(app, ["merge", str(path), "--json", *words])

    return run


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize("method", list(OBJECTIVES))
def test_a_merge_is_evaluated_transcribes_and_is_gone_on_from(
    merge: Merge, studio: Path, tmp_path: Path, method: str
) -> None:
    done = merge(method)

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["sources"], found["operator"], found["scale"]) == (["greetings"], "add", 0.5)
    assert found["norm"] > 0
    heard = command("evaluate", found["folder"], "unseen", "-c", str(studio / "corpus"), "--json")
    assert heard.exit_code == 0, heard.output
    assert json.loads(heard.stdout)["systems"][0]["is_guarded"]
    objective = OBJECTIVES[method]
    further = train_on("unseen", tmp_path, studio / "corpus", "further", objective, start_from=found["folder"])
    assert checkpoint.load(further).provenance["base"]["root"] == root_of(studio / f"{method}-real")


def root_of(folder: Path) -> Any:
    return checkpoint.load(folder).provenance["base"]["root"]


def test_trainings_of_one_recipe_on_other_speech_have_one_base(studio: Path) -> None:
    bases = {name: root_of(studio / name) for name in ("ctc-real", "ctc-synthetic", "ctc-target", "listener-real")}

    assert bases["ctc-real"] == bases["ctc-synthetic"] == bases["ctc-target"]
    assert bases["ctc-real"] != bases["listener-real"]


@pytest.mark.parametrize("release", ["recorded", "read", "orders"])
def test_whatever_went_into_a_merge_is_no_evidence(merge: Merge, studio: Path, release: str) -> None:
    folder = json.loads(merge("ctc").stdout)["folder"]

    refused = command("evaluate", folder, release, "-c", str(studio / "corpus"))

    assert isinstance(refused.exception, DataLeak)
    assert "all" in str(refused.exception) or "2 of the 2 takes" in str(refused.exception)


def test_a_part_of_a_merge_that_is_another_training_now_leaves_everything_suspect(merge: Merge, tmp_path: Path) -> None:
    folder = Path(json.loads(merge("ctc").stdout)["folder"])
    about = folder / "checkpoint.json"
    training = checkpoint.load(folder).provenance["merge"]["parts"][1]["training"]
    about.write_text(about.read_text().replace(training, "00000000-0000-0000-0000-000000000000"))

    with pytest.raises(DataLeak, match="holds another training now"):
        had_by(folder)


def test_adapters_of_a_greater_rank_hold_all_that_was_merged(merge: Merge, studio: Path) -> None:
    done = merge("listener", "rank=6")

    assert done.exit_code == 0, done.output
    merged = checkpoint.load(Path(json.loads(done.stdout)["folder"]))
    lora = merged.provenance["recipe"]["objective"]["language_model"]["lora"]
    target, real, synthetic = (
        dense(checkpoint.load(studio / f"listener-{name}").trained(), 4.0) for name in ("target", "real", "synthetic")
    )
    products = dense(merged.trained(), lora["alpha"] / lora["r"])
    assert (lora["r"], lora["alpha"]) == (6, 24.0)
    assert json.loads(done.stdout)["lost"] < 1e-5
    for name, product in products.items():
        expected = target[name] + 0.5 * (real[name] - synthetic[name])
        torch.testing.assert_close(product, expected, rtol=1e-4, atol=1e-6)
    heard = command("evaluate", str(merged.folder), "unseen", "-c", str(studio / "corpus"))
    assert heard.exit_code == 0, heard.output


def test_models_of_two_methods_are_refused(merge: Merge, studio: Path) -> None:
    refused = merge("ctc", f"sources.0.real={studio / 'listener-real'}")

    assert isinstance(refused.exception, TrainingError)
    assert "began from different bases" in str(refused.exception)


def test_real_and_synthetic_swapped_are_refused_and_nothing_is_written(
    merge: Merge, studio: Path, tmp_path: Path
) -> None:
    refused = merge("ctc", f"sources.0.real={studio / 'ctc-synthetic'}", f"sources.0.synthetic={studio / 'ctc-real'}")

    assert isinstance(refused.exception, TrainingError)
    assert f"real = {studio / 'ctc-synthetic'}/step-00000001 has heard no real take" in str(refused.exception)
    assert "are real and synthetic swapped?" in str(refused.exception)
    assert not (tmp_path / "merged").exists()


def test_people_are_told_in_words(merge: Merge, studio: Path, tmp_path: Path) -> None:
    merge("ctc")

    done = command("merge", str(tmp_path / "merge.toml"))

    assert done.exit_code == 0, done.output
    assert "the target + 0.5 of the way from synthetic to real speech in greetings (add)" in done.stdout


def test_what_is_no_checkpoint_is_missed(merge: Merge) -> None:
    missed = merge("ctc", "target=nowhere")

    assert isinstance(missed.exception, SynthgenError)
    assert "nowhere is no checkpoint" in str(missed.exception)
