"""The test with noise in it: the same recordings, each at 10 dB above white or pink noise, as a corpus of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.corpora import freeze, ingest, rows_of, write
from training.augmentation.variants import AugmentationConfig
from training.members import RATE_HZ, DataConfig, members_of

SNR_DB = 10.0
NOISE: Mapping[str, Any] = {"step": "noise", "probability": 1.0, "snr_db": [SNR_DB, SNR_DB], "kinds": ["white", "pink"]}


def make_noisy(corpus: Path, release: str, to: Path) -> None:
    """Make the corpus ``to`` with a release of the same name; the manifest of ``corpus`` lies beside it."""
    _, members = members_of(DataConfig(str(corpus), release, split=None))
    augmentation = AugmentationConfig(variants=1, steps=(NOISE,)).build(members)
    slots = {row["text"]: row.get("slots", {}) for row in rows_of(corpus.with_suffix(".jsonl"))}
    audio = to.parent / "noisy-audio"
    audio.mkdir(parents=True, exist_ok=True)
    rows = []
    for member in members:
        path = audio / f"{member.take_id}.flac"
        soundfile.write(path, augmentation.heard(member, 1), RATE_HZ)
        row = {"audio": str(path.resolve()), "text": member.text, "speaker": member.speaker, "domain": member.domain}
        rows.append(row | {"slots": slots[member.text], "license": "as that of the test"})
    manifest = to.with_suffix(".jsonl")
    write(manifest, rows)
    ingest(manifest, to)
    freeze(to, {release: "true"})
