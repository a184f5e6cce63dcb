"""The timbre vector: a speaker embedding without the directions in which prosody moves it.

A d-vector hears more than the voice: kokoro's timbres, each read with the prosody of other speakers, come out as
different speakers. The directions of that drift were found on readings of which the timbre and the text were the same
and the prosody was not; without them a timbre is told from another though both change their manner. `python -m
benchmarks.timbre_directions` finds them again, and measures them on timbres that took no part.
"""

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float64]

DIRECTIONS = 4
_FILE = "prosody_directions.npy"


def timbre_vector(embedding: Vectors) -> Vectors:
    """A d-vector (256,) without its prosody, at unit length."""
    return np.asarray(without(embedding[None], shipped_directions())[0])


def without(embeddings: Vectors, directions: Vectors) -> Vectors:
    """Embeddings (N, 256) with nothing of the orthonormal directions (R, 256) in them, at unit length."""
    left = embeddings - embeddings @ directions.T @ directions
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9))


def prosody_directions(embeddings: Vectors, same: NDArray[np.int64], *, count: int = DIRECTIONS) -> Vectors:
    """The orthonormal directions in which embeddings (N, 256) differ most though timbre and text are the same.

    ``same`` (N,) numbers the groups of one timbre and one text, read with several prosodies. Gives (count, 256): the
    first principal components of what is left of the embeddings about the mean of their group.
    """
    apart = embeddings.copy()
    for group in np.unique(same):
        apart[same == group] -= embeddings[same == group].mean(axis=0)
    _, _, components = np.linalg.svd(apart, full_matrices=False)
    found = components[:count]
    largest = np.abs(found).argmax(axis=1)
    signs = np.sign(found[np.arange(len(found)), largest])
    return np.asarray(found * signs[:, None])


@cache
def shipped_directions() -> Vectors:
    """The directions that come with synthgen, (4, 256)."""
    with (resources.files("curation.vectors") / _FILE).open("rb") as file:
        stored: Vectors = np.load(file).astype(np.float64)
    return stored


@cache
def version() -> str:
    """The directions, in short, for the version of a metric."""
    return sha256((resources.files("curation.vectors") / _FILE).read_bytes()).hexdigest()[:12]
