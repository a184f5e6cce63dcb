"""A data set of interleaved sequences: speech and text in turn, and texts alone, in Parquet.

A heard unit is a FLAC file of its own, with the samples of its take from its start to its end at the rate of the take:
it is cut before anything hears it, so that nothing of a word that is to be read is in it. Takes and texts of held-out
splits stay out, and so do texts alone that a held-out take says. Audio is typed so that ``datasets`` decodes it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalogs import flac
from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.errors import AudioError, ReleaseError
from catalogs.export.card import notice
from catalogs.export.folder import Folder, building
from catalogs.export.item import Use
from catalogs.export.report import SUMMARY
from catalogs.export.row_file import RowFile
from catalogs.export.sequences_card import (
    SequencesReport,
    count_take,
    finished_sequences,
    known_as,
    refuse_voices,
    sequences_readme,
    sequences_summary,
)
from catalogs.export.tally import Tally
from catalogs.export.writer import Shards
from catalogs.held_out import HeldOutTexts
from catalogs.ids import content_id
from catalogs.labels import is_held_out
from catalogs.lake import query
from catalogs.records import Interleaving, Release
from catalogs.release import releases
from catalogs.signal import bounds, cut

SHARD_SIZE = 10_000
"""Sequences in a file."""

_WORDS = ("sequence_id", "take_id", "prompt_id", "language", "domain", "voice", "licence", "unit_type")

Row = Mapping[str, Any]


def check_sequences(
    catalog: Catalog, interleaving: Interleaving, *, to: Path, use: Use = "research", shard_size: int = SHARD_SIZE
) -> SequencesReport | None:
    """The export of a set that ``to`` already holds; None if it can be written. The set itself need not be there yet.

    Raises:
        UsageError: if ``to`` holds anything else.
        ReleaseError: if the licence of a voice does not allow the use.
    """
    release = _release(catalog, interleaving)
    done = finished_sequences(to.absolute(), release, known_as(interleaving, use, shard_size))
    if done is None:
        refuse_voices(catalog, release, split=interleaving.split, use=use)
    return done


def export_sequences(
    catalog: Catalog, interleaving: Interleaving, *, to: Path, use: Use = "research", shard_size: int = SHARD_SIZE
) -> SequencesReport:
    """Write a set of sequences into the new folder ``to``, those of takes first; the same set gives the same bytes.

    If ``to`` already holds this very export, nothing is read or written.

    Raises:
        UsageError: if ``to`` is not empty.
        ReleaseError: if nothing is to be written, or a voice's licence does not allow the use.
        AudioError: for audio that cannot be read, or ends before a unit begins.
    """
    done = check_sequences(catalog, interleaving, to=to, use=use, shard_size=shard_size)
    if done is not None:
        return done
    to = to.absolute()
    release, config = _release(catalog, interleaving), known_as(interleaving, use, shard_size)
    with building(to) as folder:
        report, tally = _write(catalog, interleaving, folder, shard_size)
        folder.write("README.md", sequences_readme(interleaving, release, tally, report).encode())
        if tally.voices:
            folder.write("NOTICE", notice(release, tally).encode())
        report = replace(report, num_files=folder.num_files, num_bytes=folder.num_bytes)
        folder.put(SUMMARY, sequences_summary(report, release, config, sums_sha256=folder.close_sums()))
        folder.publish()
    return report


def _write(
    catalog: Catalog, interleaving: Interleaving, folder: Folder, shard_size: int
) -> tuple[SequencesReport, Tally]:
    """Write the sequences, and count them and the takes that they are of."""
    num_sequences = num_texts = num_held_out = 0
    held_out = HeldOutTexts(catalog, [interleaving.release_id])
    writer, tally, last = _Writer(folder, shard_size), Tally(), None
    for units in _sequences(catalog, interleaving):
        first = units[0]
        if _is_held_out(first, held_out):
            num_held_out += 1
            continue
        writer.add(_row(interleaving, units, writer.audio_of(catalog, units)))
        num_sequences += 1
        num_texts += first["take_id"] is None
        if first["take_id"] not in (None, last):
            count_take(tally, first)
            last = first["take_id"]
    if not num_sequences:
        raise ReleaseError(f"no sequence is to be exported; {num_held_out:,} are of held-out takes or texts")
    writer.close()
    return SequencesReport(folder.final, num_sequences, num_texts, num_held_out, 0, 0), tally


def _release(catalog: Catalog, interleaving: Interleaving) -> Release:
    """The release whose takes are in a set."""
    for release in releases(catalog):
        if release.id == interleaving.release_id:
            return release
    raise ReleaseError(f"the release {interleaving.release_id} of set {interleaving.id} is not in {catalog.folder}")


def _sequences(catalog: Catalog, interleaving: Interleaving) -> Iterator[list[Row]]:
    """The units of each sequence, in order; memory does not grow with their number."""
    asked = {"interleaving_id": interleaving.id, "release_id": interleaving.release_id}
    rows = catalog.stream(query("interleaved_units"), **asked)
    for _, units in groupby(rows, key=lambda row: (row["take_id"], row["prompt_id"], row["heard_first"])):
        yield list(units)


def _is_held_out(unit: Row, held_out: HeldOutTexts) -> bool:
    """Whether a sequence is of a held-out take, or of a text alone that a split or a held-out take holds out."""
    is_alone = unit["take_id"] is None
    return is_held_out(unit["split"]) or (is_alone and held_out.have(unit["written"], unit["language"]))


def _row(interleaving: Interleaving, units: Sequence[Row], pieces: Sequence[Row | None]) -> dict[str, Any]:
    """A sequence, with the audio of its units."""
    first = units[0]
    of = first["take_id"] or first["prompt_id"]
    return {
        **{name: first[name] for name in _WORDS if name != "sequence_id"},
        "sequence_id": content_id("sequence", interleaving.id, of, first["heard_first"]),
        "heard_first": first["heard_first"],
        "text": first["written"],
        "units": [
            {**{name: unit[name] for name in ("modality", "text", "start_s", "end_s")}, "audio": piece}
            for unit, piece in zip(units, pieces, strict=True)
        ],
    }


class _Writer:
    """Rows into files of so many; the files' names say how many there are, so they come at the end."""

    def __init__(self, folder: Folder, shard_size: int) -> None:
        self._folder = folder
        self._shards = Shards(shard_size, self._start)
        self._files: list[RowFile] = []
        self._heard: tuple[str, NDArray[np.int16], int] | None = None

    def add(self, row: Row) -> None:
        """Write a sequence behind those before it."""
        num_bytes = sum(len(unit["audio"]["bytes"]) for unit in row["units"] if unit["audio"])
        self._shards.take_place("train").add(row, num_bytes=num_bytes)

    def audio_of(self, catalog: Catalog, units: Sequence[Row]) -> list[Row | None]:
        """The audio of heard units, None for read ones; a take is decoded once for sequences that follow each other."""
        return [self._piece(catalog, unit) if unit["modality"] == "speech" else None for unit in units]

    def close(self) -> None:
        """Seal every file under its name."""
        self._shards.close()
        for number, file in enumerate(self._files):
            self._folder.seal(file.file, name=f"data/train-{number:05d}-of-{len(self._files):05d}.parquet")

    def _start(self, split: str, number: int) -> RowFile:
        name = f"data/{split}-{number:05d}.part"
        self._files.append(RowFile(self._folder, name, _SCHEMA, audio="units.list.element.audio.bytes"))
        return self._files[-1]

    def _piece(self, catalog: Catalog, unit: Row) -> Row:
        take_id = unit["take_id"]
        if self._heard is None or self._heard[0] != take_id:
            audio = catalog.audio.read(Place(unit["shard"], unit["offset"], unit["num_bytes"]))
            self._heard = (take_id, *flac.decode(audio))
        _, samples, rate_hz = self._heard
        start, stop = bounds(unit["start_s"], unit["end_s"], rate_hz=rate_hz)
        if start >= len(samples):
            raise AudioError(
                f"take {take_id} has {len(samples) / rate_hz:.2f} s, and a unit of it begins at {unit['start_s']:.2f} "
                "s: its timings belong to another take; measure the family timing again"
            )
        piece = flac.encode(cut(samples, start, stop), rate_hz)
        return {"bytes": piece, "path": f"{take_id}-{unit['unit_idx']:04d}.flac"}


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _schema() -> pa.Schema:
    """The Arrow schema, with the ``huggingface`` metadata that names the same types in that library's words."""
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    of_unit = {"modality": "string", "text": "string", "start_s": "float64", "end_s": "float64"}
    unit = pa.struct([*((name, pa.type_for_alias(dtype)) for name, dtype in of_unit.items()), ("audio", audio)])
    types = {**dict.fromkeys(_WORDS, pa.string()), "heard_first": pa.bool_(), "text": pa.string()}
    features: dict[str, object] = {**{name: _value("string") for name in _WORDS}, "heard_first": _value("bool")}
    features |= {"text": _value("string")}
    features |= {"units": [{**{name: _value(dtype) for name, dtype in of_unit.items()}, "audio": {"_type": "Audio"}}]}
    described = json.dumps({"info": {"features": features}})
    return pa.schema([*types.items(), ("units", pa.list_(unit))], metadata={"huggingface": described})


_SCHEMA = _schema()
