"""Real speech by domain, in three parts that share no text, and the texts of the first as prompts for voices.

A domain here is a corpus: texts, a way of recording and a few speakers at once, which nothing tells apart. ``test`` is
by speakers that no other part has; of a domain with one speaker it is other texts of the same, whom no model hears that
is tested on it. ``dev`` helps to choose lambda for other domains, and hears models that had no real speech of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import soundfile

from benchmarks.corpora import freeze, ingest, rows_of, write
from benchmarks.slam_asr.data import SPEECH, is_for_training
from benchmarks.speech_sets import RATE_HZ, wave_of
from catalogs.ids import seed_of
from catalogs.stage import batched
from catalogs.text import normalise

Row: TypeAlias = dict[str, Any]

SETS: Mapping[str, Sequence[str]] = {
    "orders": ("coffee_orders",),
    "libri": ("libri_multispk", "libri_longspk"),
    "ljspeech": ("ljspeech",),
    "arctic": ("kathleen",),
    "digits": ("fsdd",),
}
"""Domains, and the sets of speech that they are made of."""

PARTS = ("train", "dev", "test")
TESTED = 0.4
"""Share of a domain's speakers who are tested on; of its texts, if it has one speaker."""
DEV = 0.15
"""Share of the other texts that are no training."""
DIGITS, PAUSE_S, SEQUENCES = 4, 0.1, 80
"""How many digits of one speaker are joined, how much silence is put between two, and how many sequences there are."""
LONGEST_S = 20.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many recordings of a domain's parts there are at most; a text is trained on once."""

    train: int = 80
    dev: int = 16
    test: int = 48

    def __post_init__(self) -> None:
        if min(self.train, self.dev, self.test) < 2:
            raise ValueError("sizes.train, dev and test must be at least 2")


def prepare(speech: Path, work: Path, *, domains: Sequence[str], sizes: Sizes) -> None:
    """Write a manifest and prompts, and make the corpus ``real`` with a release for every part of a domain."""
    work.mkdir(parents=True, exist_ok=True)
    found = [row for name in domains for row in parted(list(recordings(name, speech, work)), sizes=sizes)]
    write(work / "real.jsonl", found)
    kept = ("text", "domain", "split")
    write(work / "prompts.jsonl", [{key: row[key] for key in kept} for row in found if row["split"] == "train"])
    ingest(work / "real.jsonl", work / "real")
    names = [(name, part) for name in domains for part in PARTS]
    freeze(work / "real", {f"{name}-{part}": f"domain = '{name}' AND split = '{part}'" for name, part in names})


def recordings(domain: str, speech: Path, work: Path) -> Iterator[Row]:
    """The recordings of a domain: text, speaker, licence, the whole path of the audio; digits are joined under WORK."""
    for name in SETS[domain]:
        folder = (speech / name).resolve()
        rows = rows_of(folder / "manifest.jsonl")
        if name == "fsdd":
            yield from _joined(rows, folder, work / "digits", domain=domain)
            continue
        for row in rows:
            if row["duration"] <= LONGEST_S:
                text = row["text"].lower() if row["text"].isupper() else row["text"]
                yield _row(domain, row, audio=folder / row["audio"], text=text)


def parted(rows: Sequence[Row], *, sizes: Sizes) -> list[Row]:
    """A domain's recordings with their ``split``, what is drawn of each part; which depends on hashes alone."""
    tested = _tested_speakers(rows)
    parts: dict[str, list[Row]] = {part: [] for part in PARTS}
    is_tested = {id(row): _share(row["text"]) < TESTED if tested is None else row["speaker"] in tested for row in rows}
    held = {_plain(row["text"]) for row in rows if is_tested[id(row)]}
    for row in sorted(rows, key=lambda row: seed_of("syn2real", row["audio"])):
        if is_tested[id(row)]:
            parts["test"].append(row)
        elif _plain(row["text"]) not in held:
            parts["dev" if _share("dev", row["text"]) < DEV else "train"].append(row)
    parts["train"] = list({_plain(row["text"]): row for row in parts["train"]}.values())
    most = {"train": sizes.train, "dev": sizes.dev, "test": sizes.test}
    return [row | {"split": part} for part in PARTS for row in parts[part][: most[part]]]


def _tested_speakers(rows: Sequence[Row]) -> set[str] | None:
    """Who is tested on; None if there is one speaker alone."""
    speakers = sorted({row["speaker"] for row in rows}, key=lambda name: seed_of("syn2real", name))
    if len(speakers) == 1:
        return None
    if rows[0]["domain"] in SPEECH.values():
        return {name for name in speakers if not is_for_training(name)}
    return set(speakers[: round(TESTED * len(speakers))])


def _joined(rows: Sequence[Row], folder: Path, to: Path, *, domain: str) -> Iterator[Row]:
    """Digits that a speaker has said one by one, some in a row: number and order depend on hashes alone."""
    to.mkdir(parents=True, exist_ok=True)
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
    for speaker in sorted({row["speaker"] for row in rows}):
        own = [row for row in rows if row["speaker"] == speaker]
        own = sorted(own, key=lambda row: seed_of("syn2real", row["id"]))[: DIGITS * SEQUENCES]
        for number, part in enumerate(batched(own, DIGITS)):
            path = to / f"{speaker}-{number:03d}.flac"
            if not path.exists():
                waves = [wave for row in part for wave in (wave_of(folder, row), pause)][:-1]
                soundfile.write(path, np.concatenate(waves), RATE_HZ)
            yield _row(domain, part[0], audio=path.resolve(), text=" ".join(row["text"] for row in part))


def _row(domain: str, row: Row, *, audio: Path, text: str) -> dict[str, Any]:
    found = {
        "audio": str(audio), "text": text, "speaker": row["speaker"], "license": row["license"], "domain": domain,
    }  # fmt: skip
    return found | ({"slots": {key: value.strip() for key, value in row["slots"].items()}} if "slots" in row else {})


def _share(*named: str) -> float:
    """A number from 0 to below 1, by hash; texts that are the same when normalised have the same."""
    return seed_of("syn2real", *map(_plain, named)) % 10_000 / 10_000


def _plain(text: str) -> str:
    return normalise(text, "en")
