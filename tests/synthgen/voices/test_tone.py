"""What is special about the tone voice: it is quick, and its length is known."""

import time
from dataclasses import replace

import numpy as np
import pytest

from catalogs.errors import UsageError
from catalogs.records import Line
from synthgen.voices.tone import RATE_HZ, ToneConfig

CONFIG = ToneConfig(speakers=("tone-1", "anybody"))


def line(text: str) -> Line:
    card = CONFIG.cards()[0]
    return Line.new(prompt_id=card.id, voice_id=card.id, text=text, normaliser="none")


def test_duration_follows_the_letters() -> None:
    (reading,) = CONFIG.build().speak([line("a" * 50)])

    assert len(reading.samples) == 50 * 0.06 * RATE_HZ


def test_texts_sound_different_and_blanks_are_silent() -> None:
    one, other = CONFIG.build().speak([line("ab"), line("a ")])
    letter = len(one.samples) // 2

    np.testing.assert_array_equal(one.samples[:letter], other.samples[:letter])
    assert not other.samples[letter:].any()
    assert one.samples[letter:].any()


def test_a_style_changes_the_pitch_and_a_timbre_the_colour() -> None:
    tone = CONFIG.build()
    plain = line("a line to be hummed")

    readings = tone.speak([plain, replace(plain, style="anybody"), replace(plain, timbre="anybody")])

    assert len({reading.samples.tobytes() for reading in readings}) == 3


def test_no_temperature_is_one_reading_for_every_seed() -> None:
    first, other = CONFIG.build().speak([replace(line("a"), seed=1), replace(line("a"), seed=2)])

    np.testing.assert_array_equal(first.samples, other.samples)


def test_a_thousand_lines_take_a_moment() -> None:
    tone = replace(CONFIG, duration_s_per_char=0.01).build()
    cards = replace(CONFIG, duration_s_per_char=0.01).cards()
    lines = [replace(line(f"line number {number}"), voice_id=cards[0].id) for number in range(1000)]

    start = time.perf_counter()
    tone.speak(lines)

    assert time.perf_counter() - start < 2.0


def test_a_speaker_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        ToneConfig(speakers=("a", "a")).cards()
