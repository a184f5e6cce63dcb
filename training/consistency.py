"""What in a training recipe does not go together, found when its tables have been read one by one."""

from collections.abc import Mapping
from typing import Any

from catalogs.errors import RecipeError
from training.data import TextsConfig
from training.masking import hears_of
from training.sampling import SamplingConfig
from training.tables import OnFeatures, OnMixture, OnWaves


def unfit(found: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    """What is wrong with the tables that could be ``found`` in a recipe's, taken together; those with mistakes lack."""
    return [
        *_encoder_mistakes(found, table),
        *_mixture_mistakes(found, table),
        *_masking_mistakes(found),
        *_loop_mistakes(found),
        *_validation_mistakes(found),
    ]


def is_path(name: str) -> bool:
    """Whether a name would lead out of the folder that it is put in."""
    return "/" in name or name in (".", "..")


def _encoder_mistakes(found: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    """An objective hears the features of an encoder, or has one of its own."""
    objective = found.get("objective")
    if isinstance(objective, OnWaves) and table.get("encoder"):
        return [f"{objective.method} has an encoder of its own: leave [encoder] out"]
    if isinstance(objective, OnFeatures) and not table.get("encoder"):
        return [f"encoder is missing: {objective.method} hears the features of one"]
    return []


def _loop_mistakes(found: Mapping[str, Any]) -> list[str]:
    """What draws and computes takes neither a seed nor a number of threads below 0."""
    loop = found.get("loop")
    if loop is None:
        return []
    mistakes = [] if loop.threads >= 0 else [f"loop.threads = {loop.threads}: expected 0, or how many"]
    return mistakes if loop.seed >= 0 else [*mistakes, f"loop.seed = {loop.seed}: expected 0 or more"]


def _validation_mistakes(found: Mapping[str, Any]) -> list[str]:
    """What is held against something is a checkpoint."""
    validation, loop = found.get("validation"), found.get("loop")
    if validation is None or loop is None or validation.every % loop.save_every == 0:
        return []
    wrong = f"validation.every = {validation.every} is no multiple of loop.save_every = {loop.save_every}"
    return [f"{wrong}: the best checkpoint could not be kept"]


def _mixture_mistakes(found: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    """A mixture is what one kind of method is trained on, and no other."""
    objective = found.get("objective")
    if objective is None:
        return []
    if not isinstance(objective, OnMixture):
        return [f"{objective.method} is trained on whole takes: leave [mixture] out"] if "mixture" in table else []
    wrong = [] if "mixture" in table else [f"mixture is missing: {objective.method} is trained on one"]
    if found.get("sampling", SamplingConfig()) != SamplingConfig():
        wrong.append("[mixture] says what is drawn: leave [sampling] out")
    if "penalty" in found:
        wrong.append("objective.penalty compares whole takes: leave it out beside [mixture]")
    if "mixture" in found and found["mixture"].asks_for_made and objective.made is None:
        wrong.append("mixture.made_asr and made_interleaved hear texts: name a synthesiser of slots as objective.made")
    if "mixture" in found and not found["mixture"].asks_for_made and objective.made is not None:
        wrong.append("objective.made makes what nobody hears: give mixture.made_asr or made_interleaved a share")
    return wrong


def _masking_mistakes(found: Mapping[str, Any]) -> list[str]:
    """Masking hides what is heard, from which not every method learns, and which not all data have."""
    if "masking" not in found or "objective" not in found:
        return []
    try:
        hears_of(found["objective"])
    except RecipeError as error:
        return [str(error)]
    if "data" in found and all(isinstance(data, TextsConfig) for data in found["data"]):
        return ["objective.masking hides what is heard, and data has texts alone: leave it out"]
    return []
