"""Pitch: frames within 50 cents of Harvest, ours and plain DIO, of those that both hear as voiced.

    python -m benchmarks.pitch --speech FOLDER

A row a set of real speech (folders with a ``manifest.jsonl``) and a row a voice of ours. Harvest is slow and no truth
either: of piper/joe, whose fundamental is 20 dB below its second harmonic, it loses half.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pyworld
from numpy.typing import NDArray

from benchmarks.speech_sets import RATE_HZ, Spoken, recordings, voices
from catalogs.pitch import HIGHEST_HZ, LOWEST_HZ, pitch_track

FRAME_S = 0.01
CLIPS, LONGEST_S = 12, 8.0

Track = NDArray[np.float64]


def measure(speech: Path) -> str:
    """The table, as Markdown, and how fast the two are."""
    spent_s = {"ours": 0.0, "dio": 0.0}
    audio_s = 0.0
    rows = ["| | frames | ours | DIO |", "|---|---:|---:|---:|"]
    for name, waves in _sets(speech):
        near: dict[str, list[Track]] = {"ours": [], "dio": []}
        for wave in waves:
            audio_s += len(wave) / RATE_HZ
            slow = _harvest(wave)
            for way, track in (("ours", _ours), ("dio", _dio)):
                began = time.process_time()
                found = track(wave)
                spent_s[way] += time.process_time() - began
                near[way].append(_apart_st(found, slow) < 0.5)
        ours, dio = (np.concatenate(near[way]) for way in ("ours", "dio"))
        rows.append(f"| {name} | {len(ours):,} | {ours.mean():.1%} | {dio.mean():.1%} |")
    speeds = " and ".join(f"{audio_s / seconds:,.0f}× ({way})" for way, seconds in spent_s.items())
    return "\n".join([*rows, "", f"On one core, {speeds} real time."])


def _sets(speech: Path) -> Iterator[tuple[str, list[Track]]]:
    for folder in sorted(path.parent for path in speech.glob("*/manifest.jsonl")):
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


def _with(tracker: Callable[..., tuple[Track, Track]], wave: Track, **options: int) -> tuple[Track, Track]:
    return tracker(wave, RATE_HZ, f0_floor=LOWEST_HZ, f0_ceil=HIGHEST_HZ, frame_period=1000 * FRAME_S, **options)


def _apart_st(one: Track, other: Track) -> Track:
    """Semitones between two tracks, where both are voiced."""
    size = min(len(one), len(other))
    both = (one[:size] > 0) & (other[:size] > 0)
    return np.abs(12 * np.log2(one[:size][both] / other[:size][both]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    print(measure(parser.parse_args().speech))
