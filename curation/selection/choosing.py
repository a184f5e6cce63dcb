"""Selecting among takes: the Pareto front of stability and expressivity, under coverage, up to a quota.

A policy decides whether the label of a take is right, and nothing else here is a gate: keeping what looks most like
real speech, or what a recogniser is surest of, has made training data worse (arXiv 2306.00998). So a take counts for
more the nearer it lies to the front of its own voice and domain (`pareto`), and the choice spreads over voices,
domains, rates, pitches, lengths and texts (`coverage`). It depends on the candidates alone: ties go by id.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.errors import ReleaseError, UsageError
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.takes import dictionary
from curation.selection.coverage import Pool, in_order
from curation.selection.pareto import merits

REVISION = 1
STRATA = ("voice", "domain")
"""Takes compete for a place on the Pareto front with those of their own voice and domain only."""

STABILITY = ("wer", "cer", "token_repetition")
EXPRESSIVITY = ("f0_sd_st", "energy_sd_db")
COVER = ("voice", "domain", "syllables_per_s", "f0_median_hz", "audio_s")

NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN", "BIGINT")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SelectionConfig:
    """How many takes, or hours of them, and what is weighed.

    Of the defaults of ``stability``, ``expressivity`` and ``cover``, columns that the corpus lacks are left out. Less
    is better of a stability figure, unless its column says that more is; more is better of an expressivity figure.
    A column of numbers is covered in ``bands`` of as many takes each. The last take may run over the hours.
    """

    takes: int | None = None
    hours: float | None = None
    per_text: int = 4
    stability: tuple[str, ...] = STABILITY
    expressivity: tuple[str, ...] = EXPRESSIVITY
    cover: tuple[str, ...] = COVER
    bands: int = 3

    def __post_init__(self) -> None:
        if (self.takes is None) == (self.hours is None):
            raise ValueError("give takes or hours, one of them")
        if not all(n is None or n > 0 for n in (self.takes, self.hours, self.per_text, self.bands)):
            raise ValueError("takes, hours, per_text and bands are positive")


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, from how many, and by which columns of this corpus.

    ``means`` are (figure, mean over the candidates, mean over the chosen) of what was weighed; None without a value.
    """

    take_ids: tuple[Id, ...]
    audio_s: float
    candidates: int
    config: SelectionConfig
    kinds: int
    kinds_chosen: int
    means: tuple[tuple[str, float | None, float | None], ...]

    def made_by(self) -> dict[str, Any]:
        """What a release notes, so that the same takes can be chosen again."""
        return {"revision": REVISION, "candidates": self.candidates, **asdict(self.config)}

    def text(self) -> str:
        """The same in a line or two."""
        told = [f"{figure} {_figure(before)} → {_figure(after)}" for figure, before, after in self.means]
        return (
            f"chosen {len(self.take_ids):,} of {self.candidates:,} takes, {self.audio_s / 3600:.2f} h; "
            f"{self.kinds_chosen:,} of {self.kinds:,} kinds covered" + (f"\n{', '.join(told)}" if told else "")
        )


def select(catalog: Catalog, candidates: Sequence[Id], config: SelectionConfig) -> Selection:
    """Choose among takes, given by their ids.

    Raises:
        UsageError: for a column that this corpus does not have, or that is not a number where one is needed.
        ReleaseError: if the quota cannot be filled.
    """
    columns = _columns(catalog)
    config = _as_measured(config, columns)
    rows = _rows(catalog, candidates, (*config.stability, *config.expressivity, *config.cover, *STRATA), columns)
    pool = _pool(rows, config, columns)
    audio_s = rows["audio_s"].to_numpy()
    chosen: list[int] = []
    seconds = 0.0
    for n in in_order(pool, per_text=config.per_text):
        chosen.append(n)
        seconds += float(audio_s[n])
        if len(chosen) == config.takes or (config.hours is not None and seconds >= config.hours * 3600):
            break
    else:
        raise ReleaseError(_too_few(config, len(chosen), seconds, len(candidates)))
    ids = rows["take_id"].to_pylist()
    kinds = np.unique(pool.features, axis=0, return_inverse=True)[1].reshape(-1)
    return Selection(
        take_ids=tuple(ids[n] for n in chosen),
        audio_s=seconds,
        candidates=rows.num_rows,
        config=config,
        kinds=len(set(kinds.tolist())),
        kinds_chosen=len(set(kinds[chosen].tolist())),
        means=tuple(_means(c, rows, chosen) for c in (*config.stability, *config.expressivity)),
    )


def _columns(catalog: Catalog) -> dict[str, tuple[str, str]]:
    """The columns of ``takes``: type, and which way is better."""
    return {row["column"]: (row["type"], row["better"]) for row in dictionary(catalog.lake).to_pylist()}


def _as_measured(config: SelectionConfig, columns: dict[str, tuple[str, str]]) -> SelectionConfig:
    """The configuration with columns that are here."""
    for column in (*config.stability, *config.expressivity, *config.cover):
        if column not in columns and column not in (*STABILITY, *EXPRESSIVITY, *COVER):
            raise UsageError(f"`takes` has no column {column!r}{nearest(column, [*columns])}")
    for column in (*config.stability, *config.expressivity):
        if columns.get(column, ("DOUBLE", ""))[0] not in NUMBERS:
            raise UsageError(f"{column} is not a number but {columns[column][0]}")
    return replace(
        config,
        stability=tuple(c for c in config.stability if c in columns),
        expressivity=tuple(c for c in config.expressivity if c in columns),
        cover=tuple(c for c in config.cover if c in columns),
    )


def _rows(
    catalog: Catalog, candidates: Sequence[Id], wanted: Sequence[str], columns: dict[str, tuple[str, str]]
) -> pa.Table:
    told = [
        f'takes."{c}"::{"DOUBLE" if columns[c][0] in NUMBERS else "VARCHAR"} AS "{c}"'
        for c in dict.fromkeys(wanted)
        if c != "audio_s"
    ]
    with catalog.lake.lent("candidate", pa.table({"take_id": pa.array(candidates, pa.string())})):
        return catalog.lake.table(query("selection_candidates").format(columns=", ".join(told)))


def _pool(rows: pa.Table, config: SelectionConfig, columns: dict[str, tuple[str, str]]) -> Pool:
    features = [_codes(rows[c], config.bands) for c in config.cover]
    strata = np.unique(np.column_stack([_codes(rows[c], 1) for c in STRATA]), axis=0, return_inverse=True)[1]
    stability = [_numbers(rows[c]) * (1 if columns[c][1] == "higher" else -1) for c in config.stability]
    return Pool(
        features=np.column_stack(features) if features else np.zeros((rows.num_rows, 0), np.int64),
        texts=_codes(rows["prompt_id"], 1),
        merits=merits(stability, [_numbers(rows[c]) for c in config.expressivity], strata.reshape(-1)),
    )


def _numbers(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(), np.float64)


def _codes(column: pa.ChunkedArray, bands: int) -> Ints:
    """Which value each row has, counted from 0 without gaps; numbers by band, what is missing as a value of its own."""
    if not pa.types.is_floating(column.type):
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
    values = _numbers(column)
    known = np.isfinite(values)
    found = np.full(len(values), bands)
    if known.any():
        edges = np.quantile(values[known], np.arange(1, bands) / bands)
        found[known] = np.searchsorted(edges, values[known], side="right")
    return np.asarray(np.unique(found, return_inverse=True)[1].reshape(-1), np.int64)


def _means(column: str, rows: pa.Table, chosen: Sequence[int]) -> tuple[str, float | None, float | None]:
    values = _numbers(rows[column])
    return column, _mean(values), _mean(values[list(chosen)])


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _too_few(config: SelectionConfig, takes: int, audio_s: float, candidates: int) -> str:
    wanted = f"{config.takes:,} takes" if config.takes else f"{config.hours:g} h"
    return (
        f"{wanted} cannot be chosen: {candidates:,} takes are candidates, and with at most {config.per_text} of a text "
        f"that makes {takes:,} takes, {audio_s / 3600:.2f} h; ask for less, or for more of each text (--per-text)"
    )
