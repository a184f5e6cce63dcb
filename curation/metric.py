"""The metric protocol: a family reads clips and writes scores; it never decides.

Families register their configuration under the entry-point group ``synthgen.metrics``.
"""

from collections.abc import Sequence
from typing import Protocol

from catalogs.clip import Clip
from catalogs.records import MetricCard, Score

__all__ = ["Clip", "Metric", "MetricConfig"]


class Metric(Protocol):
    """A loaded metric family."""

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """Score the clips, one score each, in order; a figure that does not exist for a clip is None.

        Raises:
            Exception: for a clip it cannot measure; the caller finds out which by asking again, alone.
        """
        ...


class MetricConfig(Protocol):
    """A frozen dataclass, one table of a recipe: which columns a family writes, and how to load it."""

    def card(self) -> MetricCard:
        """Family, version and columns, without loading a model."""
        ...

    def build(self) -> Metric:
        """Load the family's models.

        Raises:
            EngineError: if they are not to be had, with the command that gets them.
        """
        ...
