"""Train the codebook on real speech, and say how repetitive clips are that it has not heard.

    python -m curation.tokenisers.train --speech DIR --speech DIR --credit "…" --to curation/tokenisers/NAME.npz

Folders are searched for WAV and FLAC. The name of a file decides on which side it is: one in three is held out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from catalogs.ids import seed_of
from catalogs.signal import resample
from curation.metrics.voice_activity import SpeechDetector
from curation.tokenisers.codebook import Codebook, Frames, fit
from curation.tokenisers.frames import RATE_HZ, FrameEncoder
from curation.tokenisers.sequences import looped_share, repetition_rate
from curation.tokenisers.tokeniser import trim

LONGEST_S = 12.0
PERCENTILES = (50, 95, 99)
SEED = 1


def main(
    speech: Annotated[list[Path], typer.Option(help="Folders of real speech.")],
    to: Annotated[Path, typer.Option(help="The codebook to write.")],
    credit: Annotated[str, typer.Option(help="Whose speech it is, and under which licences.")],
    size: Annotated[int, typer.Option(help="How many codes.")] = 100,
    clips: Annotated[int, typer.Option(help="At most so many clips of a folder.")] = 120,
) -> None:
    """Train, write, and report repetition on the clips held out."""
    heard: list[Frames] = []
    held_out: list[Frames] = []
    detector, encoder = SpeechDetector(), FrameEncoder()
    for path in (file for folder in speech for file in _files(folder, most=clips)):
        wave = _read(path)
        trimmed, is_speech = trim(wave, detector.stretches([wave])[0])
        frames = encoder.frames(trimmed)
        (held_out if seed_of(path.name) % 3 == 0 else heard).append(frames[is_speech[: len(frames)]])
    made_from: dict[str, str | int] = {"credit": credit, "clips": len(heard)}
    codebook = fit(np.concatenate(heard), size=size, seed=SEED, made_from=made_from)
    codebook.save(to)
    typer.echo(f"{to}: {size} codes from {len(heard)} clips, {to.stat().st_size / 1000:.0f} kB, {codebook.sha256[:12]}")
    report(codebook, held_out)


def report(codebook: Codebook, held_out: list[Frames]) -> None:
    """Print percentiles of both measures of repetition over clips of a second or more."""
    rows = [codebook.codes(frames) for frames in held_out if len(frames) >= 50]
    for name, figures in (
        ("looped share", [looped_share(row) for row in rows]),
        ("R_rep (k = 4)", [repetition_rate(row) for row in rows]),
    ):
        found = ", ".join(f"p{p} {np.percentile(figures, p):.3f}" for p in PERCENTILES)
        typer.echo(f"{name}: {found}; above 0.1: {np.mean(np.array(figures) > 0.1):.0%} of {len(rows)} clips")


def _files(folder: Path, *, most: int) -> Iterator[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix in {".wav", ".flac"})
    yield from sorted(found, key=lambda path: seed_of(path.name))[:most]


def _read(path: Path) -> NDArray[np.float32]:
    """The first `LONGEST_S` of a file, mono, at 16 kHz."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples[: round(LONGEST_S * rate_hz)].mean(axis=1)
    return resample(mono, from_hz=rate_hz, to_hz=RATE_HZ) if rate_hz != RATE_HZ else mono


if __name__ == "__main__":
    typer.run(main)
