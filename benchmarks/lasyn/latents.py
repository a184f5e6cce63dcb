"""How good the latents of each synthesiser are: heard as their text, near real ones, as long as real ones."""

from collections.abc import Sequence
from pathlib import Path

from catalogs.progress import Progress
from training.lasyn.quality import QualityConfig, quality

FIGURES = {
    "wer": "WER of the guide",
    "frames_per_character": "frames a character",
    "frechet_frames": "Fréchet distance of frames",
    "mmd_frames": "MMD of frames",
    "auc": "told from real, AUC",
}
TAKES = 120


def measure(made_by: Sequence[Path], guide: Path, release: str) -> list[str]:
    """A column for each synthesiser and one for real latents, as Markdown; ``release`` is written CORPUS/RELEASE."""
    columns: dict[str, dict[str, str]] = {}
    for folder in made_by:
        config = QualityConfig(release, guide=guide, takes=TAKES, only_unseen=True)
        for row in quality(folder, config, progress=Progress()).rows:
            names = {"made": folder.name, "real": "real latents", "rebuilt": f"real ones, rebuilt for {folder.name}"}
            name = names.get(row.of)
            if name is not None:
                columns.setdefault(name, {})[row.figure] = f"{row.value:.3f}"
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for figure, told in FIGURES.items():
        lines.append(f"| {told} | {' | '.join(column.get(figure, '–') for column in columns.values())} |")
    return lines
