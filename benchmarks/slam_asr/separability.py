"""Does hiding the machine's voice help? How well each row's layers tell synthetic from real, against its WER.

    python -m benchmarks.slam_asr.separability --work corpora/asr [--takes 60] [ROW ...]

Every row's first seed is probed with real and synthetic readings of the same texts. Separability is the mean area under
the curve over the layers of the language model; Spearman's rank correlation is over rows. A row in which synthetic
speech is harder to tell need not hear real people any better, which is why nothing is accepted by its separability.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from scipy.stats import spearmanr

from benchmarks.slam_asr.rows import ROWS, figure_of, folder_of, tested
from catalogs.progress import Progress
from training.probing.report import ProbeConfig, probe


def measure(work: Path, names: Sequence[str], takes: int) -> str:
    """The table, as Markdown."""
    lines = [
        "| row | AUC, language model | AUC, projector | WER |",
        "|---|---:|---:|---:|",
    ]
    pairs: list[tuple[float, float]] = []
    for name in names:
        folder = folder_of(name, work, seed=0)
        if not folder.exists():
            lines.append(f"| {name} | not trained | | |")
            continue
        config = ProbeConfig(str(work / "real" / "real-100"), str(work / "twin" / "raw"), takes=takes)
        layers = {row.layer: row.auc.value for row in probe(folder, config, progress=Progress()).layers}
        of_lm = mean(value for layer, value in layers.items() if layer.startswith("language_model"))
        wer = figure_of(tested(folder, work), "wer")
        pairs.append((of_lm, wer))
        lines.append(f"| {name} | {of_lm:.3f} | {layers['projector']:.3f} | {wer:.1%} |")
    if len(pairs) < 3:
        return "\n".join([*lines, "", "no correlation: it takes three rows"])
    found = spearmanr(pairs)
    lines += ["", f"Spearman, separability and WER: {found.statistic:+.2f} (p {found.pvalue:.2f})"]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--takes", type=int, default=60)
    asked = parser.parse_args()
    print(measure(asked.work, asked.rows, asked.takes))
