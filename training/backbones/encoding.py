"""What all encoders share: pieces in batches, the layers asked for, and inference that leaves no trace.

B pieces · T encoder frames · L encoder layers asked for · D their width
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError, UsageError
from catalogs.ids import Id, Part, content_id

_REVISION = 1
"""Raised when the same weights would give other features."""


class Family(Protocol):
    """How one kind of model hears."""

    module: nn.Module
    width: int
    num_layers: int
    frame_rate_hz: float

    def num_frames(self, num_samples: int) -> int:
        """How many frames a wave of this length has, in all its pieces."""
        ...

    def cut(self, wave: Tensor) -> Sequence[Tensor]:
        """The pieces of a wave that are heard apart, each of which has a frame at least."""
        ...

    def hear(self, pieces: Sequence[Tensor], layers: Sequence[int]) -> list[Tensor]:
        """Features (L, T, D) of pieces that go through the model together, padding trimmed; layers count from 0."""
        ...


class SpeechEncoder:
    """An `Encoder` of any family.

    ``source`` is the hash of its checkpoint, ``settings`` what else decides its output.
    """

    def __init__(self, family: Family, *, name: str, source: str, settings: Mapping[str, Part], batch: int) -> None:
        self._family = family
        self._batch = batch
        self.name = name
        self.id: Id = content_id("encoder", _REVISION, name, source, settings)
        self.width = family.width
        self.num_layers = family.num_layers
        self.frame_rate_hz = family.frame_rate_hz
        self.module = family.module

    def output_lengths(self, num_samples: Sequence[int]) -> list[int]:
        """How many frames waves of these lengths have."""
        return [self._family.num_frames(count) for count in num_samples]

    def encode(self, waves: Sequence[Tensor], layers: Sequence[int]) -> list[Tensor]:
        """Features of each wave, (L, T, D) float32, without gradients or dropout.

        They are ordinary tensors, not those of `torch.inference_mode`, which no gradient could be computed beside.
        """
        with inference(self.module):
            return [features.float() for features in self.forward(waves, layers)]

    def forward(self, waves: Sequence[Tensor], layers: Sequence[int]) -> list[Tensor]:
        """Features of each wave, (L, T, D), in the module's own mode and precision."""
        wanted = [self._layer(layer) for layer in layers]
        parts = [self._cut(checked(wave)) for wave in waves]
        pieces = [piece for cut in parts for piece in cut]
        heard: list[Tensor] = []
        for start in range(0, len(pieces), self._batch):
            heard += self._family.hear(pieces[start : start + self._batch], wanted)
        found = iter(heard)
        return [self._joined([next(found) for _ in cut], len(wanted)) for cut in parts]

    def _cut(self, wave: Tensor) -> Sequence[Tensor]:
        return self._family.cut(wave) if self._family.num_frames(len(wave)) else ()

    def _layer(self, layer: int) -> int:
        if not -self.num_layers - 1 <= layer <= self.num_layers:
            raise UsageError(
                f"the encoder {self.name} has layers 0 to {self.num_layers}, or -1 for the last; not {layer}"
            )
        return layer if layer >= 0 else layer + self.num_layers + 1

    def _joined(self, parts: Sequence[Tensor], num_layers: int) -> Tensor:
        if not parts:
            like = next(self.module.parameters())
            return like.new_zeros(num_layers, 0, self.width)
        return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)


def checked(wave: Tensor) -> Tensor:
    """The wave, if it is one.

    Raises:
        TrainingError: if it is not (n,) float32, or holds NaN or infinite samples.
    """
    if wave.ndim != 1 or wave.dtype != torch.float32:
        raise TrainingError(f"expected a mono wave (n,) of float32, not {tuple(wave.shape)} of {wave.dtype}")
    if not bool(wave.isfinite().all()):
        raise TrainingError(f"a wave of {len(wave)} samples holds NaN or infinite ones")
    return wave


@contextmanager
def inference(module: nn.Module) -> Iterator[None]:
    """Run a module as it is used, not as it is trained, whatever mode a training loop has put it into."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    try:
        with torch.no_grad(), cudnn:
            yield
    finally:
        for part, is_training in modes.items():
            part.training = is_training


@contextmanager
def watched(layers: nn.ModuleList, wanted: Sequence[int]) -> Iterator[dict[int, Tensor]]:
    """Collect (B, T, D) by layer while a model runs: 0 is what enters the first layer, n what leaves the nth."""
    seen: dict[int, Tensor] = {}
    with ExitStack() as stack:
        for layer in set(wanted):
            if layer == 0:
                handle = layers[0].register_forward_pre_hook(_keep_input(seen), with_kwargs=True)
            else:
                handle = layers[layer - 1].register_forward_hook(_keep_output(seen, layer))
            stack.callback(handle.remove)
        yield seen


def _keep_input(seen: dict[int, Tensor]) -> Callable[[nn.Module, Any, Any], None]:
    def keep(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen[0] = args[0] if args else kwargs["hidden_states"]

    return keep


def _keep_output(seen: dict[int, Tensor], layer: int) -> Callable[[nn.Module, Any, Any], None]:
    def keep(_: nn.Module, __: Any, output: Any) -> None:
        seen[layer] = output[0] if isinstance(output, tuple) else output

    return keep
