"""What it saves to hear an utterance once: the same training with features kept, and encoded at every step.

    python -m benchmarks.slam_asr.cached RECIPE [--steps 8]

Both columns take the same steps over the same utterances from the same weights, in turn, and leave nothing behind;
what is kept is encoded before the clock starts, once for all epochs.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.table import Row, markdown
from catalogs.config import read_toml
from catalogs.progress import Progress
from training.inputs import Inputs, loaded
from training.loop import Loop
from training.members import members_of, waves_of
from training.objective import Utterance
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw, Epochs


def measure(recipe: TrainRecipe, *, steps: int) -> str:
    """The table, as Markdown."""
    recipe = replace(recipe, loop=replace(recipe.loop, steps=steps, save_every=recipe.loop.log_every * steps))
    members = [member for config in recipe.data for member in members_of(config)[1]]
    epochs = Epochs(members, recipe.sampling, seed=recipe.loop.seed, epochs=recipe.loop.epochs, variants=0)
    _, draws = epochs.schedule(recipe.loop.micro_batches, steps=steps)
    inputs, _ = loaded(recipe)
    began = time.perf_counter()
    inputs.prepare(draws, Progress())
    encoded_s = time.perf_counter() - began
    kept = _trained_s(recipe, epochs, inputs.utterances, steps)
    anew = _trained_s(recipe, epochs, lambda these: _encoded(inputs, these), steps)
    rows = [
        Row(f"{steps} steps, {len(draws)} utterances", f"{kept:.1f} s", f"{anew:.1f} s", anew / kept),
        Row("utterances a second", f"{len(draws) / kept:.1f}", f"{len(draws) / anew:.1f}"),
        Row("encoded before, if not kept already", f"{encoded_s:.1f} s", ""),
    ]
    return markdown("Features kept", "encoded at every step", rows)


def _trained_s(
    recipe: TrainRecipe, epochs: Epochs, load: Callable[[Sequence[Draw]], list[Utterance]], steps: int
) -> float:
    with tempfile.TemporaryDirectory() as folder:
        _, objective = loaded(recipe)
        loop = Loop(objective, epochs, load, config=recipe.loop, optim=recipe.optim, folder=Path(folder))
        began = time.perf_counter()
        loop.run({}, total_steps=steps)
        return time.perf_counter() - began


def _encoded(inputs: Inputs, draws: Sequence[Draw]) -> list[Utterance]:
    """What the store would give, from the waves."""
    waves = waves_of([draw.member for draw in draws])
    heard = inputs.of_waves({draw.member.take_id: wave for draw, wave in zip(draws, waves, strict=True)})
    return [
        replace(utterance, text=draw.member.text, spoken=draw.member.spoken, is_synthetic=draw.member.is_synthetic)
        for utterance, draw in zip(heard, draws, strict=True)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--steps", type=int, default=8)
    asked = parser.parse_args()
    print(measure(parse_recipe(read_toml(asked.recipe), source=str(asked.recipe)), steps=asked.steps))
