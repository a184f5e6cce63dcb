"""The development takes that lambda is chosen by: real ones, and no evidence of anything afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf
from typing import Any

from catalogs.errors import TrainingError
from catalogs.ids import Id
from catalogs.text import NORMALISER
from training.data import read_data
from training.members import DataConfig
from training.merging.recipe import DevConfig, MergeConfig


def chosen_by(config: MergeConfig) -> list[dict[str, Any]]:
    """What a merge's lambda is chosen by, as provenance says it, none if it is given; see `training.evaluation.leaks`.

    Raises:
        TrainingError: if there are synthetic takes among it, or nothing at all.
        CatalogError: if a corpus or a release is not there.
    """
    if config.choosing is None:
        return []
    return [_pinned(source.dev) for source in config.sources if source.dev is not None]


def judged_by(entries: Sequence[Mapping[str, Any]]) -> list[tuple[Id, str]]:
    """The ids of the releases that a lambda was chosen by, in order, and the normaliser that counted their errors."""
    return sorted((entry["release"], entry.get("normaliser", "")) for entry in entries)


def _pinned(dev: DevConfig) -> dict[str, Any]:
    data = DataConfig(dev.corpus, dev.release, split=dev.split, max_s=inf)
    release, members = read_data(data)
    if synthetic := sum(member.is_synthetic for member in members):
        raise TrainingError(
            f"lambda cannot be chosen: {synthetic:,} of the {len(members):,} takes of the {data} are synthetic speech; "
            "expected real takes alone: name a release of recordings as dev, such as one frozen with "
            "--where \"origin = 'real'\""
        )
    return {"data": asdict(data), "release": release.id, "normaliser": NORMALISER}
