from dataclasses import replace

import numpy as np
import pytest

from catalogs.clip import Clip
from curation.metrics.pace import Pace, PaceConfig

TEXT = "Please turn on the light in the kitchen."


@pytest.fixture(scope="module")
def metric():
    return PaceConfig().build()


@pytest.fixture(scope="module")
def pace_of(metric):
    return lambda clip: Pace(*metric.measure([clip])[0].values)


def joined(make_clip, clips: list[Clip], *, gap_s: float, text: str) -> Clip:
    rate_hz = clips[0].sample_rate_hz
    gap = np.zeros(round(gap_s * rate_hz), np.float32)
    samples = np.concatenate([part for clip in clips for part in (gap, clip.samples)])
    return make_clip(np.concatenate((samples, gap)), rate_hz=rate_hz, text=text)


def test_speech_takes_about_as_long_as_its_text_should(pace_of, say) -> None:
    pace = pace_of(say(TEXT))

    assert pace.duration_ratio == pytest.approx(1.0, abs=0.35)
    assert 2 < pace.words_per_s < 5
    assert 8 < pace.chars_per_s < 20
    assert 3 < pace.syllables_per_s < 9


def test_silence_around_speech_changes_the_share_of_speech_but_not_the_pace(pace_of, say, make_clip) -> None:
    tight, padded = say(TEXT), joined(make_clip, [say(TEXT)], gap_s=1.0, text=TEXT)

    assert pace_of(padded).speech_ratio < 0.75 * pace_of(tight).speech_ratio
    assert pace_of(padded).duration_ratio == pytest.approx(pace_of(tight).duration_ratio, abs=0.15)


def test_a_text_said_twice_takes_more_than_twice_as_long_as_it_should(pace_of, say, make_clip) -> None:
    twice = joined(make_clip, [say(TEXT), say(TEXT)], gap_s=0.6, text=TEXT)

    pace = pace_of(twice)

    assert pace.duration_ratio > 1.9 * pace_of(say(TEXT)).duration_ratio
    assert pace.pause_count == 1
    assert pace.pause_mean_s == pace.pause_max_s == pytest.approx(0.6, abs=0.3)


def test_a_clip_that_says_nothing_has_a_duration_ratio_of_zero(pace_of, make_clip) -> None:
    pace = pace_of(make_clip(np.zeros(32_000), text=TEXT))

    assert (pace.duration_s, pace.speech_s, pace.duration_ratio) == (2.0, 0.0, 0.0)
    assert pace.pause_count is None


def test_a_script_of_which_nothing_is_known_has_no_expected_duration(pace_of, say) -> None:
    clip = replace(say(TEXT), spoken="ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", language="chr", _resampled={})

    assert pace_of(clip).duration_ratio is None


@pytest.mark.parametrize(
    ("speaker", "text"),
    [
        ("de", "Bitte schalte das Licht in der Küche ein."),
        ("ru", "Пожалуйста, включи свет на кухне."),
        ("fr", "Allume la lumière dans la cuisine, s'il te plaît."),
        ("el", "Άναψε το φως στην κουζίνα, σε παρακαλώ."),
        ("hi", "कृपया रसोई की बत्ती जला दो।"),
        ("ko", "부엌 불을 켜 주세요."),
    ],
)
def test_any_script_takes_about_as_long_as_it_should(pace_of, say, speaker: str, text: str) -> None:
    assert 0.6 < pace_of(say(text, speaker=speaker, rate=175)).duration_ratio < 1.6


def test_words_are_not_counted_where_they_are_not_spaced(pace_of, say) -> None:
    clip = replace(say(TEXT), spoken="สวัสดีตอนเช้า", language="th", _resampled={})

    pace = pace_of(clip)

    assert (pace.words_per_s, pace.syllables_per_s) == (None, None)
    assert pace.duration_ratio is not None
