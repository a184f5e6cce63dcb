"""The merge of a recipe: models are checked, lambda is chosen if it is not given, checkpoint and vectors are kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.ids import Id
from catalogs.progress import SILENT, Progress
from training import checkpoint
from training.checkpoint import ABOUT
from training.claiming import RECIPE
from training.merging.choosing import Choice, Chosen, choose, chosen_of, lines
from training.merging.composing import check, composed, mixture_of, put
from training.merging.devs import chosen_by, judged_by
from training.merging.identity import CHOICES, PLOT
from training.merging.keeping import keep_in, load_kept
from training.merging.parts import Part, Source, load_part, load_source
from training.merging.plots import plot_choosing
from training.merging.recipe import MergeConfig
from training.merging.registry import corpus_of, keep, rows_of
from training.merging.vectors import norm


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge has come to.

    ``norm`` is that of the vector before lambda, ``target_norm`` that of the model it was added to; ``lost`` is the
    share of the norm of adapters that their rank has no room for. ``corpus`` keeps the vectors as rows; None if the
    target says of no corpus that it was trained on it. ``choices`` are what was tried to choose lambda. ``unmatched``
    are sources whose two models differ in more than who read to them, and in what; ``doubts`` are those of which it
    cannot be told whether people and machines did, and why.
    """

    folder: Path
    operator: str
    scale: float
    sources: tuple[str, ...]
    norm: float
    target_norm: float
    lost: float
    corpus: Path | None
    choices: tuple[Choice, ...]
    unmatched: Mapping[str, Sequence[str]] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)


def merge(config: MergeConfig, *, progress: Progress = SILENT) -> Merged:
    """Merge, write the checkpoint, and keep the vectors as rows; the same models give the same bytes.

    Raises:
        TrainingError: for models that cannot be merged, development takes that are not real, a folder that holds
            something else, or a lambda that makes a number too large.
        RecipeError: for a lambda of layers, or a rank of adapters, that there are not.
        CatalogError: if a corpus that something was trained on is not there, or cannot be written.
    """
    sources = _sources(config)
    target = load_part(config.target)
    check(config, target, sources)
    corpus = _corpus(config, target)
    chosen = Chosen(config.scale, ()) if config.scale is not None else _before(config, by=chosen_by(config))
    if chosen is None:
        chosen = choose(config, sources, progress=progress)
    mixture = mixture_of(target, sources, config)
    made = composed(mixture, config, chosen.scale)
    if config.vectors is not None:
        sources = [keep_in(Path(config.vectors).expanduser(), source) for source in sources]
        mixture = replace(mixture, sources=sources)
    rows = rows_of(mixture, config) if corpus else []
    put(made, mixture, config, beside={CHOICES: lines(chosen.choices)} if chosen.choices else None)
    if chosen.choices:
        plot_choosing(chosen.choices, chosen.scale, config.path / PLOT)
    if corpus:
        keep(corpus, rows)
    return Merged(
        folder=config.path,
        operator=config.operator.name,
        scale=chosen.scale,
        sources=tuple(source.name for source in sources),
        norm=norm(mixture.vector),
        target_norm=norm(target.weights),
        lost=made.lost,
        corpus=corpus,
        choices=chosen.choices,
        unmatched={source.name: differences for source in sources if (differences := source.unmatched())},
        doubts={source.name: why for source in sources if (why := source.doubt()) is not None},
    )


def _sources(config: MergeConfig) -> list[Source]:
    """The sources of a recipe, from their models or as they are kept; how they are listed makes no difference.

    Raises:
        TrainingError: if one cannot be had, or is there twice.
    """
    found: dict[Id, Source] = {}
    for each in config.sources:
        if each.vector is not None:
            source = load_kept(Path(config.vectors or ""), each.vector, name=each.name)
        else:
            source = load_source(each.domain, each.real or "", each.synthetic or "")
        if source.key in found:
            raise TrainingError(
                f"sources {found[source.key].name!r} and {source.name!r} are one vector, {source.key}; leave one out"
            )
        found[source.key] = source
    return [found[key] for key in sorted(found)]


def _corpus(config: MergeConfig, target: Part) -> Path | None:
    """The corpus that keeps the vectors as rows.

    Raises:
        CorpusMissing: if it is not there.
    """
    corpus = corpus_of(config, target)
    if corpus is not None:
        with Catalog.open(corpus):
            pass
    return corpus


def _before(config: MergeConfig, *, by: Sequence[Mapping[str, Any]]) -> Chosen | None:
    """What the same recipe has chosen by the same takes before; None if it has not, or that can be read no more."""
    recipe, choices = config.path / RECIPE, config.path / CHOICES
    if not all(path.exists() for path in (recipe, choices, config.path / ABOUT)):
        return None
    if recipe.read_text(encoding="utf-8").strip() != config.definition:
        return None
    before = checkpoint.load(config.path).provenance
    if judged_by(before.get("chosen_by") or ()) != judged_by(by):
        return None
    try:
        return chosen_of([Choice(**json.loads(line)) for line in choices.read_text(encoding="utf-8").splitlines()])
    except (ValueError, TypeError):  # what was heard is kept in the corpora: choosing again costs little
        return None
