"""An encoder in two parts: the lower one, frozen, makes latents; the upper one goes on from them, and may be tuned.

    latents = encoder.encode(waves, layers=(split,))       # what `features.layers = [split]` keeps
    frames = upper_part(encoder, split)(padded, lengths)   # the layers above, and the final normalisation

The upper part hears the frames of an utterance and no others: those of the padded window, which the whole encoder looks
at too, are gone, so its frames are not those of the whole encoder, and it needs to be tuned on what it hears. In return
it takes latents of any length, and is cheaper by the part of 30 s that an utterance does not fill.

B utterances · T frames, padded · D width
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from training.backbones.encoders import Encoder


class UpperPart(nn.Module):
    """The layers of an encoder above its split: latents (B, T, D) to frames (B, T, D).

    An utterance's frames do not depend on the others in its batch.
    """

    def __init__(self, layers: nn.ModuleList, norm: nn.Module) -> None:
        super().__init__()
        self.layers = layers
        self.norm = norm

    def forward(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Frames of latents, of which the first ``lengths`` (B,) are heard."""
        heard = torch.arange(latents.shape[1], device=latents.device) < lengths[:, None]  # (B, T)
        mask = latents.new_zeros(heard.shape).masked_fill(~heard, torch.finfo(latents.dtype).min)[:, None, None]
        for layer in self.layers:
            latents = layer(latents, mask)
        frames: Tensor = self.norm(latents)
        return frames


def upper_part(encoder: Encoder, split: int) -> UpperPart:
    """A copy of all that comes after layer ``split``, in float32 on the CPU, to be tuned; the encoder stays as it is.

    Layer 0 is what enters the first layer. After the last there is nothing left: its frames are normalised already.

    Raises:
        TrainingError: for an encoder that is no Whisper, or a layer that it does not have.
    """
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    module = encoder.module
    if not isinstance(module, WhisperEncoder):
        raise TrainingError(f"the encoder {encoder.name} cannot be split: only Whisper's can; leave split out")
    if not 0 <= split <= encoder.num_layers:
        raise TrainingError(
            f"split = {split}: expected 0 to {encoder.num_layers}, the layers that the encoder {encoder.name} has"
        )
    above = deepcopy(module.layers[split:])
    norm = deepcopy(module.layer_norm) if len(above) else nn.Identity()
    return UpperPart(above, norm).to(device="cpu", dtype=torch.float32).requires_grad_(requires_grad=True)
