"""Alphabets: the characters that `ctc` and `transducer` write, by number, and the blank, which is none of them."""

from collections.abc import Container, Iterable, Sequence

from catalogs.apostrophes import TYPOGRAPHIC, plain_apostrophes
from catalogs.errors import TrainingError
from training.objective import Utterance

BLANK = 0
ENGLISH = " 'abcdefghijklmnopqrstuvwxyz"


def check_alphabet(key: str, characters: str) -> None:
    """Refuse what is no alphabet.

    Raises:
        ValueError: if it names no character, or one of them twice.
    """
    if not characters or len(set(characters)) < len(characters):
        raise ValueError(f"{key} must name characters, each once")


def with_apostrophes_of(characters: Container[str], text: str) -> str:
    """A text whose apostrophes within words are plain ones, if the characters have no others."""
    has_others = any(char in characters for char in TYPOGRAPHIC)
    return text if has_others else plain_apostrophes(text)


class Alphabet:
    """Characters numbered from 1, the blank being 0. ``key`` is where a recipe names them."""

    def __init__(self, characters: str, *, key: str) -> None:
        self.characters = characters
        self._key = key
        self._numbers = {char: number for number, char in enumerate(characters, start=BLANK + 1)}

    def __len__(self) -> int:
        """How many numbers there are, that of the blank among them."""
        return len(self.characters) + 1

    @property
    def between(self) -> list[int]:
        """What stands between two words: the space, or nothing if the alphabet has none."""
        return [self._numbers[" "]] if " " in self._numbers else []

    def numbers(self, utterance: Utterance) -> list[int]:
        """The characters of what is said, in small letters; punctuation that the alphabet lacks parts words.

        Raises:
            TrainingError: for a letter or a digit that the alphabet lacks.
        """
        said = self._plain(utterance.spoken)
        if unknown := sorted({char for char in said if self._lacks(char)}):
            raise TrainingError(
                f"take {utterance.take_id}: its text has {''.join(unknown)!r}, which {self._key} lacks: {said[:60]!r}"
            )
        return self.known(said)

    def known(self, text: str) -> list[int]:
        """The characters of any text, as `numbers` reads it, without the letters and digits that the alphabet lacks."""
        said = [char for char in self._plain(text) if not self._lacks(char)]
        parted = "".join(char if char in self._numbers else " " for char in said).split()
        return [self._numbers[char] for char in " ".join(parted) if char in self._numbers]

    def rows(self, utterances: Sequence[Utterance]) -> list[list[int]]:
        """The numbers of each; raises as `numbers` does."""
        return [self.numbers(utterance) for utterance in utterances]

    def text(self, numbers: Iterable[int]) -> str:
        """The characters that numbers, none of them the blank, stand for."""
        return "".join(self.characters[number - BLANK - 1] for number in numbers).strip()

    def _plain(self, text: str) -> str:
        return with_apostrophes_of(self._numbers, text.lower())

    def _lacks(self, char: str) -> bool:
        return char.isalnum() and char not in self._numbers
