"""The loss of a transducer (Graves 2012): what a text loses, summed over all of its alignments with the frames.

An alignment walks a lattice from its first node to its last: at node (t, u) it has heard t frames and written u
characters, a blank goes on to the next frame and a character to the next character. Nodes of one diagonal t + u depend
on the one before alone, so that each diagonal of a whole batch is one step. There need be no frame for every character.

B utterances · T frames, padded · U characters, padded · V characters and the blank · N = T + U diagonals
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from training.alphabet import BLANK

_NEVER = -1e30
"""The log probability of what cannot be: finite, so that no gradient is 0 times infinity."""


def transducer_loss(scores: Tensor, targets: Tensor, lengths: Tensor, num_targets: Tensor) -> Tensor:
    """Negative log likelihoods (B,) of targets (B, U), in nats and float32 whatever the scores are.

    ``scores`` (B, T, U + 1, V) are unnormalised; the blank is 0. Of each utterance the first ``lengths`` (B,) frames,
    at least one, and the first ``num_targets`` (B,) characters count, and nothing else does. Costs 16 bytes for each of
    the B·T·(U + 1)·V scores, themselves and their gradient among them.
    """
    log_probs = scores.float().log_softmax(dim=-1)
    num_frames, num_written = log_probs.shape[1], targets.shape[1]
    asked = torch.stack([torch.full_like(targets, BLANK), targets], dim=-1)  # (B, U, 2)
    asked = pad(asked, (0, 0, 0, 1), value=BLANK)[:, None].expand(-1, num_frames, -1, -1)  # (B, T, U + 1, 2)
    steps = log_probs.gather(dim=3, index=asked)
    blanks, written = (_diagonals(lattice) for lattice in steps.unbind(dim=-1))  # (B, N, U + 1) each
    nodes = [pad(blanks.new_zeros(len(blanks), 1), (0, num_written), value=_NEVER)]
    for diagonal in range(num_frames + num_written - 1):
        heard = nodes[-1] + blanks[:, diagonal]
        wrote = pad((nodes[-1] + written[:, diagonal])[:, :-1], (1, 0), value=_NEVER)
        nodes.append(torch.logaddexp(heard, wrote))
    rows, last = torch.arange(len(blanks), device=scores.device), lengths + num_targets - 1
    return -(torch.stack(nodes, dim=1) + blanks)[rows, last, num_targets]


def _diagonals(lattice: Tensor) -> Tensor:
    """Nodes (B, T, U + 1) by diagonal and character, (B, N, U + 1); those outside of the lattice never are."""
    batch, num_frames, width = lattice.shape
    columns = torch.arange(width, device=lattice.device)
    frames = torch.arange(num_frames + width - 1, device=lattice.device)[:, None] - columns  # (N, U + 1)
    index = frames.clamp(0, num_frames - 1).expand(batch, -1, -1)
    is_outside = (frames < 0) | (frames >= num_frames)
    return lattice.gather(dim=1, index=index).masked_fill(is_outside, _NEVER)
