"""What is stored of a job's candidates: one text by one voice is a group, and its readings are its candidates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Group, Line
from curation.policies.policy import Policy
from curation.tdsc.config import LENGTH, REPETITION, WORDS, TdscConfig

TOKENS = "speech_tokens"
"""What readings of a text are told apart by, if the job has them measured."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading; its figures are None if it could not be recorded or measured.

    ``tokens`` are its speech codes, each as a character: "" where they were not asked for, or not measured.
    """

    temperature: float
    iteration: int
    take_id: Id | None
    audio_s: float
    words: float | None
    repetition: float | None
    length: float | None
    is_kept: bool
    style: str = ""
    tokens: str = ""

    def is_accepted(self, config: TdscConfig) -> bool:
        """Whether the rule and the job's policy accept it."""
        return self.is_kept and config.has_its_words(self.words) and self._has_its_form(config)

    def is_loser(self, config: TdscConfig) -> bool:
        """Whether its words alone are at fault: a loser that is too long or loops would teach a short cut."""
        return self.words is not None and not config.has_its_words(self.words) and self._has_its_form(config)

    def _has_its_form(self, config: TdscConfig) -> bool:
        return config.has_its_form(repetition=self.repetition, length=self.length)


@dataclass(frozen=True, slots=True)
class Text:
    """A text by a voice, with its candidates in the order they were asked for.

    ``kind`` is what texts of one difficulty share: their domain, and whether digits are written in them.
    """

    line: Line
    group_id: Id
    kind: tuple[str, bool]
    candidates: tuple[Candidate, ...]

    def accepted(self, config: TdscConfig) -> list[Candidate]:
        """The candidates that are accepted."""
        return [candidate for candidate in self.candidates if candidate.is_accepted(config)]


def groups_of(lines: Sequence[Line], job_id: Id, *, iteration: int) -> list[Group]:
    """The rows that make lines candidates."""
    return [Group(Group.id_of(job_id, x.prompt_id, x.voice_id), x.id, job_id, iteration) for x in lines]


def texts_of(catalog: Catalog, job_id: Id, policy: Policy, *, upto: int, tokens: bool = False) -> list[Text]:
    """Every text with the candidates of the rounds up to ``upto``, in the job's order, with their tokens if asked."""
    known = {name for (name,) in catalog.lake.rows("SELECT column_name FROM (DESCRIBE takes)")}
    spoken = f'takes."{TOKENS}"' if tokens and TOKENS in known else "NULL"
    sql = query("tdsc_candidates").format(
        words=WORDS, repetition=REPETITION, length=LENGTH, tokens=f"{spoken}::INTEGER[]"
    )
    grouped: dict[Id, list[Mapping[str, Any]]] = {}
    for row in _rows(catalog, sql, job_id=job_id, policy=policy.id, upto=upto):
        grouped.setdefault(row["group_id"], []).append(row)
    return [_text(rows) for rows in grouped.values()]


def _rows(catalog: Catalog, sql: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    batches = catalog.lake.table(sql, **parameters).to_batches(max_chunksize=8192)
    yield from chain.from_iterable(batch.to_pylist() for batch in batches)


def _text(rows: Sequence[Mapping[str, Any]]) -> Text:
    first = rows[0]
    line = Line.new(
        prompt_id=first["prompt_id"], voice_id=first["voice_id"], text=first["text"], normaliser=first["normaliser"]
    )
    kind = (first["domain"] or "", any(char.isdigit() for char in first["written"]))
    return Text(line, first["group_id"], kind, tuple(_candidate(row) for row in rows))


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        temperature=row["temperature"],
        iteration=row["iteration"],
        take_id=row["take_id"],
        audio_s=row["audio_s"] or 0.0,
        words=row["words"],
        repetition=row["repetition"],
        length=row["length"],
        is_kept=bool(row["is_kept"]),
        style=row["style"],
        tokens="".join(map(chr, row["tokens"] or ())),
    )
