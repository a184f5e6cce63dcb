"""Recipe tables of methods: what one is asked, beside its name, by those who know nothing else of it."""

from typing import ClassVar, Protocol, runtime_checkable

from training.backbones.encoders import Encoder
from training.objective import Heard, Objective


@runtime_checkable
class OnFeatures(Protocol):
    """A recipe table that makes an objective; ``method`` is the name it is registered under."""

    @property
    def method(self) -> str:
        """Its name."""
        ...

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> Objective:
        """An objective for features of so many layers of this encoder.

        Raises:
            SynthgenError: if a model is not to be had, or does not suit.
        """
        ...


@runtime_checkable
class OnWaves(Protocol):
    """A recipe table that makes an objective with an encoder of its own, which hears waves."""

    @property
    def method(self) -> str:
        """Its name."""
        ...

    def build_on_waves(self, *, seed: int) -> Objective:
        """The objective. Raises as `OnFeatures.build` does."""
        ...


@runtime_checkable
class OnMixture(OnFeatures, Protocol):
    """A recipe table of an objective that is trained on a mixture, in rows of ``context`` positions at most."""

    @property
    def context(self) -> int:
        """The longest sequence that it takes."""
        ...

    @property
    def made(self) -> object | None:
        """What makes something to hear of texts alone, if it has that."""
        ...


@runtime_checkable
class OnHeard(Protocol):
    """A recipe table of an objective that learns to write what it hears, of which some may be hidden from it."""

    @property
    def hears(self) -> Heard:
        """Where its batches have that."""
        ...


@runtime_checkable
class OnReal(Protocol):
    """A recipe table of an objective that may ask for real takes among its data."""

    @property
    def asks_for_real(self) -> bool:
        """Whether it does."""
        ...


@runtime_checkable
class OnLabels(Protocol):
    """A recipe table of an objective that may learn to write the labels of its data."""

    @property
    def asks_for_labels(self) -> bool:
        """Whether it does."""
        ...


@runtime_checkable
class OnPhones(Protocol):
    """A recipe table of an objective that makes latents of texts, and recognises nothing."""

    makes_latents: ClassVar[bool]
