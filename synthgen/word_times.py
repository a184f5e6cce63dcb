"""When each word of a text is said, from the sounds a voice made of it and how long each lasts.

A voice knows its sounds and the blanks between them, but a blank is not always where the text has one: espeak-ng reads
"of the" as one group of sounds, and "A-T-M" or a number may be several. So the words are read out one by one as well,
and their sounds are laid along the groups by edit distance; what does not fit well is not timed at all.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from catalogs.records import WordTime

MARKS = frozenset(" ;:,.!?—…¡¿«»“”\"()'")
"""Symbols that are no sound: the blank, and what makes a pause."""

_STRESS = frozenset("ˈˌ")
_MOST_ERRORS = 0.5
_MOST_TOGETHER = 4
_UNEVEN = 0.1
"""What it costs, in sounds, to lay several words on one group or one word on several: it decides between equals."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A symbol of a reading, and when it is heard; one of `MARKS` parts words."""

    symbol: str
    start_s: float
    end_s: float


def sounds_of(symbols: Sequence[str], durations_s: Iterable[float], *, start_s: float = 0.0) -> list[Sound]:
    """Sounds that follow each other without a gap.

    A blank between two words lasts no time: what a voice gives it is the way to the next sound, which begins as much
    earlier. One behind another of `MARKS` is silence.
    """
    sounds: list[Sound] = []
    begun_s = end_s = start_s
    before = " "
    for symbol, duration_s in zip(symbols, durations_s, strict=True):
        end_s += duration_s
        is_way = symbol == " " and before not in MARKS
        sounds.append(Sound(symbol, begun_s, begun_s if is_way else end_s))
        begun_s, before = sounds[-1].end_s, symbol
    return sounds


def word_times(sounds: Sequence[Sound], words: Sequence[str]) -> tuple[WordTime, ...] | None:
    """When the words are said; ``words`` has the sounds of each, read alone.

    None if a word has no sounds, or if the words cannot be told apart in the sounds. No word overlaps the next.
    """
    groups = [list(group) for is_mark, group in groupby(sounds, key=lambda s: s.symbol in MARKS) if not is_mark]
    wanted = [_plain(word) for word in words]
    if not wanted or not groups or not all(wanted):
        return None
    times: list[WordTime] = []
    for numbers, places in _pairs(wanted, [_plain(_written(group)) for group in groups]):
        parts = _parts([s for place in places for s in groups[place]], [wanted[number] for number in numbers])
        if parts is None:
            return None
        times += [WordTime(_single(part[0].start_s), _single(part[-1].end_s)) for part in parts]
    return tuple(times) or None


def until_silent(times: Sequence[WordTime], samples: NDArray[np.float32], *, rate_hz: int) -> tuple[WordTime, ...]:
    """The words without the silence at their end, where no other follows at once; for voices that count it in.

    Silent is what is 40 dB below the loudest 10 ms.
    """
    size = rate_hz // 100
    frames = samples[: len(samples) // size * size].reshape(-1, size)  # (N, 10 ms)
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    heard = np.flatnonzero(power > 1e-4 * power.max(initial=0.0)) + 1
    found = []
    for time, following in zip(times, [*times[1:], None], strict=True):
        ends_s = heard[(heard * size > time.start_s * rate_hz) & (heard * size < time.end_s * rate_hz)] * size / rate_hz
        is_followed = following is not None and following.start_s <= time.end_s
        found.append(time if is_followed or not len(ends_s) else replace(time, end_s=_single(ends_s[-1])))
    return tuple(found)


def _pairs(words: Sequence[str], groups: Sequence[str]) -> list[tuple[range, range]]:
    """Words and the groups of sounds that are theirs, in order: many words to one group, or one to many.

    Empty if more than half of all sounds would be wrong; a single word has all there is.
    """
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    band = abs(len(words) - len(groups)) + 2 * _MOST_TOGETHER
    most_groups = max(_MOST_TOGETHER, len(groups) - len(words) + 1)
    steps = [(1, n) for n in range(1, most_groups + 1)] + [(n, 1) for n in range(2, _MOST_TOGETHER + 1)]
    for i in range(1, len(words) + 1):
        for j in range(max(1, i - band), min(len(groups), i + band) + 1):
            tries = [
                (best[i - a, j - b][0] + _cost(words[i - a : i], groups[j - b : j]), (i - a, j - b))
                for a, b in steps
                if (i - a, j - b) in best
            ]
            if tries:
                best[i, j] = min(tries)
    at = (len(words), len(groups))
    limit = _MOST_ERRORS * sum(map(len, words))
    if at not in best or (best[at][0] > limit and len(words) > 1):
        return []
    found = []
    while at != (0, 0):
        before = best[at][1]
        found.append((range(before[0], at[0]), range(before[1], at[1])))
        at = before
    return found[::-1]


def _cost(words: Sequence[str], groups: Sequence[str]) -> float:
    return Levenshtein.distance("".join(words), "".join(groups)) + _UNEVEN * (len(words) + len(groups) - 2)


def _parts(sounds: Sequence[Sound], words: Sequence[str]) -> list[Sequence[Sound]] | None:
    """The sounds cut where one word ends and the next begins; None if a cut, or one side of it, is not clear."""
    owners = [index for index, sound in enumerate(sounds) for _ in _plain(sound.symbol)]
    same = {
        op.src_start + n: owners[op.dest_start + n]
        for op in Levenshtein.opcodes("".join(words), _plain(_written(sounds)))
        if op.tag == "equal"
        for n in range(op.src_end - op.src_start)
    }
    ends = list(accumulate(map(len, words)))[:-1]
    cuts = [_cut(sounds, last=same.get(end - 1), first=same.get(end)) for end in ends]
    edges = [0, *(cut or 0 for cut in cuts), len(sounds)]
    parts = [sounds[start:end] for start, end in pairwise(edges)]
    return parts if all(_plain(_written(part)) for part in parts) else None


def _cut(sounds: Sequence[Sound], *, last: int | None, first: int | None) -> int | None:
    """Where the next word begins, if the last sound of the one or the first of the other is in its place.

    A mark of stress goes with the sound behind it, one of length with the sound before it. None if neither is, or if
    there are sounds between the two.
    """
    if first is None:
        if last is None:
            return None
        first = next((n for n in range(last + 1, len(sounds)) if _plain(sounds[n].symbol)), len(sounds))
    elif last is not None and _plain(_written(sounds[last + 1 : first])):
        return None
    while first > 0 and sounds[first - 1].symbol in _STRESS:
        first -= 1
    return first


def _written(sounds: Iterable[Sound]) -> str:
    return "".join(sound.symbol for sound in sounds)


def _plain(ipa: str) -> str:
    """Letters alone: no stress, length, accents, tones or blanks."""
    letters = unicodedata.normalize("NFD", ipa)
    return "".join(letter for letter in letters if unicodedata.category(letter) in ("Ll", "Lu", "Lo"))


def _single(seconds: float) -> float:
    return float(np.float32(seconds))
