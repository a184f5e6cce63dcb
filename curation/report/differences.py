"""What was heard against what should have been, word by word, for people to look at."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rapidfuzz.distance import Levenshtein

from catalogs.text import has_spaces, normalise

Kind: TypeAlias = Literal["same", "lost", "added"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of words that were heard as they are, lost, or added; a word misheard is one lost and one added."""

    kind: Kind
    text: str


def differences(text: str, transcript: str, *, spoken: str | None, language: str) -> tuple[Span, ...]:
    """The spans of a transcript, normalised as for its error rate, against whichever text it is nearer to.

    The words of a language written without spaces are its graphemes, joined again.
    """
    heard = normalise(transcript, language).split()
    wanted = [normalise(form, language).split() for form in dict.fromkeys((text, spoken or text))]
    words = min(wanted, key=lambda form: Levenshtein.distance(form, heard) / max(len(form), 1))
    between = " " if has_spaces(language) else ""
    spans: list[Span] = []
    for edit in Levenshtein.opcodes(words, heard):
        before, after = words[edit.src_start : edit.src_end], heard[edit.dest_start : edit.dest_end]
        if edit.tag == "equal":
            spans.append(Span("same", between.join(before)))
            continue
        if before:
            spans.append(Span("lost", between.join(before)))
        if after:
            spans.append(Span("added", between.join(after)))
    return tuple(spans)
