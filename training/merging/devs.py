"""The development takes that lambda is chosen by: real, not of the target, and no evidence of anything afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.ids import Id
from catalogs.text import NORMALISER
from training.data import read_data
from training.evaluation.leaks import marks_of, sets_had
from training.members import DataConfig, Member
from training.merging.recipe import DevConfig, MergeConfig


def chosen_by(config: MergeConfig) -> list[dict[str, Any]]:
    """What a merge's lambda is chosen by, as provenance says it, none if it is given; see `training.evaluation.leaks`.

    Raises:
        TrainingError: if there are synthetic takes among it, texts that the target was trained on, or nothing at all.
        DataLeak: if what the target was trained on is not there any more.
        CatalogError: if a corpus or a release is not there.
    """
    if config.choosing is None:
        return []
    read = [_read(source.dev) for source in config.sources if source.dev is not None]
    had = _texts_had_by(config.target)
    for data, _, members in read:
        _check_other_domain(data, members, had)
    return [{"data": asdict(data), "release": release, "normaliser": NORMALISER} for data, release, _ in read]


def judged_by(entries: Sequence[Mapping[str, Any]]) -> list[tuple[Id, str]]:
    """The ids of the releases that a lambda was chosen by, in order, and the normaliser that counted their errors."""
    return sorted((entry["release"], entry.get("normaliser", "")) for entry in entries)


def _read(dev: DevConfig) -> tuple[DataConfig, Id, list[Member]]:
    data = DataConfig(dev.corpus, dev.release, split=dev.split, max_s=inf)
    release, members = read_data(data)
    if synthetic := sum(member.is_synthetic for member in members):
        raise TrainingError(
            f"lambda cannot be chosen: {synthetic:,} of the {len(members):,} takes of the {data} are synthetic speech; "
            "expected real takes alone: name a release of recordings as dev, such as one frozen with "
            "--where \"origin = 'real'\""
        )
    return data, release.id, members


def _check_other_domain(data: DataConfig, members: Sequence[Member], had: Mapping[str, str]) -> None:
    """Refuse takes that say what the target has learned: lambda is to be chosen without real speech of its domain.

    Raises:
        TrainingError: if there are any.
    """
    shared = [text for member in members if (text := next(filter(had.__contains__, _texts_of(member)), None))]
    if shared:
        raise TrainingError(
            f"lambda cannot be chosen: {len(shared):,} of the {len(members):,} takes of the {data} say what the target "
            f"was trained on, for example {shared[0]!r}, in the {had[shared[0]]}; expected takes of the sources' "
            "domains alone: name a release of other texts as dev, such as one frozen with --where that leaves these "
            "out, or give `scale`"
        )


def _texts_had_by(target: str) -> dict[str, str]:
    """All texts, normalised, that a model was trained on, and where."""
    had: dict[str, str] = {}
    for config, members in sets_had(Path(target)):
        for text in (text for member in members for text in _texts_of(member)):
            had.setdefault(text, str(config))
    return had


def _texts_of(member: Member) -> list[str]:
    return [mark for kind, mark in marks_of(member) if kind == "texts"]
