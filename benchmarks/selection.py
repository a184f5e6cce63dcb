"""Selecting: does the Pareto choice under coverage beat thresholds at equal hours, on figures that it has not seen?

    python -m benchmarks.selection --corpus corpora/demo --share 0.5 --stability wer --expressivity f0_sd_st
        --held cer --held dnsmos_ovrl --held energy_sd_db

The candidates are what ``--where`` keeps. Every arm chooses ``--share`` of their hours: at random; the takes of lowest
word error rate; those within one limit on both of the first figures; and ours, which weighs those figures alone. What
is reported is the mean of figures that no arm used, with a bootstrap interval over texts: as it is; with every
voice × domain that all arms hold weighed as among the candidates, because limits also shift which voices there are; and
about the mean of all candidates of the same text, because limits also leave hard texts out.
Without ``--corpus`` it is the time that a choice among a hundred thousand made-up takes costs.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.scored import scored_corpus
from benchmarks.table import Row, markdown
from catalogs.catalog import Catalog
from catalogs.takes import dictionary
from curation.selection.choosing import SelectionConfig, select
from curation.selection.pareto import shares

SEED = 7
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared: the condition on candidates, the share of their hours, and the figures."""

    where: str
    share: float
    stability: tuple[str, ...]
    expressivity: tuple[str, ...]
    held: tuple[str, ...]
    per_text: int


def compare(corpus: Path, trial: Trial) -> str:
    """A row an arm: takes, hours, kinds and texts, and the held-out figures with their intervals, as Markdown."""
    with Catalog.open(corpus) as catalog:
        known = {row["column"]: row["better"] for row in dictionary(catalog.lake).to_pylist()}
        figures = dict.fromkeys((*trial.stability, *trial.expressivity, *trial.held))
        columns = ", ".join(f'"{name}"::DOUBLE AS "{name}"' for name in figures)
        sql = (
            "SELECT take_id::VARCHAR AS take_id, prompt_id::VARCHAR AS text, voice, coalesce(domain, '') AS domain, "
            f"audio_s, {columns} FROM takes WHERE {trial.where} ORDER BY take_id"
        )
        takes = catalog.lake.table(sql).to_pandas()
        hours = trial.share * takes.audio_s.sum() / 3600
        config = SelectionConfig(
            hours=hours, stability=trial.stability, expressivity=trial.expressivity, per_text=trial.per_text
        )
        ours = select(catalog, takes.take_id.tolist(), config).take_ids
    chance = np.random.default_rng(SEED).permutation(len(takes))
    stable = np.mean([shares(_signed(takes[c], known[c] == "higher")) for c in trial.stability], axis=0)
    lively = np.mean([shares(takes[c].to_numpy(float)) for c in trial.expressivity], axis=0)
    arms = {
        "all candidates": takes,
        "at random": _first(takes, chance.astype(float), hours),
        f"lowest {trial.stability[0]}": _first(takes, -stable, hours),
        "one limit on both": _first(takes, -np.minimum(stable, lively), hours),
        "Pareto under coverage": takes[takes.take_id.isin(ours)],
    }
    head = f"| {len(takes):,} candidates | takes | h | voice × domain | texts | {' | '.join(trial.held)} |"
    lines = [head, "|" + "---|" * (5 + len(trial.held))]
    lines += [_row(name, arm.assign(weight=1.0), trial.held) for name, arm in arms.items()]
    lines += [_row(f"{name}, same mix", arm, trial.held) for name, arm in _same_mix(takes, arms).items()]
    about = takes.assign(
        **{figure: takes[figure] - takes.groupby("text")[figure].transform("mean") for figure in trial.held}
    )
    lines += [
        _row(f"{name}, about its text", about.loc[arm.index].assign(weight=1.0), trial.held)
        for name, arm in arms.items()
    ]
    return "\n".join(lines)


def measure(*, number: int = 130_000, sizes: Sequence[int] = (1_000, 10_000)) -> str:
    """Seconds to choose among about three quarters of ``number`` takes, as Markdown."""
    rows = []
    with scored_corpus(number) as catalog:
        sql = "SELECT take_id::VARCHAR FROM takes WHERE wer < 0.3 ORDER BY take_id"
        candidates = [row[0] for row in catalog.lake.rows(sql)]
        for size in sizes:
            wall_s, cpu_s = _spent(lambda size=size: select(catalog, candidates, SelectionConfig(takes=size)))
            rows.append(Row(f"{size:,} of {len(candidates):,} takes", f"{wall_s:.1f} s ({cpu_s:.1f} s CPU)", ""))
    return markdown("Selecting", "", rows)


def _first(takes: pd.DataFrame, order: np.ndarray, hours: float) -> pd.DataFrame:
    """The first takes in this order, ties by id, until the hours are there."""
    ordered = takes.iloc[np.lexsort((takes.take_id, order))]
    before_s = ordered.audio_s.cumsum() - ordered.audio_s
    return ordered[before_s < hours * 3600]


def _same_mix(takes: pd.DataFrame, arms: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The arms, without kinds that one of them lacks; weights give each kind its share of the candidates."""
    common = set.intersection(*(set(_kinds(arm)) for arm in arms.values()))
    wanted = _kinds(takes).value_counts()
    found = {}
    for name, arm in arms.items():
        kinds = _kinds(arm)
        weight = kinds.map(wanted / kinds.value_counts())
        found[name] = arm.assign(weight=weight)[kinds.isin(common)]
    return found


def _kinds(arm: pd.DataFrame) -> pd.Series:
    return arm.voice + " " + arm.domain


def _row(name: str, arm: pd.DataFrame, held: Sequence[str]) -> str:
    kinds, texts = _kinds(arm).nunique(), arm.text.nunique()
    cells = [name, f"{len(arm):,}", f"{arm.audio_s.sum() / 3600:.2f}", str(kinds), str(texts)]
    return f"| {' | '.join([*cells, *(_interval(arm, figure) for figure in held)])} |"


def _interval(arm: pd.DataFrame, figure: str) -> str:
    """The weighted mean of a figure with its 95 % interval, texts drawn again."""
    known = arm[arm[figure].notna()]
    parts = known.assign(sum=known[figure] * known.weight).groupby("text")[["sum", "weight"]].sum().to_numpy()
    rng = np.random.default_rng(SEED)
    drawn = parts[rng.integers(len(parts), size=(RESAMPLES, len(parts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    total = parts.sum(axis=0)
    return f"{total[0] / total[1]:.3f} [{low:.3f}, {high:.3f}]"


def _signed(column: pd.Series, more_is_better: bool) -> np.ndarray:
    values = column.to_numpy(float)
    return values if more_is_better else -values


def _spent(action: Callable[[], object]) -> tuple[float, float]:
    began, cpu_s = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - began, time.process_time() - cpu_s


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--where", default="verdict = 'keep'")
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--per-text", type=int, default=4)
    parser.add_argument("--stability", action="append")
    parser.add_argument("--expressivity", action="append")
    parser.add_argument("--held", action="append")
    asked = parser.parse_args()
    if asked.corpus is None:
        print(measure())
    else:
        trial = Trial(
            where=asked.where,
            share=asked.share,
            stability=tuple(asked.stability or ["wer"]),
            expressivity=tuple(asked.expressivity or ["f0_sd_st"]),
            held=tuple(asked.held or ["cer", "energy_sd_db"]),
            per_text=asked.per_text,
        )
        print(compare(asked.corpus, trial))
