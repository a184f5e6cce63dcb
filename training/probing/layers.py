"""The probe of every layer, and the controls without which a curve means nothing.

Labels that are drawn anew within each text show what a probe finds where there is nothing; duration, loudness and
pauses (`training.probing.surface`) what it would find without a model.
"""

from dataclasses import dataclass

import numpy as np

from catalogs.errors import ReleaseError
from training.evaluation.resampling import Interval
from training.probing.activations import Layer
from training.probing.cells import Cell, Grid
from training.probing.classifier import Probe, Vectors, fit, fit_quickly
from training.probing.figures import Resampled
from training.probing.pairing import Flags, Readings

SURFACE = Layer("surface")


@dataclass(frozen=True, slots=True)
class LayerRow:
    """How well takes are told apart by one layer: where they are what they are, and where labels are random."""

    layer: str
    width: int
    accuracy: Interval
    auc: Interval
    random_accuracy: Interval
    random_auc: Interval


@dataclass(frozen=True, slots=True)
class Bench:
    """What all layers share: the takes, true and random labels (N,), cells for either, and the draws of texts."""

    readings: Readings
    random_labels: Flags
    cells: tuple[Cell, ...]
    random_cells: tuple[Cell, ...]
    resampled: Resampled

    @classmethod
    def of(cls, readings: Readings, *, groups: int, replicates: int) -> "Bench":
        """Deal the takes into cells.

        Raises:
            ReleaseError: if there are too few speakers or texts to hold any out.
        """
        true, random = readings.is_synthetic, shuffled(readings)
        grid = Grid.of(readings.speakers, readings.texts, true, groups=groups)
        kinds = [Grid(grid.speakers, grid.texts, labels).cells() for labels in (true, random)]
        if not all(kinds):
            of_kind = [readings.counts(synthetic=kind)[1] for kind in (False, True)]
            raise ReleaseError(
                f"{of_kind[0]} real and {of_kind[1]} synthetic speakers have read {len(set(readings.texts))} texts in "
                "common: too few to hold speakers and texts out; expected at least 2 speakers of either kind, and "
                "texts that several have read"
            )
        resampled = Resampled.of(readings.text_numbers, number=replicates)
        return cls(readings, random, tuple(kinds[0]), tuple(kinds[1]), resampled)

    def probe(self, vectors: Vectors) -> Probe:
        """The probe of a layer."""
        return fit(vectors, self.readings.is_synthetic, self.cells, self.readings)

    def probe_anew(self, vectors: Vectors) -> Probe:
        """A probe of takes of which some are perturbed, with a penalty that is not chosen."""
        return fit_quickly(vectors, self.readings.is_synthetic, self.cells)

    def row(self, layer: Layer, vectors: Vectors, probe: Probe) -> LayerRow:
        """How well a layer's probe does, and what it does with random labels."""
        random = fit(vectors, self.random_labels, self.random_cells, self.readings)
        figures = []
        for found, labels in ((probe, self.readings.is_synthetic), (random, self.random_labels)):
            scores = found.scores(vectors)
            figures.append(self.resampled.accuracy(scores, labels))
            figures.append(self.resampled.auc(scores, scores, labels, found.cells))
        return LayerRow(layer.name, vectors.shape[1], *figures)


def shuffled(readings: Readings) -> Flags:
    """Labels (N,) that are permuted among the takes of each text, so that each has as many of either as it had."""
    labels = readings.is_synthetic.copy()
    random = np.random.default_rng(0)
    numbers = readings.text_numbers
    for text in range(int(numbers.max()) + 1):
        places = np.flatnonzero(numbers == text)
        labels[places] = labels[random.permutation(places)]
    return labels
