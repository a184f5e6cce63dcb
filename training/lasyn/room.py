"""Whether a recogniser by CTC has room in what is made of texts for all that it is to write of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.stage import batched
from training.lasyn.fixed import FixedProjection
from training.lasyn.phones import PhoneReader
from training.members import Member

_AT_ONCE = 256
"""Texts whose phones are in memory while they are looked over."""


def told_of_room(
    needed: Tensor, members: Sequence[Member], *, synthesiser: FixedProjection, reader: PhoneReader
) -> str:
    """How many of M texts need (M,) more latents than are made of them, if any do, for people.

    Raises:
        TrainingError: if most have no room.
    """
    if not needed.any():
        return ""
    read = (reader.read([member.spoken for member in part]) for part in batched(members, _AT_ONCE))
    num_phones = torch.cat([part["num_phones"] for part in read])
    unfit = int((needed > synthesiser.output_lengths(num_phones)).sum())
    if not unfit:
        return ""
    enough = int((needed / num_phones).ceil().max())
    told = (
        f"{unfit:,} of {len(members):,} texts teach nothing, as CTC needs a latent for every character, and fewer are "
        f"made of their phones: give objective.synthesiser.frames_per_phone = {enough}"
    )
    if 2 * unfit > len(members):
        raise TrainingError(told)
    return f"; {told}"
