"""SYN2REAL with every domain once as the target of which there is text alone; its tables, as Markdown.

    python -m benchmarks.syn2real --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/syn2real
        [--recogniser whisper_decoder] [--seeds 3] [--jobs 2] [--targets NAME ...] [--small]

``--speech`` has sets of real speech, ``--texts`` has sets of texts. All trainings begin from a base that has heard no
person, which lies with what it has heard in ``--asr``, where experiments share them, and is trained if it is missing;
those of the recogniser `whisper` begin from Whisper tiny.en as it comes.
What is read, trained, chosen and heard already stays: killed anywhere, the same command goes on.
``--small`` is the whole of it with a voice and a recogniser that mean nothing, on a handful of recordings; ``--texts``
and ``--asr`` are not looked at.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpora import freeze, produce
from benchmarks.ground import Ground
from benchmarks.side_by_side import num_jobs, side_by_side
from benchmarks.syn2real.data import SETS, Sizes, prepare
from benchmarks.syn2real.merges import tested
from benchmarks.syn2real.telling import report
from benchmarks.syn2real.trainings import ENGINES, Experiment, trainings
from catalogs.config import read_toml
from curation.recipe import parse_recipe
from training.merging.angles import registered

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Settings:
    """How large it is; ``training`` and ``voices`` are tables that take the place of those of the recipes.

    ``targets`` are those that are tested if none is named. Digits only give vectors: a row of them is one
    word to the normaliser, so that their test has few words. ``base`` is the model of
    `benchmarks.ground` that trainings begin from; None is what the recipe names.
    """

    domains: tuple[str, ...] = tuple(SETS)
    targets: tuple[str, ...] = tuple(name for name in SETS if name != "digits")
    sizes: Sizes = field(default_factory=Sizes)
    recipe: str = "whisper"
    base: str | None = None
    steps: int = 30
    grid: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    training: Mapping[str, Any] = field(default_factory=dict)
    voices: Mapping[str, Any] = field(default_factory=dict)


RECOGNISERS: Mapping[str, Settings] = {
    "whisper_decoder": Settings(recipe="whisper_decoder", base="decoder-base", steps=60),
    "ctc": Settings(recipe="ctc", base="ctc-base", steps=60),
    "slam_asr": Settings(recipe="slam_asr", base="listener-base", steps=30),
    "whisper": Settings(),
}
SMALL = Settings(
    domains=("orders", "arctic", "digits"),
    targets=("orders", "arctic", "digits"),
    sizes=Sizes(6, 3, 4),
    steps=2,
    grid=(0.0, 0.5),
    training={"objective": {"method": "ctc"}, "encoder": {"name": "tiny"}},
    voices={"voices": [{"engine": "tone"}], "casting": {"voices_per_prompt": 1}, "fleet": {"on": "inline"}},
)


def run(
    speech: Path,
    work: Path,
    settings: Settings,
    *,
    base: Path | None,
    targets: Sequence[str],
    seeds: int,
    jobs: int,
    threads: int,
) -> str:
    """All that is missing, and then the tables."""
    prepare(speech, work, domains=settings.domains, sizes=settings.sizes)
    for engine in ENGINES:
        read(engine, work, settings)
    recipe = {**read_toml(RECIPES / f"{settings.recipe}.toml"), **settings.training}
    recipe["loop"] |= {"threads": threads}
    each_seed = [Experiment(work, settings.domains, settings.steps, seed, recipe, base) for seed in range(seeds)]
    side_by_side([part for each in each_seed for part in trainings(each, targets)], jobs=jobs, threads=threads)
    tests = [partial(tested, each, target, grid=settings.grid) for each in each_seed for target in targets]
    found = [row for rows in side_by_side(tests, jobs=jobs, threads=threads) for row in rows]
    models = each_seed[0].models
    return report(models, work / "real", found, registered(work / "synthetic", models_in=models))


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
    parser.add_argument("--texts", type=Path, help="folder of sets of texts")
    parser.add_argument("--asr", type=Path, help="the corpora and models that experiments share")
    parser.add_argument("--work", type=Path, required=True, help="where all else is kept; some 20 GB")
    parser.add_argument("--recogniser", choices=RECOGNISERS, default="whisper_decoder")
    parser.add_argument("--seeds", type=int, default=3, help="of what claims are made of; ablations have the first")
    parser.add_argument("--steps", type=int, help="of every training")
    parser.add_argument("--jobs", type=num_jobs, default=2, help="trainings and merges at once")
    parser.add_argument("--threads", type=int, default=1, help="of trainings; another number is another model")
    parser.add_argument("--targets", nargs="+", help="some of the domains; all but digits, if not given")
    parser.add_argument("--small", action="store_true", help="models that mean nothing, to try the script")
    asked = parser.parse_args()
    settings = SMALL if asked.small else RECOGNISERS[asked.recogniser]
    if unknown := [name for name in asked.targets or () if name not in settings.domains]:
        parser.error(f"no domain {unknown[0]!r}; expected some of {', '.join(settings.domains)}")
    base = None
    if settings.base is not None:
        if None in (asked.asr, asked.texts):
            parser.error("give --texts and --asr, folders of texts and of what experiments share, or --small")
        base = Ground(asked.asr, asked.speech, asked.texts).model(settings.base)
    if asked.steps:
        settings = replace(settings, steps=asked.steps)
    how = {"seeds": asked.seeds, "jobs": asked.jobs, "threads": asked.threads}
    print(run(asked.speech, asked.work, settings, base=base, targets=asked.targets or settings.targets, **how))


if __name__ == "__main__":
    main()
