"""Who has read to a model, people or machines: as far as its provenance says, and its releases are still there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from catalogs.errors import SynthgenError, TrainingError
from catalogs.ids import Id
from catalogs.text import normalise
from training.checkpoint import Checkpoint
from training.data import Data, read_data
from training.evaluation.leaks import data_of


@dataclass(frozen=True, slots=True)
class Readings:
    """What a model was trained on: the samples of real takes by their hashes, and the texts of all, normalised.

    ``num_synthetic`` counts takes of machines, and texts, whatever they were made into. ``missing`` says why something
    of it is not known; None if all of it is.
    """

    real: frozenset[str]
    num_synthetic: int
    texts: frozenset[str]
    missing: str | None = None


def readings_of(found: Checkpoint) -> Readings:
    """What a checkpoint itself was trained on, without what it went on from, which both of a source share."""
    try:
        data = data_of(found)
    except SynthgenError as error:
        return _together((), [str(error)])
    parts, missing = [], []
    if found.provenance.get("merge"):
        missing.append(f"{found.folder} is a merge, whose other models have had more than its target")
    for config, release_id in data:
        try:
            parts.append(_readings_in(config, release_id))
        except SynthgenError as error:
            missing.append(f"{found.folder} has had the {config}, which cannot be read: {error}")
    readings = _together(parts, missing)
    return replace(readings, real=frozenset()) if _draws_no_real(found) else readings


def check_readers(name: str, real: Checkpoint, synthetic: Checkpoint) -> str | None:
    """Refuse a source whose models have not been read to by whom it says; gives why that cannot be told, if so.

    Raises:
        TrainingError: if the model of real speech has heard none, or that of synthetic speech has heard real takes that
            the other has not, or nothing synthetic.
    """
    people, machines = readings_of(real), readings_of(synthetic)
    if not people.real and people.missing is None:
        swapped = "; are real and synthetic swapped?" if machines.real else ""
        raise TrainingError(
            f"source {name!r}: real = {real.folder} has heard no real take: all {people.num_synthetic:,} that it was "
            "trained on are synthetic speech or texts; expected a training on recordings (`synthgen ingest` makes a "
            f"corpus of them): name that one as real{swapped}"
        )
    only_there = machines.real - people.real
    if only_there and people.missing is None:
        raise TrainingError(
            f"source {name!r}: synthetic = {synthetic.folder} has heard {len(only_there):,} real takes that "
            f"{real.folder} has not; expected one on synthetic readings of the same texts, and no real takes but those "
            "of the other: name that one as synthetic, or train it again without them"
        )
    if not machines.num_synthetic and machines.missing is None:
        raise TrainingError(
            f"source {name!r}: synthetic = {synthetic.folder} has heard nothing synthetic, only {len(machines.real):,} "
            "real takes; expected a training on synthetic readings of the same texts: name that one as synthetic"
        )
    is_known = people.real and not only_there
    return machines.missing if is_known else people.missing


def texts_of(found: Checkpoint) -> frozenset[str] | None:
    """What a model was trained to write, normalised; None if some of that is not there any more."""
    readings = readings_of(found)
    return None if readings.missing else readings.texts


def speech_of(found: Checkpoint) -> frozenset[str]:
    """What real speech a model was trained on: samples by their hashes, and where some are gone, releases by their ids.

    What is gone for one model is for another that was trained on the same, so that either can be compared.
    """
    readings = readings_of(found)
    if readings.missing is None:
        return readings.real
    return readings.real | {release["id"] for release in found.provenance.get("releases") or ()}


def _draws_no_real(found: Checkpoint) -> bool:
    """Whether sampling left all real takes of its data alone."""
    shares = (found.provenance["recipe"].get("sampling") or {}).get("real")
    return shares is not None and not any(shares)


def _together(parts: Iterable[Readings], missing: Iterable[str]) -> Readings:
    found = list(parts)
    return Readings(
        real=frozenset().union(*(part.real for part in found)),
        num_synthetic=sum(part.num_synthetic for part in found),
        texts=frozenset().union(*(part.texts for part in found)),
        missing="; ".join(missing) or None,
    )


@lru_cache(maxsize=256)
def _readings_in(config: Data, release_id: Id) -> Readings:
    """What is in a table of data, if that is still the one of this id. Many merges of a process share their sources."""
    origin, members = read_data(config)
    if origin.id != release_id:
        raise TrainingError(f"it was {release_id} then, and is {origin.id} now")
    return Readings(
        real=frozenset(member.pcm_sha256 for member in members if not member.is_synthetic),
        num_synthetic=sum(member.is_synthetic for member in members),
        texts=frozenset(normalise(member.text, member.language) for member in members),
    )
