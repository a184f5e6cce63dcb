"""The view ``prosody_about_voice``: which takes are lively *for their voice*, or high, or slow.

How much the pitch moves is a habit of speakers: a corpus sorted by ``f0_sd_st`` is sorted by voice. Here each figure is
what it is beyond the mean of its voice. The view has a column for every figure that the corpus was measured for, and is
not there in a corpus with none of them.
"""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from catalogs.lake import Lake, query

VIEW = "prosody_about_voice"


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column of the view: the figure of ``takes`` it is made from, and how it is put beside the voice's mean."""

    name: str
    source: str
    measured: str
    beside: str
    unit: str
    meaning: str
    mean: str = "avg({x})"
    kind: str = "DOUBLE"


def _if_finite(measured: str) -> str:
    """A figure that is not a number counts as not measured, or it would spoil its voice's mean."""
    return f"if(isfinite({{x}}::DOUBLE), {measured.format(x='{x}::DOUBLE')}, NULL)"


_FIGURES = (
    _Figure(
        "f0_median_about_voice_st", "f0_median_hz", _if_finite("if({x} > 0, 12 * log2({x}), NULL)"), "{x} - {mean}",
        "semitones", "median F0 above the mean of its voice",
    ),
    _Figure(
        "f0_sd_about_voice_st", "f0_sd_st", _if_finite("{x}"), "{x} - {mean}",
        "semitones", "F0 spread beyond the mean of its voice: how lively it is for the voice",
    ),
    _Figure(
        "energy_sd_about_voice_db", "energy_sd_db", _if_finite("{x}"), "{x} - {mean}",
        "dB", "spread of loudness beyond the mean of its voice",
    ),
    _Figure(
        "rate_about_voice", "chars_per_s", _if_finite("{x}"), "{x} / nullif({mean}, 0)",
        "ratio", "characters per second over the mean of its voice; above 1 is faster",
    ),
    _Figure(
        "prosody_vector_about_voice", "prosody_vector", "{x}::DOUBLE[]",
        "list_transform(range(1, len({x}) + 1), lambda i: {x}[i] - {mean}[i])",
        "", "the prosody vector less the mean of its voice: how it is read, without the habits of who reads",
        mean="list_transform(range(1, max(len({x})) + 1), "
        "lambda i: list_avg(list_transform(list({x}), lambda row: row[i])))",
        kind="DOUBLE[]",
    ),
)  # fmt: skip


def write_about_voice(lake: Lake, known: Collection[str]) -> None:
    """Define the view anew for a corpus whose ``takes`` has these columns; without any figure it is dropped."""
    figures = _made_of(known)
    if not figures:
        lake.run(f"DROP VIEW IF EXISTS {VIEW}")
        return
    sql = query(VIEW).format(
        measured=", ".join(f'{_measured(f)} AS "{f.source}"' for f in figures),
        means=", ".join(f'{_mean(f)} AS "{f.source}"' for f in figures),
        columns=", ".join(f'{_beside(f)} AS "{f.name}"' for f in figures),
    )
    lake.run(f"CREATE OR REPLACE VIEW {VIEW} AS {sql}")


def about_voice_dictionary(known: Collection[str]) -> pa.Table:
    """What the view's own columns mean, as rows like those of the dictionary of ``takes``; none if there is no view."""
    figures = _made_of(known)
    rows = [_row("takes_of_voice", "BIGINT", "how many takes its voice has in the corpus")] if figures else []
    return pa.Table.from_pylist([*rows, *(_row(f.name, f.kind, f.meaning, unit=f.unit) for f in figures)])


def _made_of(known: Collection[str]) -> list[_Figure]:
    return [figure for figure in _FIGURES if figure.source in known]


def _measured(figure: _Figure) -> str:
    return figure.measured.format(x=f'"{figure.source}"')


def _mean(figure: _Figure) -> str:
    return figure.mean.format(x=f'"{figure.source}"')


def _beside(figure: _Figure) -> str:
    return figure.beside.format(x=f'measured."{figure.source}"', mean=f'usual."{figure.source}"')


def _row(column: str, kind: str, meaning: str, *, unit: str = "") -> dict[str, str]:
    about = {"column": column, "type": kind, "unit": unit, "better": "neither", "meaning": meaning}
    return {**about, "family": VIEW, "version": ""}
