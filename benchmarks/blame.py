"""P(voice at fault), fitted and held to account: `python -m benchmarks.blame --speech FOLDER`.

Half the clips, real and of our own voices, get a fault of which the truth is known (curation.words.faults). Both judges
hear all of them; the weights are fitted on all sources but one and tested on that one, in turn. Prints the figures,
and the weights of a fit on everything, to be pinned in curation/words/blame.py.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.metrics import _clips as synthetic_clips
from benchmarks.table import Row, markdown
from catalogs.clip import Clip
from catalogs.ids import content_id
from catalogs.signal import to_float32, to_int16
from curation.metrics.phones import PhonesConfig
from curation.metrics.words import WordsConfig
from curation.words.blame import FEATURES
from curation.words.faults import KINDS, specimens

SETS = ("ljspeech", "libri_multispk", "libri_longspk", "coffee_orders", "kathleen")
LONGEST_S = 9.0
RIDGE = 0.1

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """A clip's source, its fault (none is ""), and the figures of both judges."""

    source: str
    fault: str
    figures: dict[str, float | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real English speech")
    parser.add_argument("--clips", type=int, default=40, help="clips a source")
    parser.add_argument("--kept", type=Path, help="file of figures: written by the first call, read by later ones")
    arguments = parser.parse_args()
    print(measure(arguments.speech, clips=arguments.clips, kept=arguments.kept))


def measure(speech: Path, *, clips: int, kept: Path | None = None) -> str:
    """The figures as Markdown, and the weights."""
    known = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.is_file() else []
    heard = [Heard(**row) for row in known] or list(_heard(speech, clips))
    if kept and not known:
        kept.write_text("".join(json.dumps(vars(row)) + "\n" for row in heard))
    return f"{_tables(heard)}\n{_weights(heard)}"


def _heard(speech: Path, clips: int) -> Iterator[Heard]:
    configs = (WordsConfig(), PhonesConfig())
    judges = [(tuple(column.name for column in config.card().columns), config.build()) for config in configs]
    for source, found in _sources(speech, clips):
        for specimen in specimens(found, share=0.5):
            figures = {}
            for names, judge in judges:
                figures |= dict(zip(names, judge.measure([specimen.clip])[0].values, strict=True))
            yield Heard(source, specimen.fault or "", figures)


def _sources(speech: Path, clips: int) -> Iterator[tuple[str, list[Clip]]]:
    for name in SETS:
        yield name, list(islice(_real_clips(speech / name), clips))
    synthetic = synthetic_clips(2 * clips)
    for engine, found in (("kokoro", synthetic[:clips]), ("piper", synthetic[clips:])):
        yield engine, [clip for clip in found if clip.duration_s <= LONGEST_S]


def _real_clips(folder: Path) -> Iterator[Clip]:
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for row in sorted(rows, key=lambda row: content_id("clip", row["id"])):
        if 1.0 < row["duration"] <= LONGEST_S:
            samples, rate_hz = soundfile.read(folder / row["audio"], dtype="float32")
            stored = to_float32(to_int16(samples))
            take_id = content_id("take", row["id"])
            yield Clip(take_id, content_id("voice", row["speaker"]), stored, rate_hz, row["text"], row["text"], "en")


def _tables(heard: Sequence[Heard]) -> str:
    inputs, faulty = _inputs(heard), np.array([bool(row.fault) for row in heard])
    sources = np.array([row.source for row in heard])
    held_out = np.zeros(len(heard))
    for source in dict.fromkeys(sources):
        others = sources != source
        weights = fit(inputs[others], faulty[others])
        held_out[~others] = probability(weights, inputs[~others])
    rows = [
        Row("both judges, held out", f"{auc(held_out, faulty):.3f}", f"{ece(held_out, faulty):.3f}"),
        Row("WER alone", f"{auc(_figure(heard, 'wer'), faulty):.3f}", "–"),
        Row("PER alone", f"{auc(_figure(heard, 'per'), faulty):.3f}", "–"),
    ]
    kinds = np.array([row.fault for row in heard])
    told = ", ".join(f"{kind} {np.mean(held_out[kinds == kind] > 0.5):.0%}" for kind in KINDS)
    alarms = ", ".join(
        f"{source} {np.mean(held_out[(sources == source) & ~faulty] > 0.5):.0%}" for source in dict.fromkeys(sources)
    )
    title = f"Voice at fault: {len(heard)} clips, {faulty.sum()} faulty (AUC, ECE)"
    return f"{markdown(title, 'ECE', rows)}\nfound: {told}\nfalse alarms: {alarms}"


def _figure(heard: Sequence[Heard], name: str) -> Vector:
    return np.array([row.figures[name] if row.figures[name] is not None else 1.0 for row in heard], np.float64)


def _weights(heard: Sequence[Heard]) -> str:
    *weights, bias = fit(_inputs(heard), np.array([bool(row.fault) for row in heard])).tolist()
    return f"weights=({', '.join(f'{weight:.4f}' for weight in weights)}), bias={bias:.4f}"


def _inputs(heard: Sequence[Heard]) -> Vector:
    return np.array([[feature.of(row.figures) for feature in FEATURES] for row in heard])


def fit(inputs: Vector, faulty: NDArray[np.bool_]) -> Vector:
    """Logistic regression by Newton's method, with a small ridge on standardised features: weights, then the bias."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    design = np.column_stack([(inputs - mean) / scale, np.ones(len(inputs))])
    ridge = np.diag([RIDGE] * inputs.shape[1] + [0.0])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (faulty - chance) - ridge @ weights
        weights = weights + np.linalg.solve((design.T * (chance * (1 - chance))) @ design + ridge, gradient)
    slopes = weights[:-1] / scale
    return np.append(slopes, weights[-1] - slopes @ mean)


def probability(weights: Vector, inputs: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-(inputs @ weights[:-1] + weights[-1]))))


def auc(scores: Vector, faulty: NDArray[np.bool_]) -> float:
    """The share of pairs of a faulty and a sound clip that the score puts in order, ties half."""
    difference = scores[faulty][:, None] - scores[~faulty][None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def ece(chances: Vector, faulty: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins = np.minimum((chances * 10).astype(int), 9)
    gaps = [abs(chances[bins == b].mean() - faulty[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())]
    return float(sum(gaps))


if __name__ == "__main__":
    main()
