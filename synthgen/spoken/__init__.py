"""Spoken form: what a text becomes before a voice reads it, and part of the identity of every line."""

from dataclasses import asdict, dataclass
from importlib.metadata import version as version_of
from pathlib import Path

from catalogs.ids import content_id
from synthgen.spoken.characters import clean, drop_emoji
from synthgen.spoken.dates import DateOrder
from synthgen.spoken.english import build_english
from synthgen.spoken.german import build_german
from synthgen.spoken.languages import say_numbers
from synthgen.spoken.lexicon import Lexicon, read_lexicon
from synthgen.spoken.repeats import say_repeats

__all__ = ["Spoken", "SpokenConfig"]

REVISION = 2
"""Raised with every change that may alter a text, for a line that is said differently is another line."""


@dataclass(frozen=True, slots=True)
class SpokenConfig:
    """How written text is turned into spoken text.

    Attributes:
        lexicon: a file of ``written<TAB>spoken`` lines, or a JSON object; its entries go before all rules.
        numbers: say numbers, sums, dates, times and measures in words; else they are left to the engine.
        acronyms: spell acronyms, A-T-M, and say Roman numerals; else they are left to the engine.
        dates: whether 3/4 is the fourth of March ("mdy") or the third of April ("dmy"); in English only.
    """

    lexicon: str | None = None
    numbers: bool = True
    acronyms: bool = True
    dates: DateOrder = "mdy"

    def build(self) -> "Spoken":
        """Read the lexicon and make the rules.

        Raises:
            InputError: for a lexicon that is missing or malformed.
        """
        return Spoken(self)


class Spoken:
    """Write texts as they are spoken: deterministic, and a spoken text stays as it is.

    English and German have rules of their own. In other languages numbers are said where num2words can, and in Lao;
    the repeat mark of Thai and Lao becomes what it repeats; emoji and control characters are dropped, and the rest
    passes through, right-to-left text included.
    """

    def __init__(self, config: SpokenConfig) -> None:
        """Read the lexicon and make the rules."""
        self._config = config
        self._lexicon = read_lexicon(Path(config.lexicon)) if config.lexicon else Lexicon({})
        self._english = build_english(say_numbers=config.numbers, say_acronyms=config.acronyms, date_order=config.dates)
        self._german = build_german(say_numbers=config.numbers, say_acronyms=config.acronyms)

    @property
    def version(self) -> str:
        """Everything that decides a spoken form, in short: revision, num2words, options, lexicon content."""
        options = {name: value for name, value in asdict(self._config).items() if name != "lexicon"}
        made_of = content_id("spoken", options, self._lexicon.version)
        return f"spoken/{REVISION} num2words/{version_of('num2words')} {made_of[:8]}"

    def __call__(self, text: str, language: str) -> str:
        """Write a text as a voice should read it; empty if nothing in it can be said.

        Args:
            text: any text; an English one grows to at most 32 times its length, and usually hardly at all.
            language: a code such as "en", "en-us" or "lo".
        """
        base = language.replace("_", "-").partition("-")[0].lower()
        text = self._lexicon.apply(" ".join(clean(text).split()), language=base)
        if base == "en":
            return self._english(text)
        if base == "de":
            return self._german(text)
        text = say_repeats(drop_emoji(text))
        return say_numbers(text, language=language) if self._config.numbers else text
