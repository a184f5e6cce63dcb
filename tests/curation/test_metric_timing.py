"""Word times against words that were read apart and put together with known gaps."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from catalogs.clip import Clip
from catalogs.pronunciations import arpabet, spoken_tokens
from catalogs.records import Line
from catalogs.signal import resample
from curation.metrics.timing import Timing, TimingConfig, TimingMetric
from curation.recogniser import RATE_HZ
from synthgen.voices.piper import PiperConfig

TEXT = "Please turn on the light in the kitchen, then close the door."


@pytest.fixture(scope="module")
def metric() -> TimingMetric:
    pytest.importorskip("hama")
    return TimingConfig().build()


@pytest.fixture(scope="module")
def measured(metric):
    return lambda clip: Timing(*metric.measure([clip])[0].values)


@pytest.fixture(scope="module")
def timing(measured, say) -> Timing:
    return measured(say(TEXT))


def test_the_words_are_the_text_with_its_marks(timing) -> None:
    assert timing.is_timed
    assert " ".join(timing.timed_words) == TEXT


def test_words_follow_each_other_within_the_clip(timing, say) -> None:
    spans = list(zip(timing.word_starts_s, timing.word_ends_s, strict=True))

    assert spans[0][0] >= 0
    assert spans[-1][1] <= say(TEXT).duration_s
    assert all(start < end for start, end in spans)
    assert all(end <= start + 1e-5 for (_, end), (start, _) in pairwise(spans))
    assert timing.least_word_confidence == min(timing.word_confidences) < max(timing.word_confidences) <= 0


def test_silence_between_words_belongs_to_none(measured, say, make_clip) -> None:
    one, two = say("Turn on the light."), say("Close the door.")
    pause = np.zeros(one.sample_rate_hz, np.float32)
    samples = np.concatenate([one.samples, pause, two.samples])

    found = measured(make_clip(samples, rate_hz=one.sample_rate_hz, text=f"{one.text} {two.text}"))

    assert found.word_starts_s[4] - found.word_ends_s[3] > 0.9


def test_a_word_that_was_not_said_has_the_least_confidence(measured, say) -> None:
    clip = replace(say("Please turn on the light in the kitchen."), spoken="Please turn on the mower in the kitchen.")

    found = measured(clip)

    assert int(np.argmin(found.word_confidences)) == 4


def test_numbers_and_spelled_words_are_one_word_each(measured, say) -> None:
    clip = say("my A-T-M card costs twenty-five dollars")

    assert measured(clip).timed_words == ("my", "A-T-M", "card", "costs", "twenty-five", "dollars")
    assert measured(replace(clip, spoken="my A-T-M card costs $25")).timed_words[-2:] == ("twenty-five", "dollars")


def test_a_word_out_of_no_dictionary_is_read_out(measured, say) -> None:
    found = measured(say("take the zorpafenib with water"))

    assert found.timed_words[2] == "zorpafenib"
    assert 0.3 < found.word_ends_s[2] - found.word_starts_s[2] < 1.2


def test_a_text_that_is_not_in_the_clip_is_not_timed(measured, make_clip) -> None:
    assert measured(make_clip(np.zeros(16_000), text=TEXT)) == Timing(is_timed=False)
    assert measured(make_clip(np.zeros(16_000), text="?!")) == Timing(is_timed=False)


def test_an_unknown_language_has_no_figures(measured, say) -> None:
    assert measured(replace(say(TEXT), language="de")) == Timing()


def test_a_mark_that_stands_alone_joins_a_word() -> None:
    assert list(spoken_tokens("- well , I - er … see")) == ["- well ,", "I -", "er …", "see"]
    assert list(spoken_tokens("…")) == ["…"]
    assert list(spoken_tokens(" ")) == []


def test_phones_are_written_in_the_alphabet_of_the_dictionary() -> None:
    assert arpabet(["d͡ʒ", "ʌ", "ː", "d͡ʒ"]) == "JH AH JH"
    assert arpabet(["ː"]) == ""


def test_espeak_words_are_found_within_50_ms(measured, say, make_clip) -> None:
    def read(word: str) -> NDArray[np.float32]:
        return spoken(say(word))

    assert median_error_s(measured, make_clip, [read(word) for word in bare(TEXT)]) < 0.05


def test_piper_words_are_found_within_50_ms(measured, make_clip) -> None:
    config = PiperConfig()
    voice, card = config.build(), config.cards()[0]
    lines = [
        Line.new(prompt_id="p", voice_id=card.id, text=word, normaliser="none", seed=3, temperature=0.667)
        for word in bare(TEXT)
    ]
    readings = [voice.speak([line])[0] for line in lines]

    waves = [trimmed(resample(one.samples, from_hz=one.sample_rate_hz, to_hz=RATE_HZ)) for one in readings]

    assert median_error_s(measured, make_clip, waves) < 0.05


def bare(text: str) -> list[str]:
    return [word.strip(",.") for word in text.split()]


def spoken(clip: Clip) -> NDArray[np.float32]:
    return trimmed(resample(clip.samples, from_hz=clip.sample_rate_hz, to_hz=RATE_HZ))


def trimmed(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without what is more than 40 dB below the loudest 5 ms."""
    power = np.convolve(wave**2, np.ones(80) / 80, "same")
    heard = np.flatnonzero(power > 1e-4 * power.max())
    return wave[heard[0] : heard[-1] + 1]


def median_error_s(measured, make_clip, words: Sequence[NDArray[np.float32]]) -> float:
    """How far found boundaries are from those of words with gaps of 0.05 to 0.5 s."""
    gaps = np.random.default_rng(0).uniform(0.05, 0.5, len(words) + 1)
    silences = [np.zeros(int(gap * RATE_HZ), np.float32) for gap in gaps]
    pieces = [silences[0], *(piece for pair in zip(words, silences[1:], strict=True) for piece in pair)]
    edges = np.cumsum([len(piece) for piece in pieces]) / RATE_HZ
    found = measured(make_clip(np.concatenate(pieces), text=" ".join(bare(TEXT))))
    errors = [*np.subtract(found.word_starts_s, edges[:-1:2]), *np.subtract(found.word_ends_s, edges[1::2])]
    return float(np.median(np.abs(errors)))
