"""Lambda: one for a whole model, and others for some of its layers."""

import re
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase

from catalogs.config import nearest
from catalogs.errors import RecipeError
from training.merging.vectors import index_of, layer_of


def scale_by_name(
    names: Collection[str], scale: float, scales: Mapping[str, float], *, source: str
) -> Callable[[str], float]:
    """The lambda of each parameter: that of the last pattern that fits it, ``scale`` if none does.

    A pattern is a number, which is that layer of every stack, the name of one layer, or a glob over whole names.

    Raises:
        RecipeError: for patterns that fit no parameter, all of them at once.
    """
    unknown = [pattern for pattern in scales if not any(fits(pattern, name) for name in names)]
    if unknown:
        layers = sorted({layer_of(name) for name in names})
        told = "; ".join(f"{pattern!r} fits no parameter{nearest(pattern, layers)}" for pattern in unknown)
        raise RecipeError(f"{source}: scales: {told}; the first parameter is {min(names)}")
    found = {
        name: next((value for pattern, value in reversed(list(scales.items())) if fits(pattern, name)), scale)
        for name in names
    }
    return found.__getitem__


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern means a parameter."""
    if re.fullmatch(r"\d+", pattern):
        return index_of(name) == int(pattern)
    return layer_of(name) == pattern or fnmatchcase(name, pattern)
