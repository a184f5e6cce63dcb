"""What is special about Kokoro: blends, the two halves of its style vector, long texts."""

from dataclasses import replace

import numpy as np
import pytest
import pyworld
from numpy.typing import NDArray

from catalogs.errors import UsageError
from catalogs.records import Line
from synthgen.voice import Voice
from synthgen.voices.kokoro import RATE_HZ, KokoroConfig
from synthgen.voices.kokoro_symbols import symbols_of

CONFIG = KokoroConfig(speakers=("jf_alpha", "jm_kumo", "jf_alpha:0.5+jm_kumo:0.5"))
TEXT = "Would you like a table by the window?"


@pytest.fixture(scope="module")
def kokoro() -> Voice:
    return CONFIG.build()


def line(text: str = TEXT, *, speaker: int = 0, style: str | None = None, timbre: str | None = None) -> Line:
    card = CONFIG.cards()[speaker]
    return Line.new(prompt_id=card.id, voice_id=card.id, text=text, normaliser="none", style=style, timbre=timbre)


def read(kokoro: Voice, one: Line) -> NDArray[np.float32]:
    return kokoro.speak([one])[0].samples


def pitch_st(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The pitch of the voiced frames, in semitones."""
    wave = samples.astype(np.float64)
    f0_hz, times = pyworld.dio(wave, RATE_HZ)
    f0_hz = pyworld.stonemask(wave, f0_hz, times, RATE_HZ)
    semitones: NDArray[np.float64] = 12 * np.log2(f0_hz[f0_hz > 0])
    return semitones


def test_equal_blends_are_one_speaker() -> None:
    one = KokoroConfig(speakers=("jf_alpha:3+jm_kumo:2",)).cards()
    other = KokoroConfig(speakers=("jm_kumo:0.4+jf_alpha:0.6",)).cards()

    assert one == other
    with pytest.raises(UsageError, match="twice"):
        KokoroConfig(speakers=("jf_alpha", "jf_alpha:1")).cards()


def test_an_unknown_speaker_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'jf_alfa'.*'jf_alpha'"):  # noqa: RUF043
        KokoroConfig(speakers=("jf_alfa",)).cards()


def test_every_half_can_be_another_speakers(kokoro: Voice) -> None:
    own = read(kokoro, line())

    np.testing.assert_array_equal(read(kokoro, line(style="jf_alpha", timbre="jf_alpha")), own)
    np.testing.assert_array_equal(read(kokoro, line(style="jm_kumo", timbre="jm_kumo")), read(kokoro, line(speaker=1)))
    readings = [own, read(kokoro, line(style="jm_kumo")), read(kokoro, line(timbre="jm_kumo"))]
    assert len({samples.tobytes() for samples in readings}) == 3


@pytest.mark.slow
def test_a_style_of_strength_nought_is_the_same_for_every_speaker(kokoro: Voice) -> None:
    average = read(kokoro, line(style="jf_alpha*0"))

    np.testing.assert_array_equal(read(kokoro, line(style="jf_nezumi*0")), average)
    np.testing.assert_array_equal(read(kokoro, line(style="jf_alpha*1")), read(kokoro, line()))


def test_speakers_differ_in_pitch(kokoro: Voice) -> None:
    woman, man = read(kokoro, line()), read(kokoro, line(speaker=1))

    assert np.median(pitch_st(woman)) > np.median(pitch_st(man)) + 5


def test_a_style_that_is_no_speaker_is_refused(kokoro: Voice) -> None:
    with pytest.raises(UsageError, match="no speaker 'cheerful'"):
        kokoro.speak([line(style="cheerful")])


def test_a_temperature_of_none_or_zero_is_the_exact_reading(kokoro: Voice) -> None:
    cold = replace(line(), temperature=0.0, seed=3)

    np.testing.assert_array_equal(read(kokoro, cold), read(kokoro, line()))


@pytest.mark.slow
def test_a_text_longer_than_the_model_takes_is_read_whole(kokoro: Voice) -> None:
    sentence = "The museum is open on weekdays, and closed on Sundays."
    once = len(read(kokoro, line(sentence)))

    whole = len(read(kokoro, line(" ".join([sentence] * 12))))

    assert 0.75 * 12 * once < whole < 1.1 * 12 * once


def test_ipa_becomes_the_symbols_the_model_knows() -> None:
    assert symbols_of("dʒˈʌdʒ tʃˈeɪn") == "ʤˈʌʤ ʧˈeɪn"
