from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from catalogs.errors import EngineError
from catalogs.text import compare
from curation.metrics.words import Words, WordsConfig, WordsMetric
from curation.recogniser import Hearing, Likelihood, Transcript
from curation.recognisers.whisper import Whisper, WhisperSettings

TEXT = "Please turn on the light in the kitchen."
LONG_TEXT = (
    "The garden is green in the summer, and the river is cold. My brother works in a large office near the"
    " station, and he goes home at five. Yesterday we bought some bread, a bottle of milk, and three apples."
    " The children were playing in the street when the rain began. I would like to book a table for four"
    " people on Friday evening. The train to the city leaves at seven from the second platform. Nobody knew"
    " why the old man had sold his house. The doctor said that she should stay in bed for a week. Open the"
    " window, please, it is very warm in here. And the last word of this long story is banana."
)


class Parrot:
    """A recogniser that hears what it was told to, and knows English."""

    def __init__(self, heard: str) -> None:
        self._heard = heard

    def transcribe(self, waves: Sequence[NDArray[np.float32]], *, languages: Sequence[str]) -> list[Transcript | None]:
        return [Transcript(self._heard) if language == "en" else None for language in languages]

    def hear(
        self,
        waves: Sequence[NDArray[np.float32]],
        texts: Sequence[str],
        *,
        languages: Sequence[str],
        likelihood: bool = True,
    ) -> list[Hearing]:
        heard = self.transcribe(waves, languages=languages)
        probable = [Likelihood(-0.5, text.split()[0], -2.0) if likelihood and text.split() else None for text in texts]
        return [Hearing(part, chance if part else None) for part, chance in zip(heard, probable, strict=True)]


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return WordsConfig(model="tiny_en").build()._recogniser


@pytest.fixture
def hearing(make_clip):
    """Scores a clip in which a parrot hears a text."""

    def words(heard: str, *, text: str = TEXT, spoken: str | None = None, language: str = "en") -> Words:
        clip = replace(make_clip(np.ones(160)), text=text, spoken=spoken or text, language=language)
        return Words(*WordsMetric(Parrot(heard)).measure([clip])[0].values)

    return words


def test_a_number_may_be_spelled_either_way(hearing) -> None:
    words = hearing("It costs twenty three euro.", text="It costs 23 €.", spoken="It costs twenty-three euro.")

    assert (words.wer, words.cer) == (0, 0)


def test_every_kind_of_error_is_counted(hearing) -> None:
    words = hearing("turn on on the lamp in the kitchen")

    assert (words.deletions, words.insertions, words.substitutions) == (1, 1, 1)
    assert (words.ref_words, words.wer, words.length_ratio) == (8, 3 / 8, 1.0)


@pytest.mark.parametrize(
    ("heard", "first", "last"),
    [("turn on the light in the kitchen", True, False), ("please turn on the light in the", False, True)],
)
def test_a_lost_first_or_last_word_is_seen(hearing, heard: str, first: bool, last: bool) -> None:
    words = hearing(heard)

    assert (words.first_word_lost, words.last_word_lost) == (first, last)


def test_a_time_may_be_said_in_another_way(hearing) -> None:
    words = hearing("Call me at half past three.", text="Call me at 3:30.", spoken="Call me at three thirty.")

    assert (words.wer, words.cer, words.ref_words) == (0, 0, 6)


def test_repeated_words_and_a_missing_end_have_columns_of_their_own(hearing) -> None:
    words = hearing("please turn please turn on the light")

    assert (words.words_repeated, words.truncated, words.last_word_lost) == (2, 3, True)


def test_the_likelihood_of_the_text_is_there_if_it_was_asked_for(make_clip) -> None:
    clip = make_clip(np.ones(160))

    def figures(likelihood: bool) -> Words:
        return Words(*WordsMetric(Parrot("hello"), likelihood=likelihood).measure([clip])[0].values)

    assert (figures(True).text_logprob, figures(True).least_word_logprob) == (-0.5, -2.0)
    assert (figures(False).text_logprob, figures(False).least_word_logprob) == (None, None)


def test_a_text_without_words_has_a_transcript_but_no_error_rate(hearing) -> None:
    words = hearing("hello", text="?!")

    assert (words.transcript, words.ref_words) == ("hello", 0)
    assert (words.wer, words.cer, words.length_ratio) == (None, None, None)


def test_repetition_shows_in_the_compression_ratio(hearing) -> None:
    assert hearing("on the light " * 40).compression_ratio > 2.4
    assert hearing(TEXT).compression_ratio < 1.2


def test_a_language_the_recogniser_does_not_know_has_no_figures(hearing) -> None:
    assert hearing("hello", language="lo") == Words()


def test_whisper_base_hears_english_and_german(say) -> None:
    clips = [say(TEXT), say("Guten Morgen, wie geht es Ihnen?", speaker="de")]

    scores = WordsConfig().build().measure(clips)

    assert [Words(*score.values).wer for score in scores] == [0, 0]


def test_the_english_model_does_not_know_german(whisper, say) -> None:
    assert whisper.transcribe([say(TEXT).at(16_000)], languages=["de"]) == [None]


def test_a_first_word_without_silence_before_it_is_heard(whisper, say) -> None:
    wave = say(TEXT).at(16_000)
    loud = int(np.argmax(np.abs(wave) > 0.02))

    (heard,) = whisper.transcribe([wave[loud:]], languages=["en-US"])

    assert heard.text.lower().startswith("please")


def test_digital_silence_is_not_transcribed(whisper) -> None:
    assert whisper.transcribe([np.zeros(16_000, np.float32)], languages=["en"]) == [Transcript("")]


def test_a_clip_of_more_than_half_a_minute_is_heard_to_its_end(whisper, say) -> None:
    wave = say(LONG_TEXT, rate=120).at(16_000)

    (heard,) = whisper.transcribe([wave], languages=["en"])

    assert len(wave) > 30 * 16_000
    assert compare(LONG_TEXT, heard.text, language="en").words.wer < 0.1
    assert heard.text.lower().rstrip(".").endswith("banana")


@pytest.mark.parametrize("model", ["huge", "Base!"])
def test_an_unknown_model_is_refused(model: str) -> None:
    with pytest.raises(ValueError, match="no model"):
        WordsConfig(model=model)


def test_a_folder_without_a_model_is_refused_by_name(tmp_path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")

    with pytest.raises(EngineError, match=tmp_path.name):
        WordsConfig(model="mine", weights=tmp_path).build()


def test_the_version_names_all_that_a_transcript_depends_on() -> None:
    versions = {
        WordsConfig().card().version,
        WordsConfig(beam=5).card().version,
        WordsConfig(model="tiny_en").card().version,
        WordsConfig(num_gpus=0.5).card().version,
        WordsConfig(likelihood=False).card().version,
    }

    assert len(versions) == 5
    assert WordsConfig(threads=2).card() == WordsConfig().card()


def test_settings_have_the_arithmetic_of_their_device() -> None:
    assert (WhisperSettings().compute, WhisperSettings(device="cuda").compute) == ("int8", "float16")
