"""What a mixture hears: features of whole takes, and of the heard parts of sequences, cut out before they are heard.

A frozen encoder hears a sequence's parts once, behind each other, whatever epoch they come in; what it made of them is
kept as the features of takes are.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from catalogs.progress import Progress
from training.inputs import FeatureInputs, utterance_of
from training.interleaving.spans import Slotting, concatenate, pieces_of, scatter
from training.members import Wave, waves_of
from training.objective import Utterance
from training.sampling import Draw


class MixedInputs:
    """See `Inputs`. ``takes`` are those of whole takes."""

    def __init__(self, takes: FeatureInputs, slotting: Slotting, *, frames_per_slot: int) -> None:
        self.encoder_id: str | None = takes.encoder_id
        self._takes, self._slotting, self._frames = takes, slotting, frames_per_slot
        self._store = takes.store_of(f"parts-{slotting.samples_a_slot}-{slotting.longest}")

    def prepare(self, draws: Sequence[Draw], progress: Progress) -> None:
        """Encode the takes, and the heard parts of sequences, that were not encoded yet."""
        self._takes.prepare([draw for draw in draws if draw.parts is None], progress)
        self._takes.keep(self._store, [draw for draw in draws if _is_interleaved(draw)], self._heard, progress)

    def utterances(self, draws: Sequence[Draw]) -> list[Utterance]:
        """Utterances with their features; texts alone have none."""
        whole = iter(self._takes.utterances([draw for draw in draws if draw.parts is None]))
        return [next(whole) if draw.parts is None else self._sequence(draw) for draw in draws]

    def of_waves(self, waves: Mapping[str, Wave]) -> list[Utterance]:
        """Whole waves."""
        return self._takes.of_waves(waves)

    def _sequence(self, draw: Draw) -> Utterance:
        features = self._store.read(draw).float() if _is_interleaved(draw) else None
        return utterance_of(draw, features=features)

    def _heard(self, draws: Sequence[Draw]) -> list[Tensor]:
        """Features (L, T, D) of the heard parts of each draw, each part a whole number of slots."""
        laid = [
            concatenate(pieces_of(wave, draw.parts or ()), self._slotting)
            for draw, wave in zip(draws, waves_of([draw.member for draw in draws]), strict=True)
        ]
        waves = [torch.from_numpy(self._filled(wave)) for found, _ in laid for wave in found]
        outputs = iter(self._takes.features(waves))
        return [
            torch.cat(scatter([next(outputs) for _ in found], places, rows_a_slot=self._frames), dim=-2)
            for found, places in laid
        ]

    def _filled(self, wave: Wave) -> Wave:
        """The wave with silence behind it, until the encoder makes as many frames of it as its slots need."""
        needed = len(wave) // self._slotting.samples_a_slot * self._frames
        hop = self._slotting.samples_a_slot // self._frames
        while (there := self._takes.encoder.output_lengths([len(wave)])[0]) < needed:
            wave = np.pad(wave, (0, (needed - there) * hop))
        return wave


def _is_interleaved(draw: Draw) -> bool:
    """Whether parts of a take are heard; what is made of a text alone is the objective's own."""
    is_take = draw.member.place is not None
    return is_take and draw.parts is not None and any(part.modality == "speech" for part in draw.parts)
