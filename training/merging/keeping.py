"""Task vectors as files, which stay when the models that they are made of are removed.

    FOLDER/KEY/
        vector.safetensors          the numbers, by name, float32; products in the place of adapters
        vector.json                 its name, the hash of that file, and which models it is made of
        real/checkpoint.json        what the model of real speech says of itself, without its weights
        synthetic/checkpoint.json   the same of that of synthetic speech

The key is a hash of both models' weights. A vector appears under it when it is whole.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from catalogs.audio import hash_file
from catalogs.config import nearest
from catalogs.errors import TrainingError
from training import checkpoint
from training.checkpoint import ABOUT, Checkpoint
from training.merging.low_rank import gain_of
from training.merging.parts import VECTOR, Part, Source, check_source, lora_of
from training.merging.vectors import is_finite
from training.tensors import write_tensors

NUMBERS = "vector.safetensors"


def keep_in(folder: Path, source: Source) -> Source:
    """Keep the vector of a source, if it is not there yet; gives the source as it is known from there.

    Its name is the one that it was last kept under from its models: one that comes from there is called otherwise
    within a merge alone.

    Raises:
        TrainingError: if the numbers that are there are not those that were kept.
    """
    place = folder / source.key
    if not place.exists():
        _write(place, source)
    about = _about(place)
    if about["name"] != source.name and source.kept is None:
        checkpoint.put_text(place / VECTOR, _told({**about, "name": source.name}))
    real, synthetic = (_moved(part, place / role) for role, part in source.parts())
    return replace(source, real=real, synthetic=synthetic)


def load_kept(folder: Path, wanted: str, *, name: str | None = None) -> Source:
    """A source by the key or the name of its vector, from a folder of kept ones; ``name`` is what it is to be called.

    Its models have shapes and no numbers: nothing but the vector can be computed.

    Raises:
        TrainingError: if there is none, or several of this name; if its numbers are not those that were kept, or its
            models are no source.
    """
    return kept_at(_found(folder.expanduser(), wanted), name=name)


def is_kept(place: Path) -> bool:
    """Whether a folder is that of a kept vector."""
    return (place / VECTOR).exists()


def kept_at(place: Path, *, name: str | None = None) -> Source:
    """The same, by the folder of the vector itself."""
    about = _about(place)
    vector = load_file(place / NUMBERS)
    if not is_finite(vector):
        raise TrainingError(f"{place / NUMBERS} has numbers that are none; keep the vector again, from its models")
    real, synthetic = (_part(place / role, about[role], vector) for role in ("real", "synthetic"))
    source = Source(name or about["name"], real, synthetic, kept=vector)
    if source.key != place.name:
        raise TrainingError(f"{place} is the vector {source.key}, by the models that it names; give it that name")
    check_source(source)
    return source


def _write(place: Path, source: Source) -> None:
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    write_tensors(source.vector(), part / NUMBERS)
    pins = {role: dict(model.pin) for role, model in source.parts()}
    texts = {VECTOR: _told({"name": source.name, "sha256": hash_file(part / NUMBERS), **pins})}
    for role, model in source.parts():
        (part / role).mkdir()
        about = {"position": asdict(model.found.position), "provenance": model.found.provenance}
        texts[f"{role}/{ABOUT}"] = _told(about)
    for name, text in texts.items():
        (part / name).write_text(text, encoding="utf-8")
    for name in (NUMBERS, *texts):
        with (part / name).open("rb") as file:
            os.fsync(file.fileno())
    part.rename(place)


def _told(about: Mapping[str, Any]) -> str:
    return json.dumps(about, indent=1, sort_keys=True) + "\n"


def _about(place: Path) -> dict[str, Any]:
    """What a kept vector says of itself, which its numbers have to bear out."""
    about = _read(place)
    found = hash_file(place / NUMBERS) if (place / NUMBERS).exists() else "nothing"
    if found != about["sha256"]:
        raise TrainingError(
            f"{place / NUMBERS} is not what was kept: {found} is there, expected {about['sha256']}; put it back, or "
            "remove the folder and merge from the models again"
        )
    return about


def _read(place: Path) -> dict[str, Any]:
    path = place / VECTOR
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {key: about[key] for key in ("name", "sha256", "real", "synthetic")}
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error!r}): expected JSON with name, sha256, real and synthetic; put the file "
            "back as it was, or remove the folder and merge from the models again"
        ) from error


def _found(folder: Path, wanted: str) -> Path:
    """The folder of the vector of a key, or else of a name."""
    paths = [path for path in folder.glob(f"*/{VECTOR}") if not path.parent.name.startswith(".")]
    names = {path.parent: _read(path.parent)["name"] for path in paths}
    if folder / wanted in names:
        return folder / wanted
    found = sorted(place for place, name in names.items() if name == wanted)
    if not found:
        there = sorted(names.values())
        raise TrainingError(
            f"no vector {wanted!r} in {folder}{nearest(wanted, there)}; kept are: {', '.join(there) or 'none'}; a "
            "merge with `vectors` keeps those of its sources"
        )
    if len(found) > 1:
        keys = ", ".join(place.name for place in found)
        raise TrainingError(f"{folder} has {len(found)} vectors {wanted!r}: name one by its key, of {keys}")
    return found[0]


def _moved(part: Part, to: Path) -> Part:
    found = Checkpoint(to, part.found.position, part.found.provenance)
    return replace(part, found=found, pin={**part.pin, "folder": str(to)})


def _part(place: Path, pin: Mapping[str, Any], vector: Mapping[str, Tensor]) -> Part:
    """A model of which all is known but its weights."""
    found = checkpoint.load(place)
    shapes = {name: torch.empty(tensor.shape, device="meta") for name, tensor in vector.items()}
    gain = gain_of(lora_of(found.provenance["recipe"]))
    return Part(found, {**pin, "folder": str(place)}, stored={}, weights=shapes, gain=gain)
