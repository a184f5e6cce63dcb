"""Pitch: frames within 50 cents of Harvest, ours and plain DIO, of those that both hear as voiced.

    python -m benchmarks.pitch --speech FOLDER

A row a set of real speech (folders with a ``manifest.jsonl``), if there is any, and a row a voice of ours. Harvest is
slow and no truth either, so all three are held against the period of frames that have a clear one, too.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyworld
from numpy.typing import NDArray

from benchmarks.speech_sets import RATE_HZ, Spoken, recordings, voices
from catalogs.pitch import HIGHEST_HZ, LOWEST_HZ, pitch_track

FRAME_S = 0.01
CLIPS, LONGEST_S = 12, 8.0
WINDOW_S, CLEAR = 0.03, 0.9

Track = NDArray[np.float64]


def measure(speech: Path | None) -> str:
    """The table, as Markdown, and how fast two of them are."""
    spent_s = dict.fromkeys(WAYS, 0.0)
    audio_s = 0.0
    rows = [
        "| | frames | ours | DIO | clear frames | ours | DIO | Harvest |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, waves in _sets(speech):
        found: dict[str, list[Track]] = {way: [] for way in (*WAYS, "period")}
        for wave in waves:
            audio_s += len(wave) / RATE_HZ
            for way, track in WAYS.items():
                began = time.process_time()
                found[way].append(track(wave))
                spent_s[way] += time.process_time() - began
            found["period"].append(_period(wave))
        rows.append(
            f"| {name} | {_cells(found, 'Harvest', ('ours', 'DIO'))} | {_cells(found, 'period', tuple(WAYS))} |"
        )
    speeds = " and ".join(f"{audio_s / spent_s[way]:,.0f}× ({way})" for way in ("ours", "DIO"))
    return "\n".join([*rows, "", f"On one core, {speeds} real time."])


def _cells(found: Mapping[str, Sequence[Track]], truth: str, ways: Sequence[str]) -> str:
    """How many frames are voiced in the truth and the first way, and of how many each way is near the truth."""
    near = {
        way: np.concatenate([_apart_st(*pair) < 0.5 for pair in zip(found[way], found[truth], strict=True)])
        for way in ways
    }
    return " | ".join([f"{len(near[ways[0]]):,}", *(f"{near[way].mean():.1%}" for way in ways)])


def _sets(speech: Path | None) -> Iterator[tuple[str, list[Track]]]:
    for folder in sorted(path.parent for path in speech.glob("*/manifest.jsonl")) if speech else ():
        found = recordings(folder)
        if found:
            yield folder.name, [_wave(spoken) for spoken in found[:: max(1, len(found) // CLIPS)][:CLIPS]]
    for speaker, spoken in groupby(voices(), key=lambda spoken: spoken.speaker):
        yield speaker, [_wave(each) for each in spoken]


def _wave(spoken: Spoken) -> Track:
    return spoken.clip.at(RATE_HZ)[: int(LONGEST_S * RATE_HZ)].astype(np.float64)


def _ours(wave: Track) -> Track:
    return pitch_track(wave, RATE_HZ, frame_s=FRAME_S)[0]


def _dio(wave: Track) -> Track:
    rough, times_s = _with(pyworld.dio, wave, speed=4)
    return np.asarray(pyworld.stonemask(wave, rough, times_s, RATE_HZ))


def _harvest(wave: Track) -> Track:
    return np.asarray(_with(pyworld.harvest, wave)[0])


def _period(wave: Track) -> Track:
    """The pitch of frames with a clear period, 0 elsewhere, by normalised autocorrelation.

    Of the lags whose correlation is within 0.01 of the best, the shortest: a multiple of a period fits as well.
    """
    shortest, longest = int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ)
    size, step = int(WINDOW_S * RATE_HZ), int(FRAME_S * RATE_HZ)
    padded = np.pad(wave, (size // 2, size // 2 + longest))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size + longest)[::step]
    lags = np.arange(shortest, longest + 1)
    spectra = np.fft.rfft(frames) * np.conj(np.fft.rfft(frames[:, :size], frames.shape[1]))
    shared = np.fft.irfft(spectra, frames.shape[1])[:, lags]
    power = np.cumsum(np.pad(frames, ((0, 0), (1, 0))) ** 2, axis=1)
    energy = power[:, [size]] * (power[:, size + lags] - power[:, lags])
    alike = shared / np.sqrt(np.maximum(energy, 1e-12))
    best = alike.max(axis=1)
    first = np.argmax(alike >= best[:, None] - 0.01, axis=1)
    return np.where(best > CLEAR, RATE_HZ / lags[first], 0.0)


def _with(tracker: Callable[..., tuple[Track, Track]], wave: Track, **options: int) -> tuple[Track, Track]:
    return tracker(wave, RATE_HZ, f0_floor=LOWEST_HZ, f0_ceil=HIGHEST_HZ, frame_period=1000 * FRAME_S, **options)


def _apart_st(one: Track, other: Track) -> Track:
    """Semitones between two tracks, where both are voiced."""
    size = min(len(one), len(other))
    both = (one[:size] > 0) & (other[:size] > 0)
    return np.abs(12 * np.log2(one[:size][both] / other[:size][both]))


WAYS: Mapping[str, Callable[[Track], Track]] = {"ours": _ours, "DIO": _dio, "Harvest": _harvest}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path)
    print(measure(parser.parse_args().speech))
