"""A preference data set: for every prompt, the chosen and the rejected take, side by side in Parquet.

The columns are those that preference trainers know (``prompt``, ``chosen``, ``rejected``); audio is typed so that
``datasets`` decodes it. Test texts stay out: what a test holds is never trained on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.errors import ReleaseError, UsageError
from catalogs.export.folder import building
from catalogs.export.item import Use, finite
from catalogs.export.licences import refusal
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.stage import batched

HELD_OUT = ("test", "dev", "validation")
"""Splits that no preference is exported of."""

_GROUP = 50
_NAME = "data/train-00000-of-00001.parquet"
_NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN")
_TEXTS = ("prompt_id", "prompt", "spoken", "language", "domain", "voice", "licence", "objective", "method")


@dataclass(frozen=True, slots=True)
class PreferenceReport:
    """What was written: pairs, by objective, and pairs left out because their text is held out."""

    to: Path
    num_pairs: int
    num_held_out: int
    num_bytes: int


def export_preferences(
    catalog: Catalog,
    *,
    to: Path,
    method: str | None = None,
    objective: str | None = None,
    job_id: Id | None = None,
    use: Use = "research",
) -> PreferenceReport:
    """Write the preferences of a corpus (of one method, objective or job, if given) into the new folder ``to``.

    Raises:
        UsageError: if ``to`` is there already.
        ReleaseError: if there is no such preference, or a voice's licence does not allow the use.
        AudioError: for audio that cannot be read.
    """
    to = to.absolute()
    if to.exists():
        raise UsageError(f"{to} is there already; choose another folder, or remove it")
    names = [f.named(c) for f in families(catalog.lake) for c in f.card.columns if c.type in _NUMBERS]
    asked = {"method": method, "objective": objective, "job_id": job_id}
    num_pairs = num_held_out = 0
    with building(to) as folder:
        file = folder.create(_NAME)
        with pq.ParquetWriter(file, _schema(names), compression="ZSTD") as writer:
            for group in batched(_rows(catalog, names, asked, use=use), _GROUP):
                pairs = [row for row in group if row is not None]
                num_held_out += len(group) - len(pairs)
                num_pairs += len(pairs)
                if pairs:
                    writer.write_table(pa.Table.from_pylist(pairs, schema=_schema(names)))
        if not num_pairs:
            raise ReleaseError(_nothing(asked, num_held_out))
        folder.seal(file)
        folder.write("README.md", _readme(num_pairs, num_held_out).encode())
        folder.close_sums()
        folder.publish()
        return PreferenceReport(to, num_pairs, num_held_out, folder.num_bytes)


def _rows(
    catalog: Catalog, names: list[str], asked: Mapping[str, str | None], *, use: Use
) -> Iterator[dict[str, Any] | None]:
    """One row a pair; None for a pair whose text is held out."""
    sql = query("preference_pairs").format(
        chosen_scores=_fields("chosen", names), rejected_scores=_fields("rejected", names)
    )
    for row in catalog.stream(sql, **asked):
        terms = ((row["licence"], row.pop("consent")), (row.pop("rejected_licence"), row.pop("rejected_consent")))
        for licence, consent in terms:
            reason = refusal(licence, use, consent=consent)
            if reason:
                hint = "" if use == "research" else "; export it for research"
                raise ReleaseError(f"a take by {row['voice']} is not for {use} use: {reason}{hint}")
        if row.pop("split") in HELD_OUT:
            yield None
            continue
        row["prompt"] = row.pop("text")
        for side in ("chosen", "rejected"):
            row |= _side(catalog, side, row.pop(side), names)
        yield row


def _side(catalog: Catalog, side: str, take: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    audio = catalog.audio.read(Place(take["shard"], take["offset"], take["num_bytes"]))
    scores = {name: take["scores"][name] for name in names}
    return {
        side: {"bytes": audio, "path": f"{take['id']}.flac"},
        f"{side}_id": take["id"],
        f"{side}_tokens": take["tokens"],
        f"{side}_scores": finite(scores) or {"none": None},
    }


def _fields(side: str, names: list[str]) -> str:
    return ", ".join(f"'{name}': {side}.\"{name}\"::DOUBLE" for name in names) or "'none': NULL::DOUBLE"


def _schema(names: list[str]) -> pa.Schema:
    scores = pa.struct([(name, pa.float64()) for name in names or ["none"]])
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in _TEXTS]
    features: dict[str, object] = {name: _value("string") for name in _TEXTS}
    fields += [("iteration", pa.int32()), ("weight", pa.float64())]
    features |= {"iteration": _value("int32"), "weight": _value("float64")}
    for side in ("chosen", "rejected"):
        fields += [(side, audio), (f"{side}_id", pa.string()), (f"{side}_tokens", pa.list_(pa.int32()))]
        fields.append((f"{side}_scores", scores))
        features |= {side: {"_type": "Audio"}, f"{side}_id": _value("string"), f"{side}_tokens": [_value("int32")]}
        features[f"{side}_scores"] = {name: _value("float64") for name in names or ["none"]}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _readme(num_pairs: int, num_held_out: int) -> str:
    left_out = f" {num_held_out:,} pairs of held-out texts were left out." if num_held_out else ""
    return (
        f"# Preferences\n\n{num_pairs:,} pairs: `prompt` is the text, `chosen` the better reading, `rejected` the "
        "worse one, by the same voice. `objective` says at what it is better, `method` how it was found, `weight` what "
        f"the loss on such pairs counts for: nothing at 0, and null is no weight.{left_out}\n\n"
        '```python\ndatasets.load_dataset("parquet", data_files="data/*.parquet")\n```\n'
    )


def _nothing(asked: Mapping[str, str | None], num_held_out: int) -> str:
    told = " and ".join(f"{key.removesuffix('_id')} {value!r}" for key, value in asked.items() if value)
    held_out = f"; {num_held_out:,} are of held-out texts" if num_held_out else ""
    return f"no preferences{' with ' + told if told else ''} to export{held_out}; `synthgen tdsc` makes some"
