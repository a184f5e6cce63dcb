"""A text as clauses of phonemes, with the punctuation between them: what neural voices are fed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalogs.pronunciations import spoken_tokens
from synthgen.espeak import Espeak

# A mark ends a clause where a blank or a closing sign follows, so "3.5" and "10:30" stay whole;
# dashes, ellipses, newlines and full-width marks end one anywhere.
_END = re.compile(
    r"""
    \s* ( [;:,.!?]+ (?= [\s"'”’»)\]] | $ ) | \.{3,} | [—…。，！？、：；؟،؛।]+ | \s – \s | \n+ ) ["'”’»)\]]* \s*
    """,
    re.VERBOSE,
)
_SENTENCE_MARKS = frozenset(".?!…")
_WRITTEN = str.maketrans("。，！？、：；؟،؛।–", ".,!?,:;?,;.—")


@dataclass(frozen=True, slots=True)
class Clause:
    """The IPA of a clause, and the mark that ends it: one of ``;:,.!?—…``, or "" for none."""

    ipa: str
    mark: str

    def __str__(self) -> str:
        return self.ipa + self.mark


def clauses_of(text: str, espeak: Espeak, *, language: str) -> list[Clause]:
    """Cut a text at its punctuation and phonemise the pieces; a text that says nothing has no clauses.

    Raises:
        EngineError: if espeak-ng cannot read the text.
    """
    pieces = _END.split(text)
    spoken, marks = pieces[0::2], [*pieces[1::2], ""]
    found = espeak.phonemes(spoken, language=language)
    return [Clause(ipa, _mark(mark)) for ipa, mark in zip(found, marks, strict=True) if ipa]


def words_alone(text: str, espeak: Espeak, *, language: str) -> list[str]:
    """The IPA of each of a text's `spoken_tokens`, read by itself; "" for one that is not spoken.

    Raises:
        EngineError: if espeak-ng cannot read the text.
    """
    return espeak.phonemes(list(spoken_tokens(text)), language=language)


def sentences_of(clauses: Iterable[Clause]) -> list[list[Clause]]:
    """Group clauses into sentences, each ended by a full stop, a question or an exclamation mark, or "…"."""
    sentences: list[list[Clause]] = []
    is_open = False
    for clause in clauses:
        if not is_open:
            sentences.append([])
        sentences[-1].append(clause)
        is_open = clause.mark not in _SENTENCE_MARKS
    return sentences


def pack(clauses: Iterable[Clause], *, limit: int) -> list[str]:
    """Put clauses together in as few runs of at most ``limit`` symbols as their order allows.

    Only a clause that is too long by itself is cut, between words; only such a word is cut anywhere.
    """
    runs: list[str] = []
    for clause in clauses:
        for piece in _cut(str(clause), limit):
            if runs and len(runs[-1]) + 1 + len(piece) <= limit:
                runs[-1] += " " + piece
            else:
                runs.append(piece)
    return runs


def _cut(clause: str, limit: int) -> Sequence[str]:
    """The clause whole if it fits, else its words, the longest of them in pieces."""
    if len(clause) <= limit:
        return [clause]
    return [word[at : at + limit] for word in clause.split() for at in range(0, len(word), limit)]


def _mark(written: str) -> str:
    """One mark for a run of them: "..." is "…", "?!" is "?", a new line a full stop."""
    if not written:
        return ""
    if written.startswith("..."):
        return "…"
    return written.translate(_WRITTEN).strip(" ")[0].replace("\n", ".")
