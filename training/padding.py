"""Batches of utterances that differ in length: features and tokens in rectangles, with what is padding said.

B utterances · L encoder layers · T frames · D their width · C context tokens · A answer tokens
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from training.objective import Utterance
from training.projectors import Projector
from training.template import Filled

IGNORED = -100
"""The label of a position that is not learned."""


def features_of(utterance: Utterance) -> Tensor:
    """The features (L, T, D) of an utterance.

    Raises:
        TrainingError: if it has none, or none of that form.
    """
    features = utterance.features
    if features is None or features.ndim != 3 or 0 in features.shape:
        found = "no features" if features is None else f"features of shape {tuple(features.shape)}"
        raise TrainingError(
            f"take {utterance.take_id}: {found}; expected (layers, frames, width) of its encoder, at least one of each"
        )
    return features


def num_slots(projector: Projector, utterance: Utterance) -> int:
    """How many slots an utterance becomes, at least one.

    Raises:
        TrainingError: if it has no features, those of another encoder, or fewer frames than a slot.
    """
    layers, num_frames, width = features_of(utterance).shape
    if (layers, width) != (projector.widths.layers, projector.widths.frame):
        raise TrainingError(
            f"take {utterance.take_id}: features of {layers} layers of width {width}, and the projector is for "
            f"{projector.widths.layers} of {projector.widths.frame}; use the encoder it was made for"
        )
    slots = projector.output_lengths(num_frames)
    if slots == 0:
        raise TrainingError(
            f"take {utterance.take_id}: {num_frames} frames are less than one slot of {projector.frames_per_slot}; "
            f"leave so short a take out of the release"
        )
    return slots


def pad_features(utterances: Sequence[Utterance]) -> dict[str, Tensor]:
    """``features`` (B, L, T, D), with zeros behind those that end early, and ``lengths`` (B,) in frames.

    Raises:
        TrainingError: for an utterance without features, or features that differ in layers or width.
    """
    rows = [features_of(utterance) for utterance in utterances]
    shapes = sorted({(row.shape[0], row.shape[2]) for row in rows})
    if len(shapes) != 1:
        found = " and ".join(f"{layers} layers of width {width}" for layers, width in shapes)
        raise TrainingError(f"one batch with features of {found or 'no utterance'}; use those of one encoder")
    lengths = torch.tensor([row.shape[1] for row in rows])
    padded = rows[0].new_zeros(len(rows), shapes[0][0], int(lengths.max()), shapes[0][1])
    for target, row in zip(padded, rows, strict=True):
        target[:, : row.shape[1]] = row
    return {"features": padded, "lengths": lengths}


def lay_out(rows: Sequence[Filled]) -> dict[str, Tensor]:
    """Contexts padded on their left and answers on their right, so that all answers start in one column.

    ``ids`` (B, C + A); ``attention`` (B, C + A) is false for padding; ``slots`` (B, C + A) says which slot of the audio
    stands there, -1 none; ``labels`` (B, A) are of the last A columns: answer and EOS, else -100.
    """
    num_context = max(len(row.context) for row in rows)
    num_answer = max(len(row.answer) for row in rows)
    shape = (len(rows), num_context + num_answer)
    ids = torch.zeros(shape, dtype=torch.long)
    attention = torch.zeros(shape, dtype=torch.bool)
    slots = torch.full(shape, -1)
    labels = torch.full((len(rows), num_answer), IGNORED)
    for index, row in enumerate(rows):
        start, stop = num_context - len(row.context), num_context + len(row.answer)
        ids[index, start:stop] = torch.tensor([*row.context, *row.answer])
        attention[index, start:stop] = True
        slots[index, start + row.slots.start : start + row.slots.stop] = torch.arange(len(row.slots))
        labels[index, : len(row.answer)] = torch.tensor(row.answer, dtype=torch.long)
    return {"ids": ids, "attention": attention, "slots": slots, "labels": labels}
