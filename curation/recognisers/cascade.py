"""A cascade: a small recogniser hears first, and a large one only what the small one does not hear as the text.

Two recognisers seldom mishear into the very text that was to be said. Still, a take that the small one passes is never
held to the ears of the large one: error rates are a little lower than the large one's alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from catalogs.text import normalise
from curation.recogniser import Hearing, Recogniser, Transcript, Wave


class Cascade:
    """Two loaded recognisers as one; which of them is believed depends on the clip and its text alone."""

    def __init__(self, first: Recogniser, second: Recogniser) -> None:
        self._first = first
        self._second = second

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe as the second one does: without a text, nothing says when the first one is right."""
        return self._second.transcribe(waves, languages=languages)

    def hear(
        self, waves: Sequence[Wave], texts: Sequence[str], *, languages: Sequence[str], likelihood: bool = True
    ) -> list[Hearing]:
        """Transcribe and force the texts, `Recogniser`'s way.

        Likelihoods of two models do not compare, so that of the first one stands wherever it knows the language.
        """
        heard = self._first.hear(waves, texts, languages=languages, likelihood=likelihood)

        def again(indexes: Sequence[int], *, likelihood: bool) -> list[Hearing]:
            return self._second.hear(
                [waves[index] for index in indexes],
                [texts[index] for index in indexes],
                languages=[languages[index] for index in indexes],
                likelihood=likelihood,
            )

        unknown = [index for index, hearing in enumerate(heard) if hearing.transcript is None]
        doubted = [
            index
            for index, (hearing, text, language) in enumerate(zip(heard, texts, languages, strict=True))
            if hearing.transcript is not None and not _is_exact(hearing.transcript, text, language)
        ]
        for index, hearing in zip(unknown, again(unknown, likelihood=likelihood), strict=True):
            heard[index] = hearing
        for index, hearing in zip(doubted, again(doubted, likelihood=False), strict=True):
            heard[index] = replace(heard[index], transcript=hearing.transcript or heard[index].transcript)
        return heard


def _is_exact(transcript: Transcript, text: str, language: str) -> bool:
    """Whether just the text was heard, as errors are counted; an empty text never is."""
    wanted = normalise(text, language)
    return wanted != "" and normalise(transcript.text, language) == wanted
