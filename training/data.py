"""What a training is given: releases, which are heard, and texts alone, which a method makes something of.

A table of texts names a file, or a release whose texts are taken and whose audio is left alone:

    data = [{ corpus = "corpora/demo", release = "demo" }, { texts = "menus.txt" }]
    data = [{ corpus = "corpora/demo", texts = "orders" }]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from catalogs.config import parse
from catalogs.errors import TrainingError
from catalogs.ids import Id, content_id
from training.members import DataConfig, Member, members_of
from training.texts import texts_in

CHARACTERS_PER_S = 15.0
"""How fast English is read: what a text counts for in ``sampling.batch_s``."""


@dataclass(frozen=True, slots=True)
class TextsConfig:
    """Texts that are not heard: a UTF-8 file ``texts`` with one as it is said on each line, or those of a release.

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
    """Where members come from, known by content, and the licences that they carry."""

    id: Id
    name: str
    licences: tuple[str, ...] = ()


def parse_data(table: Mapping[str, Any], *, source: str) -> Data:
    """Validate one table of data: that of texts if it names some.

    Raises:
        RecipeError: with its mistakes.
    """
    return parse(TextsConfig, table, source=source) if "texts" in table else parse(DataConfig, table, source=source)


def read_data(config: Data) -> tuple[Source, list[Member]]:
    """The members of a table of data, in the order of their ids.

    Raises:
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release.
        TrainingError: if there are no such texts, or nothing is left to train on.
    """
    if isinstance(config, TextsConfig):
        return _texts(config)
    release, members = members_of(config)
    return Source(release.id, release.name, release.licences), members


def _texts(config: TextsConfig) -> tuple[Source, list[Member]]:
    if config.corpus is None:
        said = [(line, config.language) for line in texts_in(Path(config.texts), source="data.texts")]
        source = Source(content_id("texts", config.language, sorted(line for line, _ in said)), config.texts)
    else:
        wanted = DataConfig(config.corpus, config.texts, split=config.split, max_s=float("inf"))
        source, heard = read_data(wanted)
        said = [(member.spoken, member.language) for member in heard]
    if not said:
        raise TrainingError(f"the {config} is empty: there is nothing to train on")
    unique = {member.take_id: member for member in (text_member(text, language) for text, language in said)}
    return source, [unique[take_id] for take_id in sorted(unique)]


def text_member(text: str, language: str = "en") -> Member:
    """A text as a member that has no audio: it counts as synthetic, since whatever is heard of it is made."""
    return Member(
        take_id=content_id("text", language, text), text=text, spoken=text, language=language, is_synthetic=True,
        speaker="", domain="", split="", pcm_sha256="", duration_s=max(1.0, len(text) / CHARACTERS_PER_S),
        corpus=Path(), place=None,
    )  # fmt: skip
