"""Encoder outputs, kept on disk, so that a frozen encoder hears an utterance once.

    <folder>/<encoder>/part-<hash>.safetensors

``encoder`` is a hash of everything that decides the output: weights, layers, dtype. A tensor's name is the hash of the
take's samples and what they were heard in, augmentation and variant, so a take that two corpora share is encoded once,
and one that was recorded anew is encoded anew. Variant 0, the take itself, is shared by all augmentations. Files
appear under their names when they are whole; a killed run has lost what was not.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.ids import Id, content_id
from catalogs.stage import batched
from training.interleaving.spans import bounds_of
from training.sampling import Draw
from training.tensors import readable, write_tensors

PER_FILE = 256

Encode = Callable[[Sequence[Draw]], list[Tensor]]
"""Features (L, T, D) of some draws, in any dtype; they are kept in that one."""


class FeatureStore:
    """The features of one encoder, of takes and of their variants in one augmentation."""

    def __init__(self, folder: Path, encoder_id: str, *, augmentation_id: Id = "") -> None:
        self._augmentation_id = augmentation_id
        self._folder = folder.expanduser() / encoder_id
        self._folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, Path] = {}
        self._open: dict[Path, Any] = {}
        self._stack = ExitStack()
        self.refresh()

    def refresh(self) -> None:
        """Know the files that others have written since."""
        for path in sorted(set(self._folder.glob("part-*.safetensors")) - set(self._files.values())):
            self._note(path)

    def __contains__(self, draw: Draw) -> bool:
        return self.key_of(draw) in self._files

    def missing(self, draws: Iterable[Draw]) -> list[Draw]:
        """Those of the draws whose features are not there yet, each take and variant once."""
        unique = {self.key_of(draw): draw for draw in draws}
        return [draw for key, draw in unique.items() if key not in self._files]

    def fill(self, draws: Sequence[Draw], encode: Encode) -> None:
        """Encode what is missing, utterances of like length together, and keep it, file by file."""
        ordered = sorted(self.missing(draws), key=lambda draw: (draw.member.duration_s, self.key_of(draw)))
        for part in batched(ordered, PER_FILE):
            self._keep(dict(zip(map(self.key_of, part), encode(part), strict=True)))

    def read(self, draw: Draw) -> Tensor:
        """The features of one draw, (L, T, D).

        Raises:
            TrainingError: if they are not there, or damaged by now.
        """
        key = self.key_of(draw)
        if key not in self._files:
            raise TrainingError(f"take {draw.member.take_id}, variant {draw.variant}, was not encoded; fill the store")
        path = self._files[key]
        again = "give the same command again, which encodes anew what is not there"
        with readable(path, what="kept features", missing=again, damaged=again):
            if path not in self._open:
                self._open[path] = self._stack.enter_context(safe_open(path, framework="pt"))
            tensor: Tensor = self._open[path].get_tensor(key)
        return tensor

    def key_of(self, draw: Draw) -> str:
        """The name of a draw's features: its samples, and how they were augmented, or which parts were heard."""
        if draw.parts is not None:
            return f"{draw.member.pcm_sha256}.{content_id('parts', bounds_of(draw.parts))}"
        heard_in = f"{self._augmentation_id}.{draw.variant}" if draw.variant else "0"
        return f"{draw.member.pcm_sha256}.{heard_in}"

    def close(self) -> None:
        """Let go of the files."""
        self._stack.close()
        self._open = {}

    def _keep(self, features: Mapping[str, Tensor]) -> None:
        name = content_id("features", sorted(features))
        path = self._folder / f"part-{name}.safetensors"
        part = self._folder / f".{path.name}.{os.getpid()}"
        write_tensors(features, part)
        part.replace(path)
        self._note(path)

    def _note(self, path: Path) -> None:
        """Know a file's tensors; one that is damaged is set aside and encoded again, here or by another process."""
        with suppress(FileNotFoundError):
            try:
                with safe_open(path, framework="pt") as file:
                    self._files |= dict.fromkeys(file.keys(), path)
            except SafetensorError:
                path.rename(path.with_suffix(".damaged"))


def as_stored(features: Tensor, dtype: str) -> Tensor:
    """Features in the dtype they are kept in: "float32", "bfloat16" or "float16"."""
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    return features.to(kinds[dtype])
