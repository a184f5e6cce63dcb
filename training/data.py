"""What a training is given: releases, which are heard, and texts alone, which a method makes something of.

A table of texts names a file, or a release whose texts are taken and whose audio is left alone:

    data = [{ corpus = "corpora/demo", release = "demo" }, { texts = "menus.txt" }]
    data = [{ corpus = "corpora/demo", texts = "orders" }]

Labels come along: those of a release, and those of a file of prompts, `texts = "orders.jsonl"`, which has an object a
line with ``text``, ``intent``, ``slots`` and ``entities``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from catalogs.config import parse
from catalogs.errors import InputError, TrainingError
from catalogs.ids import Id, content_id
from catalogs.ingest.rows import format_of
from catalogs.ingest.text import PromptSource, fingerprint, read_prompts
from catalogs.records import Prompt
from training.labels import UNLABELLED, Labels, labels_of
from training.members import DataConfig, Member, all_members_of, short_enough
from training.texts import CHARACTERS_PER_S, texts_in

_REPEATED = "duplicate"
"""The failure of a row whose text was there before; see `catalogs.ingest.text`."""


@dataclass(frozen=True, slots=True)
class TextsConfig:
    """Texts that are not heard: a UTF-8 file ``texts`` with one as it is said on each line, or those of a release.

    A file of prompts (.jsonl, .csv or .tsv, as `synthgen` reads them) has labels too; of a text that is repeated the
    first ones count. ``language`` is that of texts that name none.

    With a ``corpus``, ``texts`` is the name of a release in it, each text of which counts once; ``split`` is one of its
    splits, None all of them.
    """

    texts: str
    corpus: str | None = None
    split: str | None = "train"
    language: str = "en"

    def __str__(self) -> str:
        """What it is, for people."""
        return f"list of texts {self.texts!r}" + ("" if self.corpus is None else f" of {self.corpus}")


Data: TypeAlias = DataConfig | TextsConfig


@dataclass(frozen=True, slots=True)
class Source:
    """Where members come from, known by content, and the licences that they carry.

    ``too_long`` is how many takes are left out for their length.
    """

    id: Id
    name: str
    licences: tuple[str, ...] = ()
    too_long: int = 0


def parse_data(table: Mapping[str, Any], *, source: str) -> Data:
    """Validate one table of data: that of texts if it names some.

    Raises:
        RecipeError: with its mistakes.
    """
    if isinstance(table, Mapping) and "texts" in table:
        return parse(TextsConfig, table, source=source)
    return parse(DataConfig, table, source=source)


def read_data(config: Data) -> tuple[Source, list[Member]]:
    """The members of a table of data, in the order of their ids.

    Raises:
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release, or nothing of the split in it.
        TrainingError: if there are no such texts, or nothing is left of a release.
    """
    if isinstance(config, TextsConfig):
        return _texts(config)
    release, found = all_members_of(config)
    members = short_enough(found, config)
    return Source(release.id, release.name, release.licences, too_long=len(found) - len(members)), members


def _texts(config: TextsConfig) -> tuple[Source, list[Member]]:
    if config.corpus is None:
        source, read = _in_file(config)
    else:
        wanted = DataConfig(config.corpus, config.texts, split=config.split, max_s=float("inf"))
        source, heard = read_data(wanted)
        read = [text_member(m.text, m.language, spoken=m.spoken, labels=m.labels) for m in heard]
    if not read:
        raise TrainingError(f"the {config} is empty: there is nothing to train on")
    unique: dict[Id, Member] = {}
    for member in read:
        unique.setdefault(member.take_id, member)
    return source, [unique[take_id] for take_id in sorted(unique)]


def text_member(text: str, language: str = "en", *, spoken: str | None = None, labels: Labels = UNLABELLED) -> Member:
    """A text as a member that has no audio: it counts as synthetic, since whatever is heard of it is made.

    ``spoken`` is how it is said; None if that is how it is written.
    """
    spoken = spoken or text
    forms = (text,) if spoken == text else (text, spoken)
    return Member(
        take_id=content_id("text", language, *forms), text=text, spoken=spoken, language=language, is_synthetic=True,
        speaker="", domain="", split="", pcm_sha256="", duration_s=max(1.0, len(spoken) / CHARACTERS_PER_S),
        corpus=Path(), place=None, labels=labels,
    )  # fmt: skip


def _in_file(config: TextsConfig) -> tuple[Source, list[Member]]:
    """The texts of a file, in its order; a text file is known by its texts, one of prompts by all that is in it."""
    path = Path(config.texts).expanduser()
    if format_of(path) in (None, "txt"):
        if not path.exists():
            raise TrainingError(
                f"data.texts: there is no file {path}; texts of a release are named beside its corpus, as in "
                f"{{ corpus = ..., texts = {config.texts!r} }}"
            )
        lines = texts_in(path, source="data.texts")
        source = Source(content_id("texts", config.language, sorted(lines)), config.texts)
        return source, [text_member(line, config.language) for line in lines]
    prompts = PromptSource(str(path), language=config.language)
    try:
        found = list(prompts_in(prompts, source="data.texts"))
        source = Source(fingerprint(prompts), config.texts)
    except InputError as error:
        raise TrainingError(f"data.texts: {error}") from error
    return source, [text_member(prompt.text, prompt.language, labels=labels_of(prompt)) for prompt in found]


def prompts_in(prompts: PromptSource, *, source: str) -> Iterator[Prompt]:
    """The prompts of a file, each text once; ``source`` says who names it.

    Raises:
        TrainingError: for a row that is no prompt.
        InputError: if the file cannot be read.
    """
    for row in read_prompts(prompts):
        if isinstance(row, Prompt):
            yield row
        elif row.error != _REPEATED:
            raise TrainingError(f"{source}: {prompts.path} has a row that is no prompt: {row.message}")
