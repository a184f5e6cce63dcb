"""A training on the workers of a Ray cluster: each of them is one process of it, on whatever machine it is.

Recipe, corpora, caches and the training's folder are looked for under the same paths on every machine, as on a shared
file system; relative ones from the folder that the command was given in.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError, WorkerGroupError

from catalogs.errors import EngineError, SynthgenError, TrainingError
from catalogs.progress import Progress
from catalogs.stopping import stoppable_elsewhere
from training.data import read_data
from training.recipe import TrainRecipe
from training.session import Trained, train, trained_on


def train_on_ray(recipe: TrainRecipe, *, address: str | None, workers: int) -> Trained:
    """Do all that is missing of a training, on so many workers, a GPU each where the cluster has as many.

    ``address`` None starts a Ray of our own on this machine.

    Raises:
        UsageError: for no workers, or more than a step has micro-batches.
        EngineError: if the cluster does not answer.
        TrainingError: if a worker died.
        SynthgenError: what `training.session.train` raises, from the first worker that did.
    """
    recipe.loop.check_shared(workers)
    _connect(address)
    storage = (recipe.folder / "ray").absolute()
    storage.mkdir(parents=True, exist_ok=True)
    trainer = TorchTrainer(
        _work,
        train_loop_config={"recipe": recipe, "folder": str(Path.cwd())},
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=_gpus() >= workers),
        run_config=RunConfig(name=recipe.id, storage_path=str(storage)),
    )
    try:
        with stoppable_elsewhere():
            trainer.fit()
    except TrainingFailedError as error:
        raise _cause(error) from error
    return trained_on([member for config in recipe.data for member in read_data(config)[1]], recipe)


def _work(config: Mapping[str, Any]) -> None:
    """One process of a training, in the folder that the command was given in."""
    os.chdir(config["folder"])
    train(config["recipe"], progress=Progress())


def _connect(address: str | None) -> None:
    if ray.is_initialized():
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    where = f"the cluster at {address}" if address else "Ray on this machine"
    options: dict[str, Any] = {"address": address} if address else {"address": "local", "include_dashboard": False}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, configure_logging=False, **options)
    except (ConnectionError, OSError, RayError, RuntimeError, ValueError) as error:
        raise EngineError(f"{where} does not answer: {str(error).splitlines()[0]}") from error


def _gpus() -> float:
    return float(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]  # ray is untyped here


def _cause(error: TrainingFailedError) -> SynthgenError:
    """What went wrong, in our own words if they were ours."""
    failures = error.worker_failures if isinstance(error, WorkerGroupError) else {}
    for _, failure in sorted(failures.items()):
        seen: BaseException | None = failure
        while seen is not None:
            if isinstance(seen, SynthgenError):
                return seen
            seen = getattr(seen, "cause", None) or seen.__cause__
    words = next(iter(str(next(iter(failures.values()), error)).strip().splitlines()), type(error).__name__)
    return TrainingError(f"a worker of the training failed: {words}")
