"""Stuck voices: is a voice found out that holds on to one sound, and is ordinary speech left alone?

    python -m benchmarks.stuck --speech FOLDER

Clips of real speech (folders with a ``manifest.jsonl``) as they are; then with one of their louder voiced moments held
on for so many seconds more: its parameters, by WORLD, or 20 ms of the wave again and again.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyworld
import soundfile
from numpy.typing import NDArray

from benchmarks.corpora import rows_of
from catalogs.ids import seed_of
from catalogs.pitch import pitch_track
from catalogs.signal import resample
from curation.metrics.tokens import HELD_S, LOOPED_ABOVE, Tokens, describe
from curation.tokenisers.codebook import Codebook
from curation.tokenisers.frames import FRAMES_HZ, RATE_HZ
from curation.tokenisers.tokeniser import CODEBOOK, WhisperTokeniser

Wave = NDArray[np.float32]

AS_THEY_ARE, STUCK = 60, 8
"""Clips of each set."""

LONGEST_S, STUCK_LONGEST_S, SHORTEST_S = 12.0, 6.0, 1.5
HELD_ON_S = (0.2, 0.3, 0.5, 1.0, 2.0)
FRAME_S, PIECE_S = 0.005, 0.02


def measure(speech: Path) -> str:
    """Both tables, as Markdown."""
    tokeniser = WhisperTokeniser(Codebook.load(CODEBOOK))

    def found(waves: Iterator[Wave]) -> list[Tokens]:
        described = [describe(tokeniser.tokens([wave])[0], rate_hz=FRAMES_HZ) for wave in waves]
        return [tokens for tokens in described if tokens.token_count and tokens.token_count >= FRAMES_HZ]

    whole = found(_waves(speech, most=AS_THEY_ARE, longest_s=LONGEST_S))
    held_s = np.array([tokens.token_held_s for tokens in whole])
    percentiles = ", ".join(f"p{p} {np.percentile(held_s, p):.2f}" for p in (50, 95, 99))
    rows = [
        f"{len(whole)} clips as they are: token_held_s {percentiles}, at most {held_s.max():.2f} s",
        "",
        f"| held on, s | way | clips | token_held_s > {HELD_S} | token_repetition > {LOOPED_ABOVE} |",
        "|---|---|---:|---:|---:|",
    ]
    for more_s in HELD_ON_S:
        for name, stick in WAYS.items():
            stuck = found(stick(wave, more_s) for wave in _waves(speech, most=STUCK, longest_s=STUCK_LONGEST_S))
            shares = [
                np.mean([tokens.token_held_s > HELD_S for tokens in stuck if tokens.token_held_s is not None]),
                np.mean(
                    [tokens.token_repetition > LOOPED_ABOVE for tokens in stuck if tokens.token_repetition is not None]
                ),
            ]
            rows.append(f"| {more_s} | {name} | {len(stuck)} | {' | '.join(f'{share:.0%}' for share in shares)} |")
    return "\n".join(rows)


def held_by_world(wave: Wave, more_s: float) -> Wave:
    """One voiced frame's pitch, spectrum and noise stay as they are."""
    samples = wave.astype(np.float64)
    f0, times = pitch_track(samples, RATE_HZ, frame_s=FRAME_S)
    place = _moment(wave, f0 > 0)
    parts = (f0, pyworld.cheaptrick(samples, f0, times, RATE_HZ), pyworld.d4c(samples, f0, times, RATE_HZ))
    counts = np.ones(len(f0), np.int64)
    counts[place] += round(more_s / FRAME_S)
    pitch, spectrum, noise = (np.repeat(part, counts, axis=0) for part in parts)
    return pyworld.synthesize(pitch, spectrum, noise, RATE_HZ, 1000 * FRAME_S).astype(np.float32)


def said_again(wave: Wave, more_s: float) -> Wave:
    """A piece of the wave, from one voiced moment, again and again."""
    f0, _ = pitch_track(wave.astype(np.float64), RATE_HZ, frame_s=FRAME_S)
    start = round(_moment(wave, f0 > 0) * FRAME_S * RATE_HZ)
    piece = wave[start : start + round(PIECE_S * RATE_HZ)]
    return np.concatenate((wave[:start], np.tile(piece, round(more_s / PIECE_S)), wave[start:]))


WAYS: dict[str, Callable[[Wave, float], Wave]] = {"WORLD": held_by_world, "20 ms": said_again}


def _moment(wave: Wave, is_voiced: NDArray[np.bool_]) -> int:
    """A voiced frame of the louder half, by chance that is the wave's own; the middle where there is none."""
    step = round(FRAME_S * RATE_HZ)
    frames = min(len(is_voiced), len(wave) // step)
    level = np.square(wave[: frames * step]).reshape(frames, step).mean(axis=1)
    loud = np.flatnonzero(is_voiced[:frames] & (level >= np.median(level)))
    return int(np.random.default_rng(len(wave)).choice(loud)) if len(loud) else frames // 2


def _waves(speech: Path, *, most: int, longest_s: float) -> Iterator[Wave]:
    for manifest in sorted(speech.glob("*/manifest.jsonl")):
        paths = [manifest.parent / row["audio"] for row in rows_of(manifest)]
        for path in sorted(paths, key=lambda path: seed_of(path.name))[:most]:
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            mono = samples[: round(longest_s * rate_hz)].mean(axis=1)
            if len(mono) >= SHORTEST_S * rate_hz:
                yield resample(mono, from_hz=rate_hz, to_hz=RATE_HZ) if rate_hz != RATE_HZ else mono


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real speech")
    print(measure(parser.parse_args().speech))
