"""A CTC recogniser out of a checkpoint, as it finds when the words of takes are said."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from torch import Tensor

from catalogs.errors import AudioError, TrainingError
from catalogs.ids import Id, content_id
from catalogs.models.pretrained import device_of
from catalogs.progress import SILENT, Progress
from training import checkpoint
from training.alphabet import Alphabet
from training.backbones.encoders import Encoder
from training.evaluation.trained import loaded_from, recipe_of, recogniser_id
from training.inputs import FeatureInputs, Inputs
from training.interleaving.words import Word
from training.members import Member
from training.objective import Utterance
from training.sampling import Draw
from training.timing.aligning import align, frames_needed
from training.timing.words import Spelling, spell, with_any, words_of

METHOD = "ctc"
REVISION = 2
"""A timer that finds other times has another revision; 2 hears figures and signs as anything."""

NO_LETTERS: Final = "no letter of theirs is in the alphabet"
TOO_SHORT: Final = "they have more letters than frames"


@runtime_checkable
class Framewise(Protocol):
    """An objective that knows how likely each character is in each frame."""

    alphabet: Alphabet

    def log_probs(self, utterances: Sequence[Utterance]) -> list[Tensor]:
        """Log probabilities (T, V) of each utterance's frames, those of the blank, 0, and of the alphabet."""
        ...


@dataclass(frozen=True, slots=True)
class Timed:
    """The words of a take, or else ``why`` there are none, as the end of a sentence about several takes."""

    words: tuple[Word, ...]
    why: str | None = None


class CtcTimer:
    """Times takes; what it finds in one depends on that take alone. Features of takes are kept."""

    def __init__(self, name: str, timer_id: Id, inputs: Inputs, *, encoder: Encoder, objective: Framewise) -> None:
        self.name, self.id = name, timer_id
        self.alphabet: Alphabet = objective.alphabet
        self._frame_rate_hz = encoder.frame_rate_hz
        self._inputs, self._objective = inputs, objective

    def prepare(self, members: Sequence[Member], progress: Progress) -> None:
        """Encode what was not encoded yet; of audio that is missing or damaged `times` will say whose it is."""
        with suppress(AudioError):
            self._inputs.prepare([Draw(member, 0) for member in members], progress)

    def times(self, members: Sequence[Member]) -> list[Timed]:
        """When the words of takes are said, in their order.

        Raises:
            AudioError: if a take's audio is missing or damaged.
        """
        draws = [Draw(member, 0) for member in members]
        self._inputs.prepare(draws, SILENT)
        found = zip(members, self._inputs.utterances(draws), strict=True)
        return [self._timed(member, utterance) for member, utterance in found]

    def _timed(self, member: Member, utterance: Utterance) -> Timed:
        spelling: Spelling = spell(member.spoken, self.alphabet)
        if not spelling.tokens:
            return Timed((), NO_LETTERS)
        num_frames = 0 if utterance.features is None else utterance.features.shape[1]
        if num_frames < frames_needed(spelling.numbers):
            return Timed((), TOO_SHORT)
        (log_probs,) = self._objective.log_probs([utterance])
        spans = align(with_any(log_probs.cpu().numpy()), spelling.numbers)
        rate_hz = self._frame_rate_hz
        return Timed(tuple(words_of(spelling, spans, frame_rate_hz=rate_hz, length_s=member.duration_s)))


def timer_of(folder: Path, *, features: Path | None = None) -> CtcTimer:
    """The recogniser of a checkpoint, or of the best or else the last one of a training.

    Raises:
        TrainingError: if there is no checkpoint, or one of another method, or what it was trained with has changed.
        EngineError: if a model that it was trained with is not to be had.
    """
    method = recipe_of(checkpoint.load(folder)).objective.method
    if method != METHOD:
        raise TrainingError(
            f"{folder} is of method {method!r}, which says nothing of frames: expected {METHOD!r}; "
            f'train one on speech of the language, with method = "{METHOD}" and its letters as alphabet'
        )
    found, recipe, inputs, objective = loaded_from(folder, features=features)
    if not isinstance(objective, Framewise) or not isinstance(inputs, FeatureInputs):
        raise TrainingError(f"{found.folder}: its method {METHOD!r} is not synthgen's own; uninstall what replaces it")
    checkpoint.restore(found, objective.trained())
    objective.module.eval().to(device_of("auto"))
    name = f"{recipe.name}@{found.position.step}"
    timer_id = content_id("timer", recogniser_id(found), REVISION)
    return CtcTimer(name, timer_id, inputs, encoder=inputs.encoder, objective=objective)
