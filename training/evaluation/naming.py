"""Recognisers by the names that people give them: a checkpoint's folder, or the baseline's name."""

from pathlib import Path

from catalogs.errors import TrainingError
from training.answering import DecodingConfig
from training.checkpoint import ABOUT
from training.evaluation.baseline import BASELINE, Baseline
from training.evaluation.recogniser import Recogniser
from training.evaluation.trained import recogniser_of


def recogniser_named(name: str, *, beams: int = 1) -> Recogniser:
    """Load a recogniser.

    Raises:
        TrainingError: if the name is neither the baseline's nor a checkpoint's, or it is no recogniser's.
        EngineError: if a model is not to be had.
    """
    folder = checkpoint_folder(name)
    if folder is None:
        return Baseline(beams=beams)
    return recogniser_of(folder, DecodingConfig(beams=beams))


def checkpoint_folder(name: str) -> Path | None:
    """The folder of a checkpoint, or of a training; None for the baseline.

    Raises:
        TrainingError: if the name is neither.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name == BASELINE:
        return None
    raise TrainingError(f"there is no {name}: expected a folder with {ABOUT}, that of a training, or {BASELINE}")
