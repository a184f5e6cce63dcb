"""What comes along with a data set of sequences: a card, the licences, and by what it is known again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogs.catalog import Catalog
from catalogs.export.card import licences_table
from catalogs.export.item import Use
from catalogs.export.licences import refusal, refuse
from catalogs.export.report import held_by, stated
from catalogs.export.tally import Count, Credit, Tally
from catalogs.labels import is_held_out
from catalogs.lake import query
from catalogs.records import Interleaving, Release

_COUNTS = ("num_sequences", "num_texts", "num_held_out", "num_files", "num_bytes")
"""What of a report is kept in its summary."""


@dataclass(frozen=True, slots=True)
class SequencesReport:
    """What was written: sequences, how many of them are texts alone, and sequences left out since they are held out.

    ``num_files`` and ``num_bytes`` are those in ``SHA256SUMS``; ``was_there`` is whether an earlier call wrote them.
    """

    to: Path
    num_sequences: int
    num_texts: int
    num_held_out: int
    num_files: int
    num_bytes: int
    was_there: bool = False


def known_as(interleaving: Interleaving, use: Use, shard_size: int) -> dict[str, Any]:
    """What an export of a set is known by, beside its release."""
    return {"format": "sequences", "set": interleaving.id, "shard_size": shard_size, "intended_use": use}


def finished_sequences(to: Path, release: Release, config: Mapping[str, Any]) -> SequencesReport | None:
    """The export that ``to`` already holds, if it is the one that is asked for; None if there is nothing yet.

    Raises:
        UsageError: if ``to`` holds anything else.
    """
    found = held_by(to, release, config)
    if found is None:
        return None
    counts = {name: found[name] for name in _COUNTS}
    return SequencesReport(to=to, was_there=True, **counts)


def sequences_summary(
    report: SequencesReport, release: Release, config: Mapping[str, Any], *, sums_sha256: str
) -> bytes:
    """The text of ``synthgen_export.json`` of a set of sequences."""
    return stated(release, config, {name: getattr(report, name) for name in _COUNTS}, sums_sha256=sums_sha256)


def refuse_voices(catalog: Catalog, release: Release, *, split: str | None, use: Use) -> None:
    """Refuse the takes of a release, or of one split, that are not held out and may not be used so.

    Raises:
        ReleaseError: naming every voice that may not be used so, and its number of takes.
    """
    refused: dict[str, int] = {}
    for name, licence, consent, of, num_takes in catalog.lake.rows(query("voices_by_split"), release_id=release.id):
        reason = None if is_held_out(of) or split not in (None, of) else refusal(licence, use, consent=consent)
        if reason:
            voice = f"{name} ({reason})"
            refused[voice] = refused.get(voice, 0) + num_takes
    refuse(refused, release, use)


def count_take(tally: Tally, row: Mapping[str, Any]) -> None:
    """Count a take by its voice."""
    credit = Credit(row["licence"], row["voice"], row["engine"], row["consent"], row["checkpoint_sha256"])
    tally.voices.setdefault(credit, Count()).add(row["num_samples"] / row["sample_rate_hz"])


def sequences_readme(interleaving: Interleaving, release: Release, tally: Tally, report: SequencesReport) -> str:
    """The card: what the columns are, how units were chosen, and the licences."""
    held_out = f" {report.num_held_out:,} of held-out takes or texts were left out." if report.num_held_out else ""
    licences = (
        "\n## Licences\n\nEvery take is under the `licence` of its `voice`. `NOTICE` has every voice, and what its "
        f"speaker agreed to.\n\n{licences_table(tally)}\n"
    )
    return (
        f"# Speech and text in turn\n\n{report.num_sequences:,} sequences, {report.num_texts:,} of them texts alone."
        f"{held_out} `units` are in the order of the text. Of those whose `modality` is speech `audio` is heard, the "
        "samples of the take from `start_s` to `end_s`; the others are read. A model learns the text of those that are "
        f"read; the last one always is. A take has up to two sequences, `heard_first` and not: "
        f"{_variants(json.loads(interleaving.choosing))}.\n\nSet `{interleaving.id}` of release `{release.id}`, seed "
        f"{interleaving.seed}, chosen by `{interleaving.choosing}`.\n{licences if tally.voices else ''}"
        '\n```python\ndatasets.load_dataset("parquet", data_files="data/*.parquet")\n```\n'
    )


def _variants(choosing: Mapping[str, Any]) -> str:
    """How the two sequences of a take differ; only an entity can be heard in both."""
    told = "what is heard in the one is read in the other"
    if choosing.get("entity_heard") is not None:
        told += ", but for units that hold an entity, which are heard in both or read in both"
    if choosing.get("least_confidence") is not None or choosing.get("confidence") is not None:
        told += "; what was timed badly may be read in both"
    return told
