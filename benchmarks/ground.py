"""What the experiments on training stand on: the corpora of docs/results/slam_asr.md, and models that rows go on from.

What is there stays, and serves every experiment; what is missing is made by the recipes of these folders, by one
experiment at a time.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from benchmarks.corpora import SYNTHGEN
from benchmarks.slam_asr import data, rows
from catalogs.catalog import Catalog
from catalogs.config import read_toml
from catalogs.errors import CorpusMissing
from catalogs.progress import Progress
from catalogs.release import releases
from training import checkpoint
from training.recipe import parse_recipe
from training.session import train

HERE = Path(__file__).parent
WRITTEN_FOR = "corpora/asr"
"""Where recipes of models look for corpora and for each other."""
READ: Mapping[str, tuple[str, str, str]] = {
    "orders": ("run", "orders", "orders"),
    "general": ("run", "orders", "general"),
    "long": ("run", "long", "long"),
    "twin": ("tdsc", "twin", "curated"),
}
"""Corpora that voices read: by what command, by which recipe, and the release that this comes to."""
MODELS: Mapping[str, tuple[str, str | None]] = {
    "warm": ("slam_asr/recipes/warm.toml", None),
    "elsewhere": ("slam_asr/recipes/elsewhere.toml", "warm"),
    "ctc-base": ("syn2real/recipes/ctc-base.toml", None),
    "decoder-base": ("syn2real/recipes/whisper_decoder-base.toml", None),
    "listener-base": ("syn2real/recipes/slam_asr-base.toml", "elsewhere"),
}
"""Models that have heard `HEARD` alone: their recipes, and what they go on from."""
HEARD = ("general", "long")
SYNTHETIC = "synthetic-0"
"""The row of SLAM-ASR that goes on from `elsewhere` with one synthetic reading of what the real training part says."""


@dataclass(frozen=True)
class Ground:
    """Where it lies, and the folders of sets of real speech and of texts that it is made of."""

    asr: Path
    speech: Path
    texts: Path

    def corpora(self, names: Iterable[str]) -> None:
        """Real speech to train and to test on, prompts, and those corpora of `READ` that are asked for."""
        with self._alone():
            self._corpora(names)

    def model(self, name: str) -> Path:
        """The folder of a model of `MODELS`, or of `SYNTHETIC`, trained with those it goes on from."""
        with self._alone():
            return self._synthetic() if name == SYNTHETIC else self._model(name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait for another experiment that makes what is here; the lock ends with the process."""
        self.asr.mkdir(parents=True, exist_ok=True)
        with (self.asr / "ground.lock").open("w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                print(f"another experiment is at work in {self.asr}; waiting for it", file=sys.stderr, flush=True)
                flock(file, LOCK_EX)
            yield

    def _corpora(self, names: Iterable[str]) -> None:
        data.prepare(self.speech, self.texts, self.asr)
        for name in names:
            if not _has_release(self.asr / name, READ[name][-1]):
                self._read(name)

    def _model(self, name: str) -> Path:
        path, before = MODELS[name]
        recipe = parse_recipe(_at(read_toml(HERE / path), self.asr), source=path)
        if not checkpoint.last(recipe.folder):
            self._corpora(HEARD)
            if before:
                self._model(before)
        train(recipe, progress=Progress())
        return recipe.folder

    def _synthetic(self) -> Path:
        start = self._model("elsewhere")
        self._corpora(["twin"])
        rows.freeze_shares(self.asr)
        return rows.trained("synthetic", self.asr, start, 0)

    def _read(self, name: str) -> None:
        verb, recipe, _ = READ[name]
        prompts, corpus = (self.asr / f"{name}.jsonl").resolve(), (self.asr / name).resolve()
        command = [str(SYNTHGEN), verb, str(HERE / "slam_asr" / "recipes" / f"{recipe}.toml")]
        overrides = [f"prompts.0.path={prompts}", f"corpus={corpus}"]
        overrides += [f"name={name}"] if verb == "run" else []
        subprocess.run([*command, *(part for each in overrides for part in ("-o", each))], check=True)


def _has_release(corpus: Path, name: str) -> bool:
    try:
        with Catalog.open(corpus) as catalog:
            return any(release.name == name for release in releases(catalog))
    except CorpusMissing:  # or killed while it was made
        return False


def _at(value: Any, asr: Path) -> Any:
    """A table with the paths that begin as those of `WRITTEN_FOR` do in another folder."""
    if isinstance(value, dict):
        return {key: _at(each, asr) for key, each in value.items()}
    if isinstance(value, list):
        return [_at(each, asr) for each in value]
    if isinstance(value, str) and value.startswith(f"{WRITTEN_FOR}/"):
        return str(asr / value.removeprefix(f"{WRITTEN_FOR}/"))
    return value
