from collections.abc import Sequence

import numpy as np
import pytest

from curation.recogniser import Hearing, Likelihood, Transcript, Wave
from curation.recognisers.cascade import Cascade

WAVES = [np.full(160, level, np.float32) for level in (0.1, 0.2, 0.3)]


class Ear:
    """A recogniser that hears what is written under the level of a wave, and counts what it is asked."""

    def __init__(self, heard: Sequence[str], *, likelihood: float, languages: Sequence[str] = ("en", "de")) -> None:
        self._heard = dict(zip((float(wave[0]) for wave in WAVES), heard, strict=True))
        self._likelihood = likelihood
        self._languages = languages
        self.asked: list[str] = []

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        heard = self.hear(waves, [""] * len(waves), languages=languages, likelihood=False)
        return [hearing.transcript for hearing in heard]

    def hear(
        self, waves: Sequence[Wave], texts: Sequence[str], *, languages: Sequence[str], likelihood: bool = True
    ) -> list[Hearing]:
        self.asked += texts
        likely = Likelihood(self._likelihood, "word", self._likelihood) if likelihood else None
        return [
            Hearing(Transcript(self._heard[float(wave[0])]), likely) if language in self._languages else Hearing()
            for wave, language in zip(waves, languages, strict=True)
        ]


@pytest.fixture
def small() -> Ear:
    return Ear(["fifty euros", "a light", "x"], likelihood=-1.0, languages=("en",))


@pytest.fixture
def large() -> Ear:
    return Ear(["15 euros", "the light", "das Licht"], likelihood=-2.0)


TEXTS = ["Fifty euros!", "The light.", "Das Licht."]
LANGUAGES = ["en", "en", "de"]


def test_the_large_one_hears_only_what_the_small_one_does_not_hear_as_the_text(small, large) -> None:
    heard = Cascade(small, large).hear(WAVES, TEXTS, languages=LANGUAGES)

    assert [hearing.transcript.text for hearing in heard] == ["fifty euros", "the light", "das Licht"]
    assert sorted(large.asked) == ["Das Licht.", "The light."]


def test_a_likelihood_is_the_small_ones_wherever_it_knows_the_language(small, large) -> None:
    heard = Cascade(small, large).hear(WAVES, TEXTS, languages=LANGUAGES)

    assert [hearing.likelihood.avg_logprob for hearing in heard] == [-1.0, -1.0, -2.0]


def test_a_clip_is_heard_alike_alone_and_in_company(small, large) -> None:
    cascade = Cascade(small, large)

    alone = [cascade.hear(WAVES[i : i + 1], TEXTS[i : i + 1], languages=LANGUAGES[i : i + 1])[0] for i in range(3)]

    assert cascade.hear(WAVES, TEXTS, languages=LANGUAGES) == alone


def test_without_texts_it_is_the_large_one(small, large) -> None:
    heard = Cascade(small, large).transcribe(WAVES, languages=LANGUAGES)

    assert [transcript.text for transcript in heard] == ["15 euros", "the light", "das Licht"]
    assert small.asked == []


def test_a_text_without_words_is_not_passed_by_the_small_one(small, large) -> None:
    Cascade(small, large).hear(WAVES[:1], ["?!"], languages=["en"])

    assert large.asked == ["?!"]
