"""SYN2REAL with every domain once as the target of which there is text alone; its tables, as Markdown.

    python -m benchmarks.syn2real --speech FOLDER --work WORK [--seeds 1] [--threads 2] [--targets NAME ...] [--small]
    python -m benchmarks.syn2real --speech FOLDER --work WORK --base CHECKPOINT [...]

All trainings begin from Whisper tiny.en; with ``--base``, from a model such as those of recipes/ctc-base.toml and
recipes/whisper_decoder-base.toml, whose method they have.
What is recorded, trained, chosen and heard already stays in WORK: killed anywhere, the same command goes on.
``--small`` is the whole of it with a voice and a recogniser that mean nothing, on a handful of recordings.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.corpora import freeze, produce
from benchmarks.syn2real.data import SETS, Sizes, prepare
from benchmarks.syn2real.merges import Tested, tested
from benchmarks.syn2real.telling import report
from benchmarks.syn2real.trainings import ENGINES, Experiment
from catalogs.config import read_toml
from curation.recipe import parse_recipe
from training import checkpoint
from training.merging.angles import registered

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Settings:
    """How large it is; ``training`` and ``voices`` are tables that take the place of those of the recipes."""

    domains: tuple[str, ...] = tuple(SETS)
    sizes: Sizes = field(default_factory=Sizes)
    recipe: str = "whisper"
    steps: int = 30
    grid: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    training: Mapping[str, Any] = field(default_factory=dict)
    voices: Mapping[str, Any] = field(default_factory=dict)


FROM: Mapping[str, Settings] = {
    "ctc": Settings(recipe="ctc", steps=60),
    "whisper_decoder": Settings(recipe="whisper_decoder", steps=60),
}
"""Settings by the method of a base."""
SMALL = Settings(
    domains=("orders", "arctic", "digits"),
    sizes=Sizes(6, 3, 4),
    steps=2,
    grid=(0.0, 0.5),
    training={"objective": {"method": "ctc"}, "encoder": {"name": "tiny"}},
    voices={"voices": [{"engine": "tone"}], "casting": {"voices_per_prompt": 1}, "fleet": {"on": "inline"}},
)


def run(
    speech: Path, work: Path, settings: Settings, *, base: Path | None, targets: Sequence[str], seeds: int, threads: int
) -> str:
    """All that is missing, and then the tables."""
    prepare(speech, work, domains=settings.domains, sizes=settings.sizes)
    for engine in ENGINES:
        read(engine, work, settings)
    recipe = {**read_toml(RECIPES / f"{settings.recipe}.toml"), **settings.training}
    recipe["loop"] |= {"threads": threads}
    found: list[Tested] = []
    experiment = Experiment(work, settings.domains, settings.steps, 0, recipe, base)
    for seed in range(seeds):
        experiment = replace(experiment, seed=seed)
        for target in targets:
            found += tested(experiment, target, grid=settings.grid)
    vectors = registered(work / "synthetic", models_in=experiment.models)
    return report(experiment.models, work / "real", found, vectors)


def read(engine: str, work: Path, settings: Settings) -> None:
    """Have an engine read every domain's training texts once, and freeze them by domain."""
    table = {
        **read_toml(RECIPES / f"{engine}.toml"),
        **settings.voices,
        "corpus": str(work / "synthetic"),
        "prompts": [{"path": str((work / "prompts.jsonl").resolve())}],
    }
    if settings.voices:
        table["voices"] = [{**voice, "speakers": [engine]} for voice in settings.voices["voices"]]
    produce(parse_recipe(table, folder=Path(), source=engine))
    freeze(work / "synthetic", {f"{name}-{engine}": f"domain = '{name}'" for name in settings.domains}, job=engine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real speech")
    parser.add_argument("--work", type=Path, required=True, help="where corpora and models are kept; some 20 GB")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="of every training")
    parser.add_argument("--threads", type=int, default=2, help="of trainings; another number is another model")
    parser.add_argument("--targets", nargs="+", help="some of the domains; all, if not given")
    parser.add_argument(
        "--base", type=Path, help=f"a checkpoint of {' or '.join(FROM)}, from which all trainings begin"
    )
    parser.add_argument("--small", action="store_true", help="models that mean nothing, to try the script")
    asked = parser.parse_args()
    settings = SMALL if asked.small else Settings()
    if asked.base and not asked.small:
        method = checkpoint.load(asked.base).provenance["recipe"]["objective"]["method"]
        if method not in FROM:
            parser.error(f"--base {asked.base} is of {method}; expected {' or '.join(FROM)}")
        settings = FROM[method]
    if asked.steps:
        settings = replace(settings, steps=asked.steps)
    targets = asked.targets or settings.domains
    how = {"base": asked.base, "targets": targets, "seeds": asked.seeds, "threads": asked.threads}
    print(run(asked.speech, asked.work, settings, **how))


if __name__ == "__main__":
    main()
