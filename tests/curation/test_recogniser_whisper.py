from dataclasses import replace

import numpy as np
import pytest

from catalogs.models import fetch
from catalogs.text import compare
from curation.recogniser import Hearing
from curation.recognisers.whisper import Whisper, WhisperSettings

TEXTS = (
    "Please turn on the light in the kitchen.",
    "Turn it off.",
    "The doctor said that she should stay in bed for a week, and nobody knew why.",
)


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(fetch("whisper-tiny-en"), WhisperSettings())


@pytest.fixture(scope="module")
def waves(say):
    return [say(text).at(16_000) for text in TEXTS]


@pytest.fixture(scope="module")
def heard(whisper, waves) -> list[Hearing]:
    return whisper.hear(waves, TEXTS, languages=["en"] * len(TEXTS))


def test_short_clips_are_heard_once_and_to_their_end(heard) -> None:
    errors = [compare(text, hearing.transcript.text, language="en") for text, hearing in zip(TEXTS, heard, strict=True)]

    assert [one.words.errors for one in errors] == [0, 0, 0]


def test_a_clip_is_heard_alike_alone_and_in_company(whisper, waves, heard) -> None:
    babble = np.random.default_rng(0).normal(0, 0.05, 16_000).astype(np.float32)
    company = [babble, *reversed(waves)]

    again = whisper.hear(company, ["", *reversed(TEXTS)], languages=["en"] * 4)
    alone = [whisper.hear([wave], [text], languages=["en"])[0] for wave, text in zip(waves, TEXTS, strict=True)]

    assert again[:0:-1] == alone == heard


def test_likelihoods_change_no_transcript(whisper, waves, heard) -> None:
    assert whisper.transcribe(waves, languages=["en"] * 3) == [hearing.transcript for hearing in heard]


def test_full_windows_hear_the_same_words(waves, heard) -> None:
    settings = WhisperSettings(windows="full")

    found = Whisper(fetch("whisper-tiny-en"), settings).transcribe(waves[:1], languages=["en"])

    assert found[0].text == heard[0].transcript.text
    assert settings.version != WhisperSettings().version


def test_the_right_text_is_more_probable_and_the_wrong_word_is_named(whisper, waves, heard) -> None:
    wrong = TEXTS[0].replace("kitchen", "banana")

    (found,) = whisper.hear(waves[:1], [wrong], languages=["en"])

    assert heard[0].likelihood.avg_logprob > found.likelihood.avg_logprob
    assert found.likelihood.least_word == "banana"
    assert found.likelihood.least_logprob < found.likelihood.avg_logprob


def test_a_likely_text_is_about_as_probable_as_what_was_heard(heard) -> None:
    assert heard[0].likelihood.avg_logprob == pytest.approx(heard[0].transcript.avg_logprob, abs=0.2)


def test_capitals_are_not_the_voices_fault(whisper, waves, heard) -> None:
    (loud,) = whisper.hear(waves[:1], [TEXTS[0].upper()], languages=["en"])

    assert loud.likelihood == heard[0].likelihood


@pytest.mark.parametrize("text", ["", " ?! ", "la " * 500], ids=["no text", "no words", "too long"])
def test_some_texts_have_no_likelihood(whisper, waves, text: str) -> None:
    (found,) = whisper.hear(waves[1:2], [text], languages=["en"])

    assert found.transcript is not None
    assert found.likelihood is None


def test_digital_silence_and_long_clips_have_no_likelihood(whisper, waves) -> None:
    pause = np.zeros(4 * 16_000, np.float32)
    long = np.concatenate([part for _ in range(8) for part in (waves[1], pause)])

    silent, joined = whisper.hear([pause, long], ["Turn it off."] * 2, languages=["en"] * 2)

    assert (silent.transcript.text, silent.likelihood) == ("", None)
    assert len(long) > 30 * 16_000
    assert joined.transcript.text
    assert joined.likelihood is None


def test_a_language_it_does_not_know_has_neither(whisper, waves) -> None:
    assert whisper.hear(waves[:1], ["Guten Tag"], languages=["de"]) == [Hearing()]


def test_nothing_to_hear_is_no_work(whisper) -> None:
    assert whisper.hear([], [], languages=[]) == []


def test_the_version_names_what_transcripts_depend_on() -> None:
    plain = WhisperSettings()

    assert replace(plain, threads=2, clips_a_call=4).version == plain.version
    assert len({replace(plain, **{key: value}).version for key, value in CHANGES}) == len(CHANGES)


CHANGES = (("beam", 1), ("beam", 5), ("device", "cuda"), ("windows", "full"))
