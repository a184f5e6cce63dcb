"""Words found again in sounds of which every boundary is known."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.records import WordTime
from synthgen.word_times import Sound, sounds_of, until_silent, word_times

WORDS = st.lists(st.text("ptkmnszaiuɔð", min_size=1, max_size=6), min_size=1, max_size=7)
STEP_S = 0.125


def read(groups: str) -> list[Sound]:
    """Sounds of an eighth of a second each, exact in single precision."""
    return sounds_of(groups, [STEP_S] * len(groups))


def spans(times: Sequence[WordTime] | None) -> list[tuple[float, float]]:
    return [(time.start_s / STEP_S, time.end_s / STEP_S) for time in times or ()]


@given(WORDS, st.lists(st.booleans(), min_size=6, max_size=6), st.lists(st.integers(0, 5), min_size=7, max_size=7))
def test_words_are_found_whether_groups_are_merged_or_split(
    words: list[str], is_merged: list[bool], splits: list[int]
) -> None:
    is_merged = [now and not before for before, now in pairwise([False, *is_merged])]
    written, edges = "", []
    for number, (word, split) in enumerate(zip(words, splits, strict=False)):
        joint = "" if number == 0 or is_merged[number - 1] else " "
        is_alone = not any(is_merged[max(number - 1, 0) : number + 1])
        inner = f"{word[:split]} {word[split:]}" if is_alone and 0 < split < len(word) else word
        start = len(written)
        written += joint + inner
        edges.append((start, len(written)))

    assert spans(word_times(read(written), words)) == edges


def test_a_blank_is_the_way_to_the_next_sound_and_one_behind_a_mark_is_silence() -> None:
    assert spans(word_times(read("no, ai sɛd"), ["noʊ", "aɪ", "sɛd"])) == [(0, 2), (4, 6), (6, 10)]


@pytest.mark.parametrize(
    ("sounds", "words", "edges"),
    [
        ("pˈʊt ɪɾ ɪnðə", ["pˈʊt", "ˈɪt", "ˈɪn", "ðə"], [(0, 4), (4, 7), (7, 10), (10, 12)]),
        ("twɛlv fɚðə", ["twˈɛlv", "fɔːɹ", "ðə"], [(0, 5), (5, 8), (8, 10)]),
        ("fɚɹɐ test", ["fɔːɹ", "ˈeɪ", "tˈɛst"], [(0, 3), (3, 4), (4, 9)]),
        ("maɪ ˈeɪtˈiːˈɛm", ["maɪ", "ˈeɪtˈiːˈɛm"], [(0, 3), (3, 14)]),
        ("ɐ b c d e f", ["ˈeɪbiːsiːdiːiːɛf"], [(0, 11)]),
    ],
)
def test_weak_and_merged_forms_are_told_apart(sounds: str, words: list[str], edges: list[tuple[int, int]]) -> None:
    assert spans(word_times(read(sounds), words)) == edges


@pytest.mark.parametrize(
    ("sounds", "words"),
    [
        ("pˈʊt ɪt", ["pˈʊt", ""]),
        ("pˈʊt ɪt", []),
        (" .", ["pˈʊt"]),
        ("bɑks ɹuːm", ["ʃiː", "siː", "fɪt"]),
        ("ʌvðə", ["ʌv", "ðə", "lɛs"]),
        ("ab", ["x", "y"]),
    ],
)
def test_words_that_do_not_fit_are_not_timed(sounds: str, words: list[str]) -> None:
    assert word_times(read(sounds), words) is None


@given(WORDS, WORDS, st.lists(st.floats(0.0, 2.0), min_size=60, max_size=60))
def test_whatever_is_found_is_in_order_and_within_the_sounds(
    said: list[str], words: list[str], durations_s: list[float]
) -> None:
    written = " ".join(said)[:60]
    sounds = sounds_of(written, durations_s[: len(written)], start_s=0.5)

    found = word_times(sounds, words)

    edges_s = [edge for time in found or () for edge in (time.start_s, time.end_s)]
    assert len(edges_s) in (0, 2 * len(words))
    assert edges_s == sorted(edges_s)
    assert all(0.5 <= edge <= 0.5 + sum(durations_s) + 1e-4 for edge in edges_s)


def test_sounds_follow_each_other() -> None:
    sounds = sounds_of("ab, c", [0.25, 0.5, 0.125, 1.0, 2.0], start_s=1.0)

    assert [sound.start_s for sound in sounds] == list(accumulate([0.25, 0.5, 0.125, 1.0], initial=1.0))
    assert sounds[-1].end_s == 4.875


def test_silence_is_cut_from_the_end_of_a_word_that_nothing_follows() -> None:
    rate_hz = 1_000
    loud, silent = np.full(500, 0.5, np.float32), np.full(500, 0.001, np.float32)
    samples = np.concatenate([loud, silent, loud, silent])
    times = (WordTime(0.0, 0.75), WordTime(1.0, 1.25), WordTime(1.25, 2.0))

    assert until_silent(times, samples, rate_hz=rate_hz) == (
        WordTime(0.0, 0.5),
        WordTime(1.0, 1.25),
        WordTime(1.25, 1.5),
    )
    assert until_silent(times, 0 * samples, rate_hz=rate_hz) == times
    assert until_silent(times, samples[:0], rate_hz=rate_hz) == times
