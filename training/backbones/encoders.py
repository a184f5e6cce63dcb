"""Speech encoders: what training asks of them, and the recipe tables that build them.

    encoder = WhisperConfig().build()
    features = encoder.encode(waves, layers=(-1,))     # one (1, T, D) float32 tensor per wave

T encoder frames · L encoder layers asked for · D their width. Layer 0 is what enters the first transformer layer, layer
``num_layers`` what leaves the model, final normalisation included; negative numbers count from the end.

A table is looked up by its ``name`` under the entry points ``synthgen.encoders``. Nothing here imports PyTorch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from catalogs.ids import Id
from catalogs.models.pretrained import Device, packages

if TYPE_CHECKING:
    from torch import Tensor, nn

RATE_HZ = 16_000
"""The rate at which every encoder hears."""

GROUP = "synthgen.encoders"
"""Entry points under which encoders are registered."""

Dtype = Literal["float32", "bfloat16", "float16"]


class Encoder(Protocol):
    """A loaded encoder. Waves are mono float32 (n,) in [-1, 1] at 16 kHz, on any device.

    A wave's features do not depend on the others in its batch, up to the rounding of sums.
    """

    @property
    def name(self) -> str:
        """The name of its table."""
        ...

    @property
    def id(self) -> Id:
        """A hash of its weights and of all that decides its output, the machine aside."""
        ...

    @property
    def width(self) -> int:
        """Numbers per frame, D."""
        ...

    @property
    def num_layers(self) -> int:
        """The number of the last layer; with layer 0 there is one more to choose from."""
        ...

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second."""
        ...

    @property
    def module(self) -> "nn.Module":
        """The model itself, every parameter frozen, in inference mode; whoever tunes it says so."""
        ...

    def output_lengths(self, num_samples: Sequence[int]) -> list[int]:
        """How many frames waves of these lengths have, exactly and for every length; too short a wave has none."""
        ...

    def encode(self, waves: Sequence["Tensor"], layers: Sequence[int]) -> list["Tensor"]:
        """Features of each wave, (L, T, D) float32 on the module's device, without gradients or dropout.

        Raises:
            UsageError: for a layer that it does not have.
            TrainingError: for a wave that is no mono float32 wave.
        """
        ...

    def forward(self, waves: Sequence["Tensor"], layers: Sequence[int]) -> list["Tensor"]:
        """The same in the module's own mode and precision, with gradients where its parameters want them."""
        ...


class EncoderConfig(Protocol):
    """A recipe table that builds an encoder."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        ...

    def build(self) -> Encoder:
        """Load it.

        Raises:
            EngineError: if a package or the checkpoint is not to be had, or is not what the table says.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """What all encoders that are loaded have; ``batch`` is how many waves go through the model at once."""

    revision: str | None = None
    device: Device = "auto"
    dtype: Dtype = "float32"
    batch: int = 8

    def __post_init__(self) -> None:
        check_batch(self.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperConfig(EncoderSettings):
    """Whisper's encoder: the starter ``whisper-tiny-en``, or a checkpoint in `transformers` form.

    ``checkpoint`` is the name of a pinned model, a folder, or a hub id with a commit as its ``revision``; ``batch`` is
    how many windows go through the model at once. What it hears and returns is told in `training.backbones.whisper`.
    """

    name: Literal["whisper"] = "whisper"
    checkpoint: str = "whisper-tiny-en"

    def build(self) -> Encoder:
        """Load the encoder; weights in CTranslate2 form are converted the first time."""
        with packages(self.name, extra="train"):
            from training.backbones.whisper import load_whisper
        return load_whisper(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEncoderConfig(EncoderSettings):
    """An encoder that hears the wave itself.

    ``checkpoint`` is a folder, or a hub id with a commit as its ``revision``. ``normalize`` says whether a wave is
    brought to mean 0 and variance 1 first; None does as the checkpoint's feature extractor says.
    """

    name: Literal["wavlm", "hubert"]
    checkpoint: str
    normalize: bool | None = None

    def build(self) -> Encoder:
        """Load the encoder."""
        with packages(self.name, extra="train"):
            from training.backbones.waves import load_waves
        return load_waves(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WavLmConfig(WaveEncoderConfig):
    """WavLM, say ``microsoft/wavlm-large`` at a commit."""

    name: Literal["wavlm"] = "wavlm"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubertConfig(WaveEncoderConfig):
    """HuBERT, say ``facebook/hubert-large-ll60k`` at a commit."""

    name: Literal["hubert"] = "hubert"


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyEncoderConfig:
    """A tiny random encoder of a true class, for tests and dry runs: the geometry is real, the features mean nothing.

    ``kind`` ending in "base" has the layers of the base checkpoints (group norm over time), in "large" those of the
    large ones (layer norm). Tiny Whisper hears windows of 2 s.
    """

    name: Literal["tiny"] = "tiny"
    kind: Literal["whisper", "wavlm-base", "wavlm-large", "hubert-base", "hubert-large"] = "whisper"
    width: int = 32
    num_layers: int = 3
    seed: int = 0
    batch: int = 8

    def __post_init__(self) -> None:
        check_batch(self.batch)
        if self.width < 8 or self.width % 8 or self.num_layers < 1:
            raise ValueError(f"width = {self.width}, num_layers = {self.num_layers}: expected eights, and a layer")

    def build(self) -> Encoder:
        """Make the encoder, on the CPU; the same seed gives the same weights."""
        with packages(self.name, extra="train"):
            from training.backbones.tiny import tiny_encoder
        return tiny_encoder(self)


def check_batch(batch: int) -> None:
    """Refuse an encoder that would hear nothing.

    Raises:
        ValueError: as a recipe reports its mistakes.
    """
    if batch < 1:
        raise ValueError(f"batch = {batch}: expected 1 or more")
