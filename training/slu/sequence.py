r"""Labels and transcript as one sequence, "intent|name=value;name=value|transcript", and back without loss.

What is meant comes first, so that errors of words at the end cost no labels; the transcript comes last, and is measured
as any other. There are no spaces about the marks, since each character is a step of decoding. A mark within a name, a
value or a transcript has a backslash before it, as has a backslash. An utterance without an intent begins with "|".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.records import Slot
from training.labels import Labels

FIELDS, ITEMS, IS, ESCAPE = "|", ";", "=", "\\"
MARKS = FIELDS + ITEMS + IS + ESCAPE

_MARK = re.compile(r"([|;=\\])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is meant by what is said: an intent or none, values by name in an order, and the transcript."""

    intent: str | None
    values: tuple[Slot, ...]
    transcript: str


def render(meaning: Meaning) -> str:
    """The sequence; an intent that is empty is none."""
    values = ITEMS.join(f"{_escaped(slot.name)}{IS}{_escaped(slot.value)}" for slot in meaning.values)
    return FIELDS.join((_escaped(meaning.intent or ""), values, _escaped(meaning.transcript)))


def parse(sequence: str) -> Meaning:
    """What a sequence says, and of one that is malformed what there is of it, since recognisers write anything.

    What stands before the first "|" is the intent; without a second one there is no transcript, and what stands behind
    a third belongs to it. Of values, those without "=" are left out, and a second "=" belongs to the value.
    """
    intent, values, transcript = _split(sequence, FIELDS, parts=3)
    named = [_split(item, IS, parts=2) for item in _split(values, ITEMS) if _has(item, IS)]
    return Meaning(
        intent=_plain(intent) or None,
        values=tuple(Slot(_plain(name), _plain(value)) for name, value in named),
        transcript=_plain(transcript),
    )


def rendered(transcript: str, labels: Labels) -> str:
    """What is to be written of an utterance: its values in the order in which they are said, others at the end."""
    said = transcript.casefold()
    places = [(said.find(value.value.casefold()), value) for value in labels.values]
    values = [value for _, value in sorted(places, key=lambda each: (each[0] < 0, each[0]))]
    return render(Meaning(labels.intent, tuple(values), transcript))


def understood(sequence: str) -> tuple[str, Labels]:
    """The transcript and the labels that a recogniser has written, see `parse`."""
    found = parse(sequence)
    return found.transcript, Labels(found.intent, found.values)


def _escaped(text: str) -> str:
    return _MARK.sub(r"\\\1", text)


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _has(text: str, mark: str) -> bool:
    return len(_split(text, mark)) > 1


def _split(text: str, mark: str, *, parts: int | None = None) -> Sequence[str]:
    """The parts between marks without a backslash before; with ``parts`` as many, the last ones empty if need be."""
    found: list[str] = []
    start = at = 0
    while at < len(text) and (parts is None or len(found) < parts - 1):
        if text[at] == ESCAPE:
            at += 1
        elif text[at] == mark:
            found.append(text[start:at])
            start = at + 1
        at += 1
    found.append(text[start:])
    return found + [""] * ((parts or 0) - len(found))
