"""The models of the experiment: every training begins from one base, and takes equal steps in an order of texts.

DOMAIN-real, DOMAIN-piper, DOMAIN-kokoro    the same texts by people and by two engines
without-TARGET-real                         real speech of all other domains
without-TARGET-mixed, TARGET-continued      real and synthetic speech of all others, then synthetic of the target
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from catalogs.progress import Progress
from training.recipe import TrainRecipe, parse_recipe
from training.session import train

ENGINES = ("piper", "kokoro")
"""The first reads what targets are trained on; the other shows how much of a vector is the engine's."""
CONTINUED = 0.1
"""The rate at which a mixed model goes on, as a share of that before."""

_there: dict[Path, TrainRecipe] = {}
"""What this process has trained or found to be done; rows ask for the same models time and again."""


@dataclass(frozen=True)
class Experiment:
    """Where all of it lies, which domains there are, how long trainings are, and their recipe without data and name.

    ``base`` is a checkpoint that all of them begin from; without it they begin from what the recipe names.
    """

    work: Path
    domains: tuple[str, ...]
    steps: int
    seed: int
    recipe: Mapping[str, Any]
    base: Path | None = None

    def sources(self, target: str) -> list[str]:
        """All other domains."""
        return [name for name in self.domains if name != target]

    @property
    def models(self) -> Path:
        """Where all trainings and merges lie, and the plots of what they came to."""
        return self.work / ("models" if self.base is None else f"models-of-{self.base.name}")

    def folder(self, name: str) -> Path:
        """Where a training or a merge lies."""
        return self.models / f"{name}-{self.seed}"


def trainings(experiment: Experiment, targets: Sequence[str]) -> list[Callable[[], Path]]:
    """All that targets need, none of which needs another: the models of sources and targets, and two more of each."""
    readers = {name: () if set(targets) == {name} else ("real", ENGINES[1]) for name in experiment.domains}
    of_domains = [
        partial(model_of, experiment, name, reader) for name in readers for reader in (ENGINES[0], *readers[name])
    ]
    return [*of_domains, *(partial(each, experiment, name) for name in targets for each in (real_without, continued))]


def model_of(experiment: Experiment, domain: str, reader: str) -> Path:
    """The model of one domain, whose texts are read by people ("real") or by an engine."""
    return _trained(experiment, f"{domain}-{reader}", [(domain, reader)])


def real_without(experiment: Experiment, target: str) -> Path:
    """The model of real speech of all domains but one."""
    data = [(name, "real") for name in experiment.sources(target)]
    return _trained(experiment, f"without-{target}-real", data)


def continued(experiment: Experiment, target: str) -> Path:
    """The model of real and synthetic speech of all other domains, trained on with synthetic speech of the target.

    That is the target model of the paper's published code, without its early stopping on real speech of the target.
    """
    data = [(name, reader) for name in experiment.sources(target) for reader in ("real", ENGINES[0])]
    mixed = _trained(experiment, f"without-{target}-mixed", data)
    return _trained(experiment, f"{target}-continued", [(target, ENGINES[0])], start_from=mixed, share=CONTINUED)


def release_of(domain: str, reader: str) -> tuple[str, str]:
    """The corpus and the release that hold a domain's training texts as somebody read them."""
    return ("real", f"{domain}-train") if reader == "real" else ("synthetic", f"{domain}-{reader}")


def _trained(
    experiment: Experiment,
    name: str,
    data: Sequence[tuple[str, str]],
    *,
    start_from: Path | None = None,
    share: float = 1.0,
) -> Path:
    recipe, folder = experiment.recipe, experiment.folder(name)
    releases = [release_of(domain, reader) for domain, reader in data]
    table = {
        **recipe,
        "name": folder.name,
        "folder": str(folder),
        "data": [{"corpus": str(experiment.work / corpus), "release": release} for corpus, release in releases],
        "optim": recipe["optim"] | {"rate": share * recipe["optim"]["rate"]},
        "loop": recipe["loop"] | {"steps": experiment.steps, "seed": experiment.seed},
    }
    if start := start_from or experiment.base:
        table["start_from"] = str(start)
    asked = parse_recipe(table, source=folder.name)
    if _there.get(folder) != asked:
        train(asked, progress=Progress())
        _there[folder] = asked
    return folder
