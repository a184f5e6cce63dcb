"""Exports of one release against lhotse's own way to Shar, which decodes and encodes again; takes per second."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from benchmarks.table import Row
from catalogs.export import FORMATS, ExportConfig, ReleasedTake, export
from catalogs.flac import encode, pcm_sha256
from catalogs.ids import content_id
from catalogs.records import Prompt, Release, Take, VoiceCard

RATE_HZ = 24_000
TAKE_S = 3
REPEATS = 3


def measure(*, takes: int) -> list[Row]:
    """One row a format, and Shar at another rate; both sides read every take from a file of its own."""
    items = [_released(number) for number in range(takes)]
    release = _release(items)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "in").mkdir()
        for item in items:
            _path(root, item).write_bytes(item.flac)
        theirs = _best(lambda: _lhotse(items, root))
        rows = []
        for config in (*(ExportConfig(name) for name in FORMATS), ExportConfig("shar", rate_hz=16_000)):
            ours = _best(lambda config=config: _ours(items, release, root, config))
            what = config.format + (f" at {config.rate_hz:,} Hz" if config.rate_hz else "")
            rows.append(Row(what, f"{takes / ours:,.0f} takes/s", f"{takes / theirs:,.0f} takes/s", theirs / ours))
    return rows


def _ours(items: list[ReleasedTake], release: Release, root: Path, config: ExportConfig) -> None:
    def read() -> Iterator[ReleasedTake]:
        for item in items:
            yield replace(item, flac=_path(root, item).read_bytes())

    shutil.rmtree(root / "out", ignore_errors=True)
    export(read(), release, to=root / "out", config=config)


def _lhotse(items: list[ReleasedTake], root: Path) -> None:
    from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment

    shutil.rmtree(root / "out", ignore_errors=True)
    (root / "out").mkdir()
    cuts = []
    for item in items:
        name = item.take.id
        source = AudioSource("file", [0], str(_path(root, item)))
        recording = Recording(name, [source], RATE_HZ, RATE_HZ * TAKE_S, float(TAKE_S))
        text = SupervisionSegment(name, name, 0, float(TAKE_S), text=item.prompt.text)
        cuts.append(MonoCut(name, 0, float(TAKE_S), 0, recording=recording, supervisions=[text]))
    CutSet.from_cuts(cuts).to_shar(root / "out", fields={"recording": "flac"}, shard_size=1000)


def _best(work: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def _released(number: int) -> ReleasedTake:
    noise = np.random.default_rng(number).normal(0, 3000, RATE_HZ * TAKE_S)
    pcm = np.convolve(noise, np.ones(8) / 8, "same").astype(np.int16)
    flac, text = encode(pcm, RATE_HZ), f"this is sentence number {number}"
    prompt = Prompt(Prompt.id_of(text, "en"), text, "en")
    voice = VoiceCard.new(
        engine="noise", speaker="noise", language="en", sample_rate_hz=RATE_HZ, checkpoint_sha256="",
        licence="CC0-1.0", consent="nobody spoke",
    )  # fmt: skip
    take = Take(
        content_id("take", number), None, prompt.id, voice.id, "real", "", 0, len(flac), pcm_sha256(pcm),
        RATE_HZ, len(pcm),
    )  # fmt: skip
    return ReleasedTake(take, prompt, voice, "train", flac)


def _release(items: list[ReleasedTake]) -> Release:
    when = datetime(2000, 1, 1)
    return Release(content_id("bench"), "bench", None, "", when, len(items), len(items) * TAKE_S * 1.0, ("CC0-1.0",))


def _path(root: Path, item: ReleasedTake) -> Path:
    return root / "in" / f"{item.take.id}.flac"
