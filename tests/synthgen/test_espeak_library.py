"""The espeak-ng library: voices, sounds, phonemes, and what happens when its process dies."""

import gc

import numpy as np
import psutil
import pytest

from catalogs.errors import EngineError
from synthgen import espeak
from synthgen.espeak import Espeak

TEXT = "Hello there, how are you? I said 1984."


@pytest.fixture(scope="module")
def library() -> Espeak:
    return Espeak()


def test_voices_are_known_by_file_and_by_language() -> None:
    voices = espeak.languages()

    assert len(set(voices.values())) > 100
    assert voices["en-us"] == "gmw/en-US"
    assert voices["en-gb"] == voices["en"] == "gmw/en"
    assert voices["zh"] == "sit/cmn"


def test_every_voice_speaks(library: Espeak) -> None:
    for voice in espeak.languages():
        speech = library.speak("a", voice=voice)
        assert speech.rate_hz == 22_050
        assert speech.samples.any(), voice


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-us+whisper", "en-us+croak", "en-us+klatt2", "de"])
def test_a_text_sounds_the_same_whatever_was_read_before(library: Espeak, voice: str) -> None:
    first = library.speak(TEXT, voice=voice).samples

    for other, text in (("fr", "bonjour"), ("en-us+f3", "🙂 …"), ("de+whisper", "")):
        library.speak(text, voice=other, rate=300, pitch=90)
        again = library.speak(TEXT, voice=voice).samples
        np.testing.assert_array_equal(again, first)


def test_markup_and_phoneme_codes_are_not_commands(library: Espeak) -> None:
    plain = library.speak("hello", voice="en-us").samples

    for text in ("<prosody rate='x-slow'>hello</prosody>", "\x0190Phello", "[[h@'loU]]"):
        samples = library.speak(text, voice="en-us").samples
        assert len(samples) > 1.2 * len(plain)


def test_a_faster_rate_is_shorter(library: Espeak) -> None:
    slow = library.speak(TEXT, voice="en-us", rate=120).samples
    fast = library.speak(TEXT, voice="en-us", rate=240).samples

    assert len(fast) < 0.7 * len(slow)


def test_phonemes_have_stress_and_no_notes_on_language(library: Espeak) -> None:
    assert library.phonemes(["hello world", "", "…"], language="en-us") == ["həlˈoʊ wˈɜːld", "", ""]
    assert "(" not in library.phonemes(["das ist ein computer game"], language="de")[0]


def test_a_variant_that_does_not_exist_is_refused(library: Espeak) -> None:
    with pytest.raises(EngineError, match=r"de\+nothing"):
        library.speak("a", voice="de+nothing")


def test_a_process_that_dies_over_a_text_is_an_error_and_is_replaced() -> None:
    library = Espeak()
    before = library.speak(TEXT, voice="en-us").samples
    library._process.kill()

    with pytest.raises(EngineError, match="ended"):
        library._receive()
    again = library.speak(TEXT, voice="en-us").samples

    np.testing.assert_array_equal(again, before)


def test_its_process_ends_with_it() -> None:
    library = Espeak()
    pid = library._process.pid

    del library
    gc.collect()

    assert not psutil.pid_exists(pid)
