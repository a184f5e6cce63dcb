"""Reports on latents as rows of a corpus."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.hypotheses import hypotheses_dictionary
from catalogs.ids import content_id
from synthgen.cli import app
from training.lasyn.likeness import QualityRow
from training.lasyn.quality import About, Report
from training.lasyn.reports import keep, row_of

COLUMNS = {
    "wer_made": ("wer", "made"),
    "wer_real": ("wer", "real"),
    "wer_texts": ("wer", "texts"),
    "frechet_made": ("frechet_frames", "made"),
    "frechet_real": ("frechet_frames", "real"),
    "mmd_made": ("mmd_frames", "made"),
    "mmd_real": ("mmd_frames", "real"),
    "auc": ("auc", "made"),
    "frames_per_character_made": ("frames_per_character", "made"),
    "frames_per_character_real": ("frames_per_character", "real"),
}

OTHERS = [("cer", "made"), ("frechet_utterances", "made"), ("auc", "random"), ("accuracy", "made")]
ABOUT = About(
    id=content_id("latents", 1), checkpoint="models/fixed/step-00000009", step=9, training=content_id("training", 1),
    method="lasyn_fixed", guide="models/guide", guide_training=content_id("training", 2), real=content_id("release", 1),
    split="test", num_takes=8, num_speakers=2, num_texts=3, hears_voices=False, left_out=0, left_out_texts=0, unread=0,
)  # fmt: skip
FIGURES = {figure: number / 8 for number, figure in enumerate([*OTHERS, *COLUMNS.values()])}
REPORT = Report(
    Path("models"), ABOUT, tuple(QualityRow(name, of, value, 0.0, None) for (name, of), value in FIGURES.items())
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    with Catalog.create(tmp_path / "corpus"):
        return tmp_path / "corpus"


def asked(corpus: Path, words: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, ["sql", words, "--json", "-c", str(corpus)])
    assert done.exit_code == 0, done.output
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_a_row_has_what_was_measured_with_what(corpus: Path) -> None:
    keep(corpus, REPORT)

    (row,) = asked(corpus, "SELECT * FROM latent_report")

    assert {column: row.pop(column) for column in COLUMNS} == {c: FIGURES[figure] for c, figure in COLUMNS.items()}
    told = {name.removesuffix("_id").replace("release", "real"): value for name, value in row.items() if name != "id"}
    assert told | {"id": row["id"]} == {name: value for name, value in asdict(ABOUT).items() if name in {*told, "id"}}
    assert set(asdict(ABOUT)) - set(told) == {"id", "hears_voices", "left_out", "left_out_texts", "unread"}


def test_a_report_is_kept_once_and_another_beside_it(corpus: Path) -> None:
    bare = tuple(row for row in REPORT.rows if row.of != "texts")
    other = replace(REPORT, about=replace(ABOUT, id=content_id("latents", 2), split=None), rows=bare)

    for report in (REPORT, other, REPORT):
        keep(corpus, report)

    rows = asked(corpus, "SELECT split, wer_texts IS NULL AS is_bare FROM latent_report ORDER BY split NULLS LAST")
    assert rows == [{"split": "test", "is_bare": False}, {"split": None, "is_bare": True}]


def test_every_column_is_explained(corpus: Path) -> None:
    with Catalog.open(corpus) as catalog:
        rows = hypotheses_dictionary(catalog.lake).to_pylist()

    explained = [row["column"] for row in rows if row["family"] == "latent_report"]
    assert explained == list(asdict(row_of(REPORT)))


def test_a_corpus_of_schema_7_gets_the_table_when_a_report_comes(corpus: Path) -> None:
    with Catalog.create(corpus) as catalog:
        catalog.lake.run("DROP TABLE latent_report")
        catalog.lake.run("DELETE FROM migration WHERE version >= 8")

    keep(corpus, REPORT)

    assert asked(corpus, "SELECT step, num_takes FROM latent_report") == [{"step": 9, "num_takes": 8}]
