"""What a recogniser makes up where nobody speaks: words in noise, hum and silence.

Behind a checkpoint the rows are kept, in <checkpoint>/hallucinations/<the first eight digits of their id>/
hallucinations.json      who has heard what, and the figures
sounds.jsonl             a row for each sound, with what was heard in it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalogs.audio import hash_file
from catalogs.ids import Id, content_id
from catalogs.intervals import wilson
from catalogs.progress import Progress
from catalogs.records import Failure
from catalogs.stage import Outcome, batched, one_by_one
from catalogs.text import normalise
from training import checkpoint
from training.answering import Answer
from training.evaluation.naming import checkpoint_folder, recogniser_named
from training.evaluation.nonspeech import VERSION, Sound, made, recorded
from training.evaluation.recogniser import Recogniser
from training.evaluation.resampling import Interval, interval, ratio, replicates
from training.members import RATE_HZ
from training.overrun import overrun
from training.probing.keeping import keep_about, keep_rows

STAGE = "hallucinations"
ABOUT, SOUNDS = "hallucinations.json", "sounds.jsonl"
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class HallucinationConfig:
    """``sounds`` of each kind are made from ``seed``; ``noise`` is a folder of recordings in which nobody speaks.

    ``language`` is a BCP 47 tag, by which words are counted.
    """

    sounds: int = 20
    seed: int = 0
    noise: Path | None = None
    language: str = "en"
    beams: int = 1

    def __post_init__(self) -> None:
        if self.sounds < 1 or self.beams < 1:
            raise ValueError("hallucinations: sounds and beams must be at least 1")


@dataclass(frozen=True, slots=True)
class SoundRow:
    """What was heard in one sound: words, normalised, and whether they say again what is right before them."""

    sound: str
    kind: str
    seconds: float
    level_db: float | None
    text: str
    num_words: int
    is_looping: bool


@dataclass(frozen=True, slots=True)
class KindRow:
    """The figures of one kind of sound, "all" of all of them, with 95 % intervals.

    ``with_words`` and ``looping`` are shares of sounds, by Wilson's interval. ``words_per_s`` is words over seconds of
    sound, by a bootstrap over sounds; without any word it has no interval.
    """

    kind: str
    num_sounds: int
    seconds: float
    with_words: Interval
    looping: Interval
    words_per_s: Interval


@dataclass(frozen=True, slots=True)
class Hallucinations:
    """What came of it; ``folder`` is where it is kept, None for what has no folder of its own."""

    id: Id
    recogniser: str
    decoding: str
    seed: int
    language: str
    folder: str | None
    kinds: tuple[KindRow, ...]
    worst: tuple[SoundRow, ...]
    failures: tuple[Failure, ...]


def hallucinations(name: str, config: HallucinationConfig, *, progress: Progress) -> Hallucinations:
    """Let a recogniser, a checkpoint's folder or the baseline's name, hear sound in which nobody speaks.

    A sound that cannot be read or heard is a failure, and in no figure.

    Raises:
        UsageError: if the folder of noise has no recordings.
        TrainingError: if there is no such recogniser.
        EngineError: if a model is not to be had.
    """
    sounds = made(config.sounds, seed=config.seed)
    files = [] if config.noise is None else recorded(config.noise)
    recogniser = recogniser_named(name, beams=config.beams)
    rows, failures = hear(recogniser, [*sounds, *files], language=config.language, progress=progress)
    there = {row.sound for row in rows}
    hashes = [hash_file(Path(sound.name)) for sound in files if sound.name in there]
    what = (VERSION, config.sounds, config.seed, config.language, hashes)
    found_id = content_id("hallucinations", recogniser.id, recogniser.decoding, *what)
    folder = checkpoint_folder(name)
    kept = None if folder is None else checkpoint.load(folder).folder / STAGE / found_id[:8]
    found = Hallucinations(
        id=found_id, recogniser=recogniser.name, decoding=recogniser.decoding, seed=config.seed,
        language=config.language, folder=None if kept is None else str(kept), kinds=tuple(figures(rows)),
        worst=tuple(worst(rows)), failures=tuple(failures),
    )  # fmt: skip
    if kept is not None:
        keep_about(kept / ABOUT, found)
        keep_rows(kept / SOUNDS, rows)
    return found


def hear(
    recogniser: Recogniser, sounds: Sequence[Sound], *, language: str, progress: Progress
) -> tuple[list[SoundRow], list[Failure]]:
    """A row for each sound in their order, and what could not be heard."""
    seconds: dict[str, float] = {}

    def heard(batch: Sequence[Sound]) -> list[Answer]:
        waves = {sound.name: sound.wave() for sound in batch}
        seconds.update({name: len(wave) / RATE_HZ for name, wave in waves.items()})
        return recogniser.hear(waves)

    progress.start(f"{recogniser.name} hears", len(sounds))
    rows: dict[str, SoundRow] = {}
    failures: list[Failure] = []
    for batch in batched(sorted(sounds, key=lambda sound: sound.seconds), _AT_ONCE):
        found, failed = one_by_one(heard, batch, stage=STAGE, subject=lambda sound: sound.name)
        rows |= {s.name: _row(s, answer.text, seconds[s.name], language=language) for s, answer in found}
        failures += failed
        progress.receive(Outcome(items=len(batch), failures=failed))
    progress.finish()
    return [rows[sound.name] for sound in sounds if sound.name in rows], failures


def figures(rows: Sequence[SoundRow]) -> list[KindRow]:
    """The figures of all sounds, then those of each kind."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    return [_figures("all", rows)] * bool(rows) + [_figures(k, [row for row in rows if row.kind == k]) for k in kinds]


def worst(rows: Sequence[SoundRow], *, number: int = 5) -> list[SoundRow]:
    """The sounds in which most words were heard, at most so many."""
    return sorted((row for row in rows if row.num_words), key=lambda row: -row.num_words)[:number]


def _row(sound: Sound, text: str, seconds: float, *, language: str) -> SoundRow:
    words = [word for word in normalise(text, language).split() if any(map(str.isalnum, word))]  # "..." says nothing
    is_looping = overrun("", text, language=language).repeated > 0
    return SoundRow(sound.name, sound.kind, seconds, sound.level_db, text, len(words), is_looping)


def _figures(kind: str, rows: Sequence[SoundRow]) -> KindRow:
    sums = np.array([[row.num_words, row.seconds] for row in rows], dtype=np.float64)
    rate = interval(ratio(0, 1), sums, replicates(sums)) or Interval(0.0, None, None)
    return KindRow(
        kind, len(rows), float(sums[:, 1].sum()),
        with_words=_share([row.num_words > 0 for row in rows]),
        looping=_share([row.is_looping for row in rows]),
        words_per_s=rate if rate.value else Interval(0.0, None, None),
    )  # fmt: skip


def _share(found: Sequence[bool]) -> Interval:
    return Interval(sum(found) / len(found), *wilson(sum(found), len(found)))
