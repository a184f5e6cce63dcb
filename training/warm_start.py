"""A warm start for projectors: slots learn to lie where the language model's own embeddings of the text lie.

A projector that starts from nothing has to find out through a whole frozen language model what its inputs mean, which
takes thousands of steps in which nothing seems to happen. Here it is told directly: connectionist temporal
classification (Graves et al. 2006) over the tokens of the text, in which the score of a token at a slot is how near the
slot lies to that token's embedding, and a pull towards the embeddings that it finds most probable, which gives slots
the size of text. The language model does not run. `SlamAsr` goes on from the projector: see `adopt_projector`.

B utterances · N slots · C classes: tokens of the texts, and blank as the first · W width of the language model
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, log

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn
from torch.nn import functional

from catalogs.errors import TrainingError
from training.backbones.causal_lm import LanguageModel
from training.objective import Batch, Loss, Utterance
from training.padding import num_slots, pad_features
from training.projectors import Projector, ProjectorConfig
from training.speech_llm import embeddings_of, widths_on
from training.template import Template, TokenTemplate

_BLANK = 0


@dataclass(frozen=True, slots=True)
class WarmStartConfig:
    """Settings of a warm start; template and projector are those of the recogniser that will go on from it.

    ``pull`` is the weight of the squared distance to the expected embedding, in units of the spread of embeddings, per
    slot. ``sharpness`` is what distances are multiplied by at the start; it is learned.
    """

    template: Template = field(default_factory=Template)
    projector: ProjectorConfig = field(default_factory=ProjectorConfig)
    pull: float = 0.1
    sharpness: float = 5.0

    def __post_init__(self) -> None:
        if not (isfinite(self.pull) and self.pull >= 0):
            raise ValueError("warm_start.pull must not be negative")
        if not (isfinite(self.sharpness) and self.sharpness > 0):
            raise ValueError("warm_start.sharpness must be positive")

    def build(
        self, lm: LanguageModel, texts: Iterable[str] | None, *, layers: int, width: int, seed: int
    ) -> "WarmStart":
        """A warm start for features of so many encoder layers of this width.

        It tells the tokens of these texts apart, which are best those that it will train on; None is every token that
        there is, which is slower.

        Raises:
            TrainingError: if the texts are empty, or for a projector that does not suit.
        """
        embeddings = embeddings_of(lm)
        template = self.template.compile(lm)
        tokens = list(range(len(embeddings)))
        if texts is not None:
            tokens = sorted({token for text in texts for token in template.answer(text)})
        if not tokens:
            raise TrainingError("the texts of a warm start have no words; give it those of the release")
        projector = self.projector.build(widths_on(lm, layers=layers, width=width), seed=seed)
        return WarmStart(NearestEmbedding(projector, embeddings[tokens], self.sharpness), template, tokens, self.pull)


class NearestEmbedding(nn.Module):
    """A projector whose slots are scored by how near they lie to embeddings (C - 1, W), which stay as they are.

    Blank has an embedding of its own, which is learned and starts in the middle of all others.
    """

    embeddings: Tensor

    def __init__(self, projector: Projector, embeddings: Tensor, sharpness: float) -> None:
        super().__init__()
        self.projector = projector
        self.register_buffer("embeddings", embeddings.clone(), persistent=False)
        middle = embeddings.mean(0)
        self.spread = float((embeddings - middle).square().sum(-1).mean().clamp(min=1e-12))
        self.blank = nn.Parameter(middle)
        self.log_sharpness = nn.Parameter(torch.tensor(log(sharpness)))

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities (B, N, C), and how far (B, N) each slot lies from the embedding it is expected to be.

        Distances are squared, and in units of the embeddings' mean squared distance from their middle.
        """
        slots = self.projector(features, lengths).float()
        classes = torch.cat([self.blank[None], self.embeddings])  # (C, W)
        squares = slots.square().sum(-1, keepdim=True) + classes.square().sum(-1)
        distances = (squares - 2 * slots @ classes.T) / self.spread  # (B, N, C)
        log_probs = (-self.log_sharpness.exp() * distances).log_softmax(-1)
        expected = (log_probs.exp() @ classes).detach()
        return log_probs, (slots - expected).square().sum(-1) / self.spread


class WarmStart:
    """The objective; see `Objective`. It takes features. Targets are the tokens of the texts, without EOS.

    An utterance that cannot be learned so (a token that the texts did not have, more tokens than slots) is left out of
    the loss, and counted as ``left_out``.
    """

    def __init__(self, module: NearestEmbedding, template: TokenTemplate, tokens: Sequence[int], pull: float) -> None:
        self.module = module
        self.template = template
        self.pull = pull
        self._classes = {token: index for index, token in enumerate(tokens, start=_BLANK + 1)}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The projector and its layer mix, the embedding of blank, and the sharpness."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch; ``classes`` (B, longest text) are its targets, of which ``num_classes`` (B,) count, 0 if left out.

        Raises:
            TrainingError: for an utterance without features, with those of another encoder, or of less than one slot.
        """
        rows = [self._targets(u.text, num_slots(self.module.projector, u)) for u in utterances]
        tensors = pad_features(utterances)
        classes = torch.zeros(len(rows), max(1, *(len(row or ()) for row in rows)), dtype=torch.long)
        for target, row in zip(classes, rows, strict=True):
            target[: len(row or ())] = torch.tensor(row or (), dtype=torch.long)
        tensors["classes"] = classes
        tensors["num_classes"] = torch.tensor([len(row or ()) for row in rows])
        tensors["is_left_out"] = torch.tensor([row is None for row in rows])
        return Batch(tensors, int(tensors["num_classes"].sum()), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """The CTC loss and the pull, summed; ``errors`` of ``targets`` tokens are wrong in the likeliest path."""
        tensors = batch.tensors
        lengths = self.module.projector.output_lengths(tensors["lengths"])
        log_probs, distances = self.module(tensors["features"], tensors["lengths"])
        counted = ~tensors["is_left_out"]
        each = functional.ctc_loss(
            log_probs.transpose(0, 1),
            tensors["classes"],
            lengths,
            tensors["num_classes"],
            blank=_BLANK,
            reduction="none",
        )
        is_slot = torch.arange(distances.shape[1], device=distances.device) < lengths[:, None]
        pulled = (distances * is_slot).sum(1)
        total = torch.where(counted, each + self.pull * pulled, 0.0).sum()
        return Loss(total, self._watched(tensors, log_probs.detach().argmax(-1), lengths))

    def _targets(self, text: str, slots: int) -> list[int] | None:
        classes = [self._classes.get(token) for token in self.template.answer(text)]
        known = [index for index in classes if index is not None]
        between = sum(first == second for first, second in pairwise(known))
        if len(known) < len(classes) or len(known) + between > slots:
            return None
        return known

    def _watched(self, tensors: Mapping[str, Tensor], best: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        errors = 0
        rows = zip(best.tolist(), lengths.tolist(), tensors["classes"].tolist(), strict=True)
        for (path, length, classes), count in zip(rows, tensors["num_classes"].tolist(), strict=True):
            if count:
                errors += Levenshtein.distance(collapse(path[:length]), classes[:count])
        sums = {"errors": torch.tensor(errors), "targets": tensors["num_classes"].sum().cpu()}
        sums["left_out"] = tensors["is_left_out"].sum().cpu()
        return {name: value.to(best.device) for name, value in sums.items()}


def collapse(path: Sequence[int]) -> list[int]:
    """What a path of classes says: repeats are one, blanks none."""
    return [label for label, before in zip(path, [_BLANK, *path], strict=False) if label not in (_BLANK, before)]


def adopt_projector(projector: Projector, trained: Mapping[str, Tensor], *, source: str) -> None:
    """Go on from a projector that another objective has trained: ``trained`` are the tensors of its checkpoint.

    ``source`` is who names that, and what.

    Raises:
        TrainingError: if they hold no projector, or one of another kind or size.
    """
    prefix = "projector."
    found = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
    if not found:
        raise TrainingError(
            f"{source} holds no projector; name a training of a method that has one, such as slam_asr or warm_start"
        )
    expected = {name: tuple(value.shape) for name, value in projector.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    if shapes != expected:
        differing = sorted(name for name in {*shapes, *expected} if shapes.get(name) != expected.get(name))
        name = differing[0]
        raise TrainingError(
            f"{source} holds another projector: {name} is {shapes.get(name, 'absent')} there and "
            f"{expected.get(name, 'absent')} here; give both objectives the same projector, encoder and language model"
        )
    projector.load_state_dict(found)
