"""Reports on latents as rows of the corpus whose real takes they are held against: figures of synthesisers, for SQL."""

from collections.abc import Sequence
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.records import LatentReport
from training.lasyn.likeness import QualityRow
from training.lasyn.quality import Report


def keep(corpus: Path, report: Report) -> None:
    """Add the row of a report, if it is not there yet; that asks for no right to write the corpus alone.

    Raises:
        CorpusTooNew: if a later synthgen wrote the corpus.
    """
    with Catalog.create(corpus) as catalog:
        catalog.add([row_of(report)])


def row_of(report: Report) -> LatentReport:
    """The row of a report, with those of its figures that the catalog has columns for."""
    about, rows = report.about, report.rows
    return LatentReport(
        id=about.id,
        checkpoint=about.checkpoint,
        step=about.step,
        training_id=about.training,
        method=about.method,
        guide=about.guide,
        guide_training_id=about.guide_training,
        release_id=about.real,
        split=about.split,
        num_takes=about.num_takes,
        num_speakers=about.num_speakers,
        num_texts=about.num_texts,
        wer_made=_value(rows, "wer", "made"),
        wer_real=_value(rows, "wer", "real"),
        wer_texts=_value(rows, "wer", "texts"),
        frechet_made=_value(rows, "frechet_frames", "made"),
        frechet_real=_value(rows, "frechet_frames", "real"),
        mmd_made=_value(rows, "mmd_frames", "made"),
        mmd_real=_value(rows, "mmd_frames", "real"),
        auc=_value(rows, "auc", "made"),
        frames_per_character_made=_value(rows, "frames_per_character", "made"),
        frames_per_character_real=_value(rows, "frames_per_character", "real"),
    )


def _value(rows: Sequence[QualityRow], figure: str, of: str) -> float | None:
    return next((row.value for row in rows if (row.figure, row.of) == (figure, of)), None)
