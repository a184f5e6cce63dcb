"""`synthgen latents` from releases to rows; its figures alone are tested in `test_lasyn_likeness`."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import Tensor
from typer.testing import CliRunner, Result

from catalogs.catalog import Catalog
from catalogs.errors import DataLeak, ReleaseError, TrainingError, UsageError
from catalogs.progress import Progress
from catalogs.release import release_named
from synthgen.cli import app
from training import checkpoint, session
from training.checkpoint import Position
from training.curve import rows_of
from training.lasyn.autoencoder import Autoencoder
from training.recipe import parse_recipe

LAYER = 1
READ = [
    f"{size} {drink} {end}" for size in ("small", "large") for drink in ("tea", "milk") for end in ("now", "please")
]
FIGURES = [
    *(("wer", "made"), ("cer", "made"), ("wer", "real"), ("cer", "real")),
    *((name, of) for of in ("made", "real") for name in ("frames_per_character",)),
    *(
        (f"{name}_{level}", of)
        for level in ("frames", "utterances")
        for name in ("frechet", "mmd")
        for of in ("made", "real")
    ),
    *((name, of) for of in ("made", "random") for name in ("auc", "accuracy")),
]

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic takes, "told", for a guide; real takes of other texts, "spoken", and "leaky" with one of the same."""
    folder = tmp_path_factory.mktemp("latents")
    corpus = produce(folder, "told", prompts=["good morning", "see you at nine", "one small tea"], speakers=["anna"])
    (folder / "menu.txt").write_text("a large tea\ntwo small cakes\nmilk please\n")
    random, rows = np.random.default_rng(0), []
    for number, text in enumerate([*READ, "good morning"]):
        samples = 0.3 * np.sin(np.arange(12_000 + 500 * number) * 0.07) + random.normal(0, 0.02, 12_000 + 500 * number)
        soundfile.write(folder / f"{number}.wav", samples, 16_000)
        rows.append({"audio": f"{number}.wav", "text": text, "speaker": ("cora", "dina")[number % 2], "language": "en"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in (
        ["ingest", str(folder)],
        ["freeze", "spoken", "--where", "origin = 'real' AND text != 'good morning'"],
        ["freeze", "leaky", "--where", "origin = 'real'"],
        ["freeze", "few", "--where", "origin = 'real' AND text = 'small tea now'"],
    ):
        done = CliRunner().invoke(app, [*words, "-c", str(corpus)])
        assert done.exit_code == 0, done.output
    train(folder, "guide", {"method": "ctc", "split": LAYER})
    fixed = {"method": "lasyn_fixed", "guide_from": str(folder / "guide"), "synthesiser": {"filters": 16}}
    train(folder, "fixed", fixed, data={"texts": str(folder / "menu.txt")})
    train(
        folder, "codes", {"method": "lasyn_autoencoder", "split": LAYER, "autoencoder": {"channels": 4, "hidden": 16}}
    )
    diffusion = {"method": "lasyn_diffusion", "denoiser": {"width": 16}, "diffusion": {"voice": True}}
    train(folder, "diffusion", diffusion | {"autoencoder_from": str(folder / "codes")})
    return folder


def train(
    folder: Path, name: str, objective: dict[str, Any], *, data: dict[str, Any] | None = None, **more: Any
) -> None:
    table = {
        "name": name,
        "folder": str(folder / name),
        "data": [data or {"corpus": str(folder / "corpus"), "release": "told", "split": None}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(folder / "features"), "layers": [LAYER]},
        "objective": objective,
        "loop": {"epochs": 1, "threads": 1, "log_every": 1, "save_every": 1},
    }
    session.train(parse_recipe(table | more, source="test"), progress=Progress(quiet=True))


@pytest.fixture
def latents(studio: Path) -> Run:
    def run(name: str, *words: str, real: str = "spoken") -> Result:
        return CliRunner().invoke(app, ["latents", str(studio / name), "--real", f"{studio}/corpus/{real}", *words])

    return run


def test_made_latents_are_held_against_real_ones_of_the_same_texts(latents: Run) -> None:
    done = latents("fixed", "--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [(row["figure"], row["of"]) for row in report["rows"]] == FIGURES
    assert all(row["low"] is None or row["low"] <= row["value"] <= row["high"] for row in report["rows"])
    about = report["about"]
    assert (about["num_takes"], about["num_speakers"], about["method"]) == (8, 2, "lasyn_fixed")
    folder = Path(report["folder"])
    lines = (folder / "figures.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == report["rows"]
    assert json.loads((folder / "latents.json").read_text()) == about


def test_reports_of_other_takes_texts_or_guides_stay_beside_each_other(latents: Run, studio: Path) -> None:
    (studio / "later.txt").write_text("two teas\nno cake please\n")
    other = ["--guide", str(studio / "another_guide")]
    train(studio, "another_guide", {"method": "ctc", "split": LAYER}, loop={"epochs": 2, "threads": 1, "seed": 1})
    asked: list[tuple[str, list[str]]] = [
        ("spoken", []), ("leaky", ["--only-unseen"]), ("spoken", ["--takes", "4"]), ("spoken", other),
        ("spoken", ["--texts", str(studio / "later.txt")]),
    ]  # fmt: skip
    with Catalog.open(studio / "corpus") as catalog:
        assert len({release_named(catalog, name).id for name, _ in asked}) == 2

    reports = [json.loads(latents("fixed", *words, "--json", real=real).stdout) for real, words in asked]
    again = json.loads(latents("fixed", "--json").stdout)

    folders = [Path(report["folder"]) for report in reports]
    assert len(set(folders)) == len(asked)
    assert [json.loads((folder / "latents.json").read_text()) for folder in folders] == [r["about"] for r in reports]
    assert again == reports[0]


@pytest.mark.parametrize(("name", "words"), [("fixed", []), ("diffusion", ["--guide"])])
def test_the_same_report_is_the_same_bytes(latents: Run, studio: Path, name: str, words: list[str]) -> None:
    named = [*words, str(studio / "guide")] if words else []

    found = [latents(name, *named, "--json").stdout for _ in range(2)]

    assert found[0] == found[1]
    assert json.loads(found[0])["about"]["hears_voices"] == (name == "diffusion")


def test_what_the_autoencoder_loses_is_told(latents: Run, studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, decode = ["--guide", str(studio / "guide"), "--json"], Autoencoder.decode

    def keeps_what_is_no_code(self: Autoencoder, codes: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        return decode(self, codes, numbers) if codes.shape[-1] == self.channels else (codes, numbers)

    lossy = rates(latents("diffusion", *words))
    monkeypatch.setattr(Autoencoder, "encode", lambda _, frames, lengths: (frames, lengths))
    monkeypatch.setattr(Autoencoder, "decode", keeps_what_is_no_code)
    perfect = rates(latents("diffusion", *words))

    assert perfect["cer", "rebuilt"] == perfect["cer", "real"] == lossy["cer", "real"]
    assert lossy["cer", "rebuilt"] != lossy["cer", "real"]
    assert perfect["cer", "made"] == lossy["cer", "made"]


def rates(done: Result) -> dict[tuple[str, str], float]:
    """The figures of a report, by what they are called and what they are of."""
    return {(row["figure"], row["of"]): row["value"] for row in json.loads(done.stdout)["rows"]}


def test_texts_that_nobody_has_read_are_heard_as_well(latents: Run, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("two teas\na large tea\nno cake please\n")

    done = latents("fixed", "--texts", str(tmp_path / "more.txt"))

    assert "texts: 2 that nobody has read" in done.stdout
    assert "left out, as training had them: 0 takes, 1 texts" in done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines() if " texts  " in line] == [
        ["wer", "texts"],
        ["cer", "texts"],
    ]


def test_texts_of_a_file_of_prompts_are_read_as_training_reads_them(latents: Run, tmp_path: Path) -> None:
    rows = [{"text": text} for text in ("two teas", "a large tea", "no cake please", "two teas")]
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "more.txt").write_text("two teas\na large tea\nno cake please\n")

    done = [latents("fixed", "--texts", str(tmp_path / name), "--json") for name in ("more.jsonl", "more.txt")]

    prompts, lines = (json.loads(each.stdout) for each in done)
    assert prompts == lines
    assert (prompts["about"]["num_texts"], prompts["about"]["left_out_texts"]) == (2, 1)


def test_what_has_no_pronunciation_is_left_out_and_counted(latents: Run, studio: Path, tmp_path: Path) -> None:
    corpus = str(studio / "corpus")
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(1).normal(0, 0.1, 16_000), 16_000)
    row = {"audio": "a.wav", "text": "table 9", "speaker": "cora", "language": "en"}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "more.txt").write_text("two teas\n5 % off\n")
    for words in (
        ["ingest", str(tmp_path)],
        ["freeze", "numbered", "--where", "origin = 'real' AND text != 'good morning'"],
    ):
        assert CliRunner().invoke(app, [*words, "-c", corpus]).exit_code == 0
    texts = ["--texts", str(tmp_path / "more.txt")]

    found = json.loads(latents("fixed", *texts, "--json", real="numbered").stdout)
    told = latents("fixed", *texts, real="numbered")

    assert [found["about"][name] for name in ("num_takes", "num_texts", "unread")] == [8, 1, 2]
    assert "left out, as they have no pronunciation: 2 takes or texts" in told.stdout
    assert "1 of 9 texts have no pronunciation; take" in told.stderr


def test_what_training_has_had_is_no_evidence(latents: Run, studio: Path) -> None:
    refused = latents("fixed", real="leaky")
    told = latents("fixed", "--only-unseen", "--json", real="leaky")
    read = latents("fixed", "--texts", str(studio / "menu.txt"))

    assert isinstance(refused.exception, DataLeak)
    assert "by their texts; for example text 'good morning'" in str(refused.exception)
    assert (json.loads(told.stdout)["about"]["left_out"], json.loads(told.stdout)["about"]["num_takes"]) == (1, 8)
    assert isinstance(read.exception, DataLeak)


def test_real_takes_that_were_matched_are_known_from_training(latents: Run, studio: Path) -> None:
    objective = {"method": "lasyn_fixed", "guide_from": str(studio / "guide"), "synthesiser": {"filters": 16}}
    matching = objective | {"matching": {"kind": "moments"}}
    spoken = {"corpus": str(studio / "corpus"), "release": "spoken", "split": None}

    train(studio, "pulled", matching, data=spoken)

    assert rows_of(studio / "pulled")[0]["matching"] > 0
    assert isinstance(latents("pulled").exception, DataLeak)
    with pytest.raises(TrainingError, match="goes on from layer 1"):
        train(studio, "elsewhere", matching, data=spoken, features={"layers": [2]})
    with pytest.raises(TrainingError, match="sampling draws none in any epoch"):
        train(studio, "unheard", matching, data=spoken, sampling={"texts": [1.0]})


@pytest.mark.parametrize(
    ("name", "words", "error", "message"),
    [
        ("guide", {}, TrainingError, "makes no latents of texts: expected one of lasyn_fixed"),
        ("diffusion", {}, UsageError, "name with --guide"),
        ("fixed", {"real": "told"}, ReleaseError, "0 real takes"),
        ("fixed", {"real": "few"}, ReleaseError, "1 real takes, and 1 texts of them"),
        ("fixed", {"real": "nothing"}, ReleaseError, "nothing"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    latents: Run, name: str, words: dict[str, str], error: type[Exception], message: str
) -> None:
    done = latents(name, **words)

    assert isinstance(done.exception, error)
    assert message in str(done.exception)


def test_mistakes_with_a_guide_are_told_of_what_was_typed(latents: Run, studio: Path) -> None:
    provenance = checkpoint.load(studio / "guide").provenance
    recipe = provenance["recipe"]
    labelling = provenance | {"recipe": recipe | {"objective": recipe["objective"] | {"writes": "labels"}}}
    checkpoint.save(studio / "labelling", Position(1), trained={}, optimizer=None, provenance=labelling)
    train(studio, "unsplit", {"method": "ctc"})
    train(studio, "wider", {"method": "ctc", "split": LAYER}, encoder={"name": "tiny", "width": 24})
    train(studio, "higher", {"method": "ctc", "split": 2}, features={"layers": [2]})
    wrong = {
        "labelling": "--guide: .* writes labels",
        "unsplit": "--guide: .* is of method 'ctc' without a split",
        "wider": "--guide: .* goes on from another encoder .* than what it is to go with",
        "fixed": "--guide: .* is of method 'lasyn_fixed': a guide is trained by",
        "higher": "the synthesiser: .* makes latents of layer 1, and the recogniser goes on from 2",
    }

    for name, message in wrong.items():
        done = latents("fixed", "--guide", str(studio / name), "--only-unseen")
        assert isinstance(done.exception, TrainingError), done.output
        assert re.match(message, str(done.exception)), str(done.exception)


def test_a_report_is_one_row_beside_its_release(latents: Run, studio: Path) -> None:
    first, again = (json.loads(latents("fixed", "--takes", "6", "--json").stdout)["about"]["id"] for _ in range(2))

    words = "SELECT latent_report.num_takes, guide, name FROM latent_report JOIN release ON release.id = release_id"
    where = f"WHERE latent_report.id::VARCHAR = '{first}'"
    asked = CliRunner().invoke(app, ["sql", f"{words} {where}", "--json", "-c", str(studio / "corpus")])

    assert first == again
    assert asked.exit_code == 0, repr(asked.exception)
    assert json.loads(asked.stdout) == [{"num_takes": 6, "guide": str(studio / "guide"), "name": "spoken"}]


def test_a_synthesiser_that_was_trained_anew_has_another_report(latents: Run, studio: Path) -> None:
    def train_on(texts: str) -> Any:
        (studio / "changing.txt").write_text(texts)
        shutil.rmtree(studio / "anew", ignore_errors=True)
        train(studio, "anew", table, data={"texts": str(studio / "changing.txt")})
        return json.loads(latents("anew", "--json").stdout)

    table = {"method": "lasyn_fixed", "guide_from": str(studio / "guide"), "synthesiser": {"filters": 16}}

    first, other, again = (train_on(texts) for texts in ("two teas\n", "no cake please\n", "two teas\n"))

    assert first["rows"] != other["rows"]
    assert first["about"]["id"] != other["about"]["id"]
    assert first == again
