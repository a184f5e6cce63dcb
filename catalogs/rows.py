"""Records to Arrow, a whole batch at a time: the shape in which the catalog stores them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pyarrow as pa

from catalogs import records

TABLES: dict[type, str] = {
    records.Prompt: "prompt",
    records.VoiceCard: "voice",
    records.Line: "line",
    records.Take: "take",
    records.Shard: "shard",
    records.Job: "job",
    records.JobLine: "job_line",
    records.Round: "round",
    records.Run: "run",
    records.VoiceReference: "voice_reference",
    records.Verdict: "verdict",
    records.Group: "line_group",
    records.Preference: "preference",
    records.SetScore: "set_score",
    records.Release: "release",
    records.ReleaseItem: "release_item",
    records.Evaluation: "evaluation",
    records.Hypothesis: "hypothesis",
    records.Understanding: "understanding",
    records.TaskVector: "task_vector",
    records.LatentReport: "latent_report",
    records.Interleaving: "interleaving",
    records.SequenceUnit: "unit",
    records.Failure: "failure",
}

IDENTITY: dict[str, tuple[str, ...]] = {
    "prompt": ("id",),
    "voice": ("id",),
    "line": ("id",),
    "take": ("id",),
    "shard": ("name",),
    "job": ("id",),
    "job_line": ("job_id", "line_id"),
    "round": ("job_id", "number"),
    "run": ("id",),
    "voice_reference": ("voice_id", "version"),
    "verdict": ("take_id", "policy"),
    "line_group": ("id", "line_id"),
    "preference": ("winner", "loser", "objective", "method", "job_id"),
    "set_score": ("set_id", "subset", "metric", "version"),
    "release": ("id", "name"),
    "release_item": ("release_id", "take_id"),
    "evaluation": ("id",),
    "hypothesis": ("evaluation_id", "take_id"),
    "understanding": ("evaluation_id", "take_id"),
    "task_vector": ("id",),
    "latent_report": ("id",),
    "interleaving": ("id",),
    "unit": ("interleaving_id", "take_id", "prompt_id", "heard_first", "unit_idx"),
    "failure": ("stage", "subject_id", "attempt"),
}

_SLOTS = pa.map_(pa.string(), pa.string())
_ENTITIES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))
_WORD_TIMES = pa.list_(pa.struct([("start_s", pa.float32()), ("end_s", pa.float32())]))
_TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "FLOAT[]": pa.list_(pa.float32()),
    "INTEGER[]": pa.list_(pa.int32()),
    "VARCHAR[]": pa.list_(pa.string()),
}


def to_arrow(rows: Sequence[Any]) -> pa.Table:
    """One Arrow table from records of one class, a column per field."""
    return pa.table({f.name: _column(f.name, [getattr(r, f.name) for r in rows]) for f in fields(rows[0])})


def scores_to_arrow(card: records.MetricCard, scores: Sequence[records.Score]) -> pa.Table:
    """One Arrow table from the scores of one family: take id, version, and the card's columns."""
    columns: dict[str, pa.Array] = {
        "take_id": pa.array([s.take_id for s in scores], pa.string()),
        "version": pa.array([card.version] * len(scores), pa.string()),
    }
    for index, column in enumerate(card.columns):
        columns[column.name] = pa.array([s.values[index] for s in scores], _TYPES[column.type])
    return pa.table(columns)


def _column(name: str, values: list[Any]) -> pa.Array:
    if name == "slots":
        return pa.array([[(s.name, s.value) for s in v] for v in values], _SLOTS)
    if name in ("entities", "found"):
        return pa.array([[{"name": s.name, "value": s.value} for s in v] for v in values], _ENTITIES)
    if name == "word_times":
        return pa.array([v and [(t.start_s, t.end_s) for t in v] for v in values], _WORD_TIMES)
    return pa.array(values)
