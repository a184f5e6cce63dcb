"""The takes of a set as columns, which is how figures of sets read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.intervals import FEWEST
from catalogs.lake import query
from curation.tokenisers.sequences import TokenRows

NUMBERS = (
    "cer",
    "substitutions",
    "insertions",
    "deletions",
    "ref_words",
    "token_repetition",
    "speaker_similarity",
    "f0_sd_st",
    "energy_sd_db",
    "f0_median_hz",
    "chars_per_s",
    "f0_correlation",
    "f0_rmse_st",
)
CHARS = "text_chars"
TOKENS = "speech_tokens"
VECTORS = ("speaker_embedding", "prosody_vector", "timbre_vector")


@dataclass(frozen=True)
class Watched:
    """N takes: figures with NaN for what was not measured, and speech tokens, if the corpus has them.

    ``text`` numbers the prompts, ``reading`` prompts and voices together: takes with the same number are readings of
    one text by one voice.
    ``labels`` numbers voices, styles and domains (languages apart), whose names are ``domains``; ``vectors`` holds rows
    of a width, with NaN for a take that has none. ``weights`` are how much each take counts for erosion, None all
    alike, and ``standard`` says by what sets were made comparable; see `curation.sets.comparable`. ``language`` is that
    of each take, ``codec`` names the voice's own code, "" for none, in which ``codes`` are; they have no rows where
    nobody asked for them.
    """

    take_ids: tuple[Id, ...]
    is_synthetic: NDArray[np.bool_]
    text: NDArray[np.int64]
    reading: NDArray[np.int64]
    figures: Mapping[str, NDArray[np.float64]]
    tokens: TokenRows | None = None
    labels: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    vectors: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    language: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    codec: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    codes: TokenRows | None = None
    domains: tuple[str, ...] = ("",)
    weights: NDArray[np.float64] | None = None
    standard: str = ""

    def __len__(self) -> int:
        return len(self.take_ids)

    @property
    def clusters(self) -> NDArray[np.int64]:
        """Which takes come together, shape (N,): readings of a text, and what a real speaker says, of `FEWEST` or more.

        Synthetic voices are chosen and not drawn: intervals are those of these voices. So are those of a few speakers.
        """
        speakers = self.labels["voice"][~self.is_synthetic] if "voice" in self.labels else self.text[:0]
        if len(np.unique(speakers)) < FEWEST:
            return self.text
        clusters: NDArray[np.int64] = self.text + speakers.max() + 1
        clusters[~self.is_synthetic] = speakers
        return clusters

    @property
    def alpha(self) -> float:
        """The share of synthetic takes."""
        return float(self.is_synthetic.mean()) if len(self) else 0.0

    def rows(self, rows: NDArray[np.int64]) -> "Watched":
        """Some of the takes, in the order asked for."""
        return replace(
            self,
            take_ids=tuple(self.take_ids[row] for row in rows.tolist()),
            is_synthetic=self.is_synthetic[rows],
            text=self.text[rows],
            reading=self.reading[rows],
            figures={name: values[rows] for name, values in self.figures.items()},
            tokens=None if self.tokens is None else self.tokens.of_rows(rows),
            labels={name: numbers[rows] for name, numbers in self.labels.items()},
            vectors={name: held[rows] for name, held in self.vectors.items()},
            language=self.language[rows] if len(self.language) else self.language,
            codec=self.codec[rows] if len(self.codec) else self.codec,
            codes=None if self.codes is None else self.codes.of_rows(rows),
            weights=None if self.weights is None else self.weights[rows],
        )

    def between(self, start: int, stop: int) -> "Watched":
        """The takes from one place to another."""
        return self.rows(np.arange(start, min(stop, len(self))))


def takes_of_job(catalog: Catalog, job_id: Id, *, vectors: bool = False) -> Watched:
    """The takes of a job, in its order; ``vectors`` reads those, too, a kilobyte a take."""
    return _read(catalog, job_id=job_id, vectors=vectors)


def takes_of_release(catalog: Catalog, release_id: Id, *, vectors: bool = False) -> Watched:
    """The members of a release, by id."""
    return _read(catalog, release_id=release_id, vectors=vectors)


def real_takes(catalog: Catalog, *, vectors: bool = False) -> Watched:
    """Every real take of the corpus, by id."""
    return _read(catalog, vectors=vectors)


def _read(catalog: Catalog, *, job_id: Id | None = None, release_id: Id | None = None, vectors: bool) -> Watched:
    known = {row["column"] for row in takes.dictionary(catalog.lake).to_pylist()}
    wanted = [name for name in (*NUMBERS, TOKENS, *(VECTORS if vectors else ())) if name in known]
    columns = "".join(f', takes."{name}"' for name in wanted)
    sql = query("watched_takes").format(columns=columns)
    table = catalog.lake.table(sql, job_id=job_id, release_id=release_id)
    return _watched(table, wanted)


def _watched(table: pa.Table, measured: list[str]) -> Watched:
    voice, style, text = (_numbered(table[name]) for name in ("voice", "style", "prompt_id"))
    _, reading = np.unique(text * (voice.max(initial=0) + 1) + voice, return_inverse=True)
    numbers = [CHARS, *(name for name in measured if name in NUMBERS)]
    domains = pc.dictionary_encode(table["domain"]).combine_chunks()
    return Watched(
        take_ids=tuple(table["take_id"].to_pylist()),
        is_synthetic=np.array([origin == "synthetic" for origin in table["origin"].to_pylist()], np.bool_),
        text=text,
        reading=reading.astype(np.int64),
        figures={name: table[name].cast(pa.float64()).to_numpy() for name in numbers},
        tokens=TokenRows.from_arrow(table[TOKENS]) if TOKENS in measured else None,
        labels={"voice": voice, "style": style, "domain": domains.indices.to_numpy().astype(np.int64)},
        vectors={name: _stacked(table[name]) for name in measured if name in VECTORS},
        language=np.array(table["language"].to_pylist(), np.str_),
        codec=np.array(table["codec"].to_pylist(), np.str_),
        codes=TokenRows.from_arrow(table["codes"]),
        domains=tuple(domains.dictionary.to_pylist()),
    )


def _numbered(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Numbers for what a column holds; null is a value like others."""
    numbers = pc.rank(pc.fill_null(column.cast(pa.string()), ""), tiebreaker="dense")
    return np.asarray(numbers.to_numpy(), np.int64)


def _stacked(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Lists of one width as rows, shape (N, D); a null is a row of NaN."""
    there = column.is_valid().to_numpy()
    values = pc.list_flatten(column).to_numpy()
    rows = np.full((len(there), len(values) // max(int(there.sum()), 1)), np.nan)
    rows[there] = values.reshape(-1, rows.shape[1]) if len(values) else np.nan
    return rows
