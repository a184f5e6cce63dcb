"""`synthgen probe` from releases to rows and plots, and the vectors that it goes by."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner, Result

from catalogs.errors import ReleaseError, TrainingError, UsageError
from synthgen.cli import app
from training import checkpoint
from training.members import Wave
from training.probing.activations import Layer, Listener, listener_of
from training.probing.perturbations import PERTURBATIONS, perturbed
from training.recipe import parse_recipe

from .conftest import make_member, train_on

TEXTS = [
    f"{size} {drink} {end}" for size in ("small", "large") for drink in ("tea", "latte") for end in ("now", "please")
]
SLAM_ASR = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}}
OBJECTIVES = {
    "ctc": {"method": "ctc"},
    "transducer": {"method": "transducer", "width": 16},
    "listener": SLAM_ASR,
    "jstip": SLAM_ASR | {"method": "jstip"},
    "warm": SLAM_ASR | {"method": "warm_start"},
}
MIXTURES = {"jstip": {"mixture": {"asr": 1.0, "interleaved": 0.0, "text": 0.0}}}

Run = Callable[..., Result]


def wave_of(number: int, *, duration_s: float = 0.8) -> Wave:
    random = np.random.default_rng(number)
    tone = 0.3 * np.sin(np.arange(int(16_000 * duration_s)) * random.uniform(0.05, 0.09))
    return (tone + random.normal(0, 0.02, len(tone))).astype(np.float32)


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with real takes, "spoken", synthetic ones of their texts, "told", and of others, "other"; trainings."""
    folder = tmp_path_factory.mktemp("probed")
    corpus = produce(folder, "told", prompts=TEXTS, speakers=["anna", "bela"])
    produce(folder, "other", prompts=["is it raining"], speakers=["anna"])
    rows = []
    for number, (speaker, text) in enumerate((speaker, text) for speaker in ("cora", "dina", "ella") for text in TEXTS):
        soundfile.write(folder / f"{number}.wav", wave_of(number), 16_000)
        rows.append({"audio": f"{number}.wav", "text": text.title(), "speaker": speaker, "language": "en"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in (["ingest", str(folder)], ["freeze", "spoken", "--where", "origin = 'real'"]):
        done = CliRunner().invoke(app, [*words, "-c", str(corpus)])
        assert done.exit_code == 0, done.output
    for name, objective in OBJECTIVES.items():
        train_on("told", folder, corpus, name, objective, layer=2, **MIXTURES.get(name, {}))
    return folder


@pytest.fixture
def probe(studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))

    def run(name: str, *words: str, real: str = "corpus/spoken", synthetic: str = "corpus/told") -> Result:
        releases = ["--real", f"{studio}/{real}", "--synthetic", f"{studio}/{synthetic}"]
        return CliRunner().invoke(app, ["probe", str(studio / name), *releases, *words])

    return run


def listener(studio: Path, name: str) -> Listener:
    return listener_of(checkpoint.load(studio / name))


def names_of(name: str) -> list[str]:
    of_language_model = [f"language_model.{layer}" for layer in range(1, 4)]
    whole = ["projector", *of_language_model]
    behind = {"warm": ["projector"], "listener": whole, "jstip": whole}
    return [*(f"encoder.{layer}" for layer in range(4)), *behind.get(name, ["head"]), "surface"]


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_layer_of_every_method_is_probed(probe: Run, name: str) -> None:
    done = probe(name, "--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [row["layer"] for row in report["layers"]] == names_of(name)
    assert all(row["auc"]["low"] <= row["auc"]["value"] <= row["auc"]["high"] for row in report["layers"])
    about = report["about"]
    assert (about["num_texts"], about["real_speakers"], about["synthetic_speakers"]) == (8, 3, 2)
    folder = Path(report["folder"])
    lines = (folder / "layers.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == report["layers"]
    assert json.loads((folder / "probe.json").read_text()) == about
    assert (folder / "layers.svg").read_text().startswith("<?xml")


def test_the_same_probe_gives_the_same_bytes(probe: Run) -> None:
    def files() -> dict[str, bytes]:
        folder = Path(json.loads(probe("ctc", "--json").stdout)["folder"])
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    assert files() == files()


def test_each_probe_has_a_folder_of_its_own_beside_those_of_others(probe: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.probing.report.PERTURBATIONS", {"low_pass": PERTURBATIONS["low_pass"]})

    def run(*words: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(probe("ctc", "--json", "--takes", *words).stdout)
        return report

    swept, other, again = run("8", "--sweep"), run("12"), run("8")

    assert swept["folder"] == again["folder"] != other["folder"]
    assert Path(other["folder"]).name.startswith("spoken-told-")
    assert not (Path(other["folder"]) / "sweep.jsonl").exists()
    rows = (Path(swept["folder"]) / "sweep.jsonl").read_text().splitlines()
    assert [json.loads(row) for row in rows] == swept["sweep"]
    assert swept["layers"] == again["layers"]
    about = other["about"]
    assert (about["takes"], about["groups"], about["real_takes"]) == (12, 4, 12)
    assert about["real_from"].endswith("corpus/spoken")
    assert len({each["about"]["id"] for each in (swept, other, again)}) == 2


def test_a_sweep_is_told_and_drawn(probe: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.probing.report.PERTURBATIONS", {"low_pass": PERTURBATIONS["low_pass"]})

    done = probe("ctc", "--sweep", "--takes", "8")

    assert "auc, all perturbed" in done.stdout
    assert "  low_pass " in done.stdout
    folder = Path(done.stderr.rpartition("rows and plots are in ")[2].strip())
    assert "all takes perturbed" in (folder / "sweep.svg").read_text()


@pytest.mark.slow
def test_a_sweep_has_a_row_for_each_perturbation_layer_and_kind(probe: Run) -> None:
    done = probe("ctc", "--sweep", "--takes", "8", "--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    found = [(row["perturbation"], row["layer"], row["kind"]) for row in report["sweep"]]
    kinds = ("synthetic", "real")
    assert found == [(by, name, kind) for by in PERTURBATIONS for name in names_of("ctc") for kind in kinds]
    rows = dict(zip(found, report["sweep"], strict=True))
    assert report["about"]["real_takes"] == 8
    assert all(0 <= row["p_synthetic"]["value"] <= 1 for row in report["sweep"])
    assert any(abs(row["shift"]["value"]) > 0.01 for row in report["sweep"])
    for key in ("auc_anew", "auc_both", "auc_both_anew"):
        assert all(0 <= row[key]["value"] <= 1 for row in report["sweep"] if row["kind"] == "synthetic")
        assert all(row[key] is None for row in report["sweep"] if row["kind"] == "real")
    assert rows["slower", "surface", "real"]["shift"]["value"] != 0
    assert (Path(report["folder"]) / "sweep.svg").exists()


def test_people_are_told_in_words(probe: Run) -> None:
    done = probe("listener", "--takes", "12")

    assert "12 real takes of 3 speakers and 12 synthetic ones of 2, of 8 texts" in done.stdout
    assert "language_model.3" in done.stdout


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"synthetic": "corpus/other"}, ReleaseError, "no text is read by both"),
        ({"real": "corpus/told"}, ReleaseError, "0 real takes"),
        ({"real": "corpus/nothing"}, ReleaseError, "nothing"),
    ],
)
def test_releases_that_do_not_pair_up_are_refused(
    probe: Run, words: dict[str, str], error: type[Exception], message: str
) -> None:
    done = probe("ctc", **words)

    assert isinstance(done.exception, error)
    assert message in str(done.exception)


def test_a_release_without_its_corpus_is_refused(studio: Path) -> None:
    words = ["probe", str(studio / "ctc"), "--real", "spoken", "--synthetic", "told"]

    assert isinstance(CliRunner().invoke(app, words).exception, UsageError)


def test_vectors_are_means_over_the_audio_whatever_else_is_in_the_batch(studio: Path) -> None:
    heard = listener(studio, "listener")
    waves = {str(number): wave_of(number, duration_s=0.5 + 0.3 * number) for number in range(4)}

    together = heard.vectors(waves)

    for number, (name, wave) in enumerate(waves.items()):
        for layer, alone in heard.vectors({name: wave}).items():
            torch.testing.assert_close(together[layer][number], alone[0], atol=1e-4, rtol=1e-3)


def test_what_enters_the_language_model_is_what_the_projector_has_made(studio: Path) -> None:
    """Held against the parts, put together by hand: encoder, projector, and the first layer at the audio's places."""
    recipe = parse_recipe(checkpoint.load(studio / "listener").provenance["recipe"], source="test")
    assert recipe.encoder is not None
    encoder = recipe.encoder.build()
    objective: Any = recipe.objective.build(encoder, num_layers=1, seed=0)  # type: ignore[union-attr]  # on features
    checkpoint.restore(checkpoint.load(studio / "listener"), objective.trained())
    wave = torch.from_numpy(wave_of(1))

    found = listener(studio, "listener").vectors({"a": wave_of(1)})

    frames = encoder.encode([wave], (0, 2))[0]
    with torch.no_grad():
        slots = objective.module.projector(frames[None, 1:], torch.tensor([frames.shape[1]]))[0]
        before, after = objective.template.before, objective.template.after
        text = objective.module.lm.get_input_embeddings()
        embeds = torch.cat([text(torch.tensor(before)), slots, text(torch.tensor(after))])[None]
        hidden = objective.module.lm(inputs_embeds=embeds, output_hidden_states=True).hidden_states
    audio = slice(len(before), len(before) + len(slots))
    torch.testing.assert_close(found[Layer("encoder", 0)][0], frames[0].mean(0))
    torch.testing.assert_close(found[Layer("projector")][0], slots.mean(0))
    torch.testing.assert_close(found[Layer("language_model", 1)][0], hidden[1][0, audio].mean(0), atol=1e-4, rtol=1e-3)


def test_a_wave_of_nothing_is_refused(studio: Path) -> None:
    with pytest.raises(TrainingError, match="too short"):
        listener(studio, "ctc").vectors({"a": np.zeros(0, np.float32)})


@pytest.mark.parametrize("by", list(PERTURBATIONS))
def test_a_perturbation_depends_on_the_take_alone(by: str) -> None:
    wave, member = wave_of(3), make_member(3)

    once, again = perturbed(wave, member, by=by), perturbed(wave, member, by=by)

    assert once.tobytes() == again.tobytes()
    assert once.dtype == np.float32
    assert not np.array_equal(once, wave)
