"""What synthesisers read: the phones of a text as numbers, in batches, some of them masked.

B texts · P phones and boundaries of words, padded
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from catalogs.g2p import BOUNDARY, PHONES, Pronouncer, Pronunciation, Unknown
from catalogs.text import primary
from training.members import Member
from training.objective import Utterance

PADDING, MASK, FIRST_PHONE = 0, 1, 3
NUMBERS: Final = {symbol: number for number, symbol in enumerate((BOUNDARY, *PHONES), start=2)}
NUM_SYMBOLS = 2 + len(NUMBERS)


class PhoneReader:
    """Reads texts; ``unknown`` is what becomes of words that the dictionary lacks, see `catalogs.g2p`.

    ``key`` is where a recipe says that.
    """

    def __init__(self, unknown: Unknown, *, key: str = "objective.unknown") -> None:
        self._key = key
        self._others = " or ".join(f'"{way}"' for way in ("read", "spell") if way != unknown)
        self._pronouncer = Pronouncer(unknown=unknown)

    def look_over(self, members: Sequence[Member]) -> str:
        """How many words of what members say are in no dictionary, for people.

        Raises:
            TrainingError: if some of them are not in English, or have no pronunciation, with how many and the first,
                which is named if it is a take.
        """
        said, told = self._said(members)
        if told:
            raise TrainingError(told)
        guessed = [word for _, one in said for word in one.guessed]
        examples = "".join(f", such as {word}" for word in guessed[:1])
        return f"{len(said):,} texts, {len(guessed):,} words of which are in no dictionary{examples}"

    def pronounced(self, members: Sequence[Member]) -> tuple[list[Member], str]:
        """Those of the members that have a pronunciation, and how many have none and why, for people; "" if all have.

        Raises:
            TrainingError: if some of them are not in English.
        """
        said, told = self._said(members)
        return [member for member, _ in said], told

    def batch(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """What utterances say, as `read` has it, whose errors it raises.

        Raises:
            TrainingError: for one that is not in English.
        """
        _check_english(utterances)
        return self.read([utterance.spoken for utterance in utterances])

    def read(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """``phones`` (B, P), and how many count as ``num_phones`` (B,); ``num_guessed`` (B,) of the words were guessed.

        Raises:
            TrainingError: for a text without a pronunciation.
        """
        if not texts:
            return no_phones()
        said = [self._pronouncer.pronounce(text) for text in texts]
        for text, one in zip(texts, said, strict=True):
            if not _is_whole(one):
                raise TrainingError(self._told(text, one))
        rows = [torch.tensor([NUMBERS[phone] for phone in one.phones]) for one in said]
        return {
            "phones": pad_sequence(rows, batch_first=True),
            "num_phones": torch.tensor([len(row) for row in rows], dtype=torch.long),
            "num_guessed": torch.tensor([len(one.guessed) for one in said], dtype=torch.long),
        }

    def _said(self, members: Sequence[Member]) -> tuple[list[tuple[Member, Pronunciation]], str]:
        """Members with their pronunciations, and what is wrong with the others, of which the first is named."""
        _check_english(members)
        found = [(member, self._pronouncer.pronounce(member.spoken)) for member in members]
        wrong = [each for each in found if not _is_whole(each[1])]
        if not wrong:
            return found, ""
        member, one = wrong[0]
        name = "" if member.place is None else f"take {member.take_id}: "
        told = f"{len(wrong):,} of {len(found):,} texts have no pronunciation; {name}{self._told(member.spoken, one)}"
        return [each for each in found if _is_whole(each[1])], told

    def _told(self, text: str, said: Pronunciation) -> str:
        what = (
            f"{', '.join(map(repr, said.lost))} in {text[:60]!r} has none"
            if said.lost
            else f"{text[:60]!r} has no word"
        )
        is_word = any("a" <= lost[0] <= "z" for lost in said.lost)  # figures and other scripts nobody reads or spells
        return f"{what}: write texts as they are said" + (f", or set {self._key} to {self._others}" if is_word else "")


def no_phones() -> dict[str, Tensor]:
    """What there is to read of no text, as `PhoneReader.read` has it."""
    none = torch.zeros(0, dtype=torch.long)
    return {"phones": none[:, None], "num_phones": none, "num_guessed": none}


def masked(phones: Tensor, share: float) -> Tensor:
    """The same (B, P) with each phone hidden at this probability; boundaries and padding stay.

    It draws from the random numbers of the CPU, which the loop seeds at every step.
    """
    if share == 0:
        return phones
    hidden = (torch.rand(phones.shape) < share).to(phones.device)
    return phones.masked_fill(hidden & (phones >= FIRST_PHONE), MASK)


def check_share(name: str, share: float) -> None:
    """Refuse a share that is none.

    Raises:
        ValueError: as a recipe reports its mistakes.
    """
    if not 0 <= share < 1:
        raise ValueError(f"{name} = {share}: expected a share from 0 to below 1")


def _check_english(said: Sequence[Member | Utterance]) -> None:
    others = [each for each in said if primary(each.language) != "en"]
    if others:
        raise TrainingError(
            f"{len(others):,} of {len(said):,} texts are not in English, the first {others[0].text[:60]!r} in "
            f"{others[0].language!r}: phones are known for English alone (G2P); leave other languages out of data"
        )


def _is_whole(said: Pronunciation) -> bool:
    return bool(said.phones) and not said.lost
