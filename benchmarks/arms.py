"""Four ways to choose readings, judged by a recogniser that chose nothing.

    python -m benchmarks.arms --texts FOLDER --corpus FOLDER

Every text is read by one of two voices. Each arm may make twelve readings of it and keeps four: at random; those in
which the judge hears fewest errors; TDSC, one pass of its schedule; TDSC with DGSA, every step expressively, in the
styles of the voice's bank by turns, and flatly. Of readings with equally few errors TDSC keeps those that differ
most in speech tokens, so that the distance of readings is in part what it chose by; F0 and energy are not.

Readings that two arms have in common are recorded once. Stages are kept in the corpus: run again, it goes on.

Texts are drawn by hash from the files of `SETS`, so that everybody draws the same. Intervals are over texts. An arm
beside another is compared on the texts that both have kept readings of, and those are resampled together.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.corpora import produce
from catalogs.catalog import Catalog
from catalogs.ids import seed_of
from catalogs.progress import Progress
from catalogs.records import Release
from catalogs.release import freeze, releases
from catalogs.takes import declare
from curation.bootstrap import Estimate, block_sums, estimate, mean_of, ratio_of
from curation.measuring import measure_missing
from curation.metrics.evaluation import EvaluationConfig
from curation.metrics.quality import QualityConfig
from curation.recipe import Recipe, parse_recipe
from curation.scope import Scope
from curation.sets.summary import set_figures
from curation.sets.watched import takes_of_release
from curation.tdsc.config import TdscConfig

SETS = ("slurp_devel", "banking77_train", "snips_nlu_train", "mts_dialog_turns_train")
WORDS = (5, 14)
"""Texts of so many words: long enough to go wrong, short enough for pocketsphinx."""

CANDIDATES, KEPT = 12, 4
AFTERWARDS = (EvaluationConfig(), QualityConfig(windows=1))
"""What is measured of what was kept, and chose nothing."""

RULE = TdscConfig(iterations=1, candidates=CANDIDATES, keep=KEPT, spend="evenly")
FIGURES = (
    "wer", "eval_wer", "substitutions", "insertions", "deletions", "ref_words", "eval_substitutions",
    "eval_insertions", "eval_deletions", "eval_ref_words", "token_repetition", "duration_ratio", "f0_sd_st",
    "energy_sd_db", "speaker_similarity", "dnsmos_ovrl",
)  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way to choose: the release it ends in, and every reading it could choose from."""

    name: str
    release: Release
    kept: pd.DataFrame
    candidates: pd.DataFrame


def run(texts: Path, corpus: Path, *, per_set: int) -> str:
    """All stages that are missing, and then the tables."""
    corpus.mkdir(parents=True, exist_ok=True)
    prompts = write_prompts(texts, corpus.parent / f"{corpus.name}-prompts.jsonl", per_set=per_set)
    whole = {
        "pool": _recipe("arms-pool", prompts, corpus, casting={"temperatures": {"*": [1.0]}, "takes": CANDIDATES}),
        "tdsc": _apart(_recipe("arms-tdsc", prompts, corpus, tdsc=_plain(RULE))),
        "dgsa": _apart(_recipe("arms-dgsa", prompts, corpus, tdsc=_plain(RULE), dgsa={})),
    }
    found = {name: produce(recipe) for name, recipe in whole.items()}
    with Catalog.create(corpus) as catalog, catalog.job("benchmarks.arms"):
        run_id = catalog.begin_run(whole["pool"].job_id, "benchmarks.arms")
        pool = _takes(catalog, "line_id IN (SELECT line_id FROM job_line WHERE job_id = $id::UUID)", whole["pool"])
        chosen = {"random": _first(pool, pool.chance), "wer": _first(pool, pool.wer.fillna(np.inf))}
        for name, takes in chosen.items():
            freeze(catalog, f"arms-{name}", take_ids=takes.take_id.tolist(), made_by=f"benchmarks.arms {name}")
        names = ("arms-random", "arms-wer", found["tdsc"], found["dgsa"])
        frozen = {release.name: release for release in releases(catalog)}
        declare(catalog.lake, [config.card() for config in AFTERWARDS])
        for name in names:
            measure_missing(
                catalog, Scope(release_id=frozen[name].id), AFTERWARDS, fleet=whole["pool"].fleet,
                run_id=run_id, progress=Progress(),
            )  # fmt: skip
        catalog.end_run(run_id, "done")
        of_arm = (("a: random", "pool"), ("b: fewest errors", "pool"), ("c: TDSC", "tdsc"), ("d: TDSC + DGSA", "dgsa"))
        arms = [
            Arm(
                label,
                frozen[name],
                _takes(catalog, "take_id IN (SELECT take_id FROM release_item WHERE release_id = $id::UUID)",
                       frozen[name]),
                _takes(catalog, "line_id IN (SELECT line_id FROM job_line WHERE job_id = $id::UUID)", whole[job]),
            )
            for (label, job), name in zip(of_arm, names, strict=True)
        ]  # fmt: skip
        return "\n".join([table(catalog, arms), "", *comparisons(catalog, arms)])


def write_prompts(folder: Path, to: Path, *, per_set: int) -> Path:
    """The texts of the experiment: of every set those whose hashes come first."""
    rows = []
    for name in SETS:
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        found = {row["text"].strip(): row for row in map(json.loads, lines)}
        fit = [text for text in found if WORDS[0] <= len(text.split()) <= WORDS[1]]
        drawn = sorted(fit, key=lambda text: seed_of("arms", text))[:per_set]
        rows += [{"text": text, "domain": name.partition("_")[0]} for text in drawn]
    to.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return to


def table(catalog: Catalog, arms: Sequence[Arm]) -> str:
    """A column an arm, as Markdown."""
    sets = [set_figures(takes_of_release(catalog, arm.release.id, vectors=True)) for arm in arms]
    rows: list[tuple[str, list[str]]] = [
        ("kept readings · texts", [f"{len(a.kept):,} · {a.kept.text.nunique()}" for a in arms]),
        ("readings made · audio", [f"{len(a.candidates):,} · {a.candidates.audio_s.sum():,.0f} s" for a in arms]),
        ("accepted by TDSC's rule", [_share(a.candidates) for a in arms]),
        ("**WER, evaluation**", [_percent(_wer(a.kept, "eval_")) for a in arms]),
        ("WER, judge (chose b, c, d)", [_percent(_wer(a.kept)) for a in arms]),
        ("H_p, bits", [_number(s["token_entropy"], 3) for s in sets]),
        ("repetition", [_percent(_mean(a.kept, "token_repetition")) for a in arms]),
        ("**distance of readings, edits/s**", [_number(s["reading_distance"], 2) for s in sets]),
        ("F0 spread, semitones", [_number(_mean(a.kept, "f0_sd_st"), 2) for a in arms]),
        ("energy spread, dB", [_number(_mean(a.kept, "energy_sd_db"), 2) for a in arms]),
        ("similarity to the voice", [_number(_mean(a.kept, "speaker_similarity"), 3) for a in arms]),
        ("DNSMOS overall", [_number(_mean(a.kept, "dnsmos_ovrl"), 2) for a in arms]),
    ]
    head = f"| | {' | '.join(a.name for a in arms)} |"
    body = [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join([head, "|---|" + "---|" * len(arms), *body])


def comparisons(catalog: Catalog, arms: Sequence[Arm]) -> list[str]:
    """What the aims ask: ratios of one arm to another, on the texts of both."""
    a, b, c, d = arms
    return [
        f"- WER of c over a: {_number(_wer_ratio(c, a), 2)} (aim 0.75)",
        f"- distance of readings of c over a: {_number(_distance_ratio(catalog, c, a), 2)} (aim 1)",
        f"- distance of readings of d over b: {_number(_distance_ratio(catalog, d, b), 2)} (aim 1.2)",
        f"- WER of d over b: {_number(_wer_ratio(d, b), 2)} (aim 1.05)",
        f"- similarity of d over b: {_number(_mean_ratio(d, b, 'speaker_similarity'), 3)} (aim 0.95)",
    ]


def _recipe(name: str, prompts: Path, corpus: Path, *, casting: dict[str, Any] | None = None, **more: Any) -> Recipe:
    found = {
        "name": name,
        "corpus": str(corpus),
        "prompts": [{"path": str(prompts.resolve())}],
        "voices": [{"engine": "kokoro", "speakers": ["jm_kumo"]}, {"engine": "piper"}],
        "metrics": ["pace", "prosody", "speaker", "words", "tokens"],
        "casting": {"voices_per_prompt": 1, **(casting or {})},
    }
    return parse_recipe(found | more, folder=Path(), source=name)


def _apart(recipe: Recipe) -> Recipe:
    """The recipe with a release of its own, so that a corpus may hold those of several versions of the method."""
    return replace(recipe, release=replace(recipe.release, name=f"{recipe.name}-{recipe.job_id[:8]}"))


def _plain(config: TdscConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in ("iterations", "candidates", "keep", "spend")}


def _takes(catalog: Catalog, where: str, of: Release | Recipe) -> pd.DataFrame:
    known = {name for (name,) in catalog.lake.rows("SELECT column_name FROM (DESCRIBE takes)")}
    figures = ", ".join(
        f'takes."{name}"::DOUBLE AS "{name}"' if name in known else f'NULL::DOUBLE AS "{name}"' for name in FIGURES
    )
    sql = (
        "SELECT take_id::VARCHAR AS take_id, prompt_id::VARCHAR AS text, voice, audio_s, "
        f"{figures} FROM takes WHERE {where} ORDER BY take_id"
    )
    found = catalog.lake.table(sql, id=of.id if isinstance(of, Release) else of.job_id).to_pandas()
    return found.assign(chance=[seed_of("arm", take_id) for take_id in found.take_id])


def _first(pool: pd.DataFrame, order: pd.Series) -> pd.DataFrame:
    """The first so many of every text; ties are broken by chance."""
    return pool.assign(order=order).sort_values(["text", "order", "chance"]).groupby("text").head(KEPT)


def _errors(takes: pd.DataFrame, kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    errors = takes[[f"{kind}substitutions", f"{kind}insertions", f"{kind}deletions"]].sum(axis=1)
    return errors.to_numpy(np.float64), takes[f"{kind}ref_words"].fillna(0).to_numpy(np.float64)


def _clusters(takes: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(takes.text)[0], np.int64)


def _wer(takes: pd.DataFrame, kind: str = "") -> Estimate:
    return ratio_of(*_errors(takes, kind), _clusters(takes))


def _mean(takes: pd.DataFrame, name: str) -> Estimate:
    return mean_of(takes[name].to_numpy(np.float64), _clusters(takes))


def _share(candidates: pd.DataFrame) -> str:
    accepted = [
        RULE.has_its_words(row.wer) and RULE.has_its_form(repetition=row.token_repetition, length=row.duration_ratio)
        for row in candidates.itertuples()
    ]
    return _percent(mean_of(np.array(accepted, np.float64), _clusters(candidates)))


def _wer_ratio(one: Arm, other: Arm) -> Estimate:
    def of_texts(arm: Arm) -> pd.DataFrame:
        over, under = _errors(arm.kept, "eval_")
        return pd.DataFrame({"text": arm.kept.text, "over": over, "under": under}).groupby("text").sum()

    return _ratio(of_texts(one), of_texts(other))


def _mean_ratio(one: Arm, other: Arm, name: str) -> Estimate:
    def of_texts(arm: Arm) -> pd.DataFrame:
        known = arm.kept[arm.kept[name].notna()]
        return pd.DataFrame({"text": known.text, "over": known[name], "under": 1.0}).groupby("text").sum()

    return _ratio(of_texts(one), of_texts(other))


def _distance_ratio(catalog: Catalog, one: Arm, other: Arm) -> Estimate:
    def of_texts(arm: Arm) -> pd.DataFrame:
        from curation.sets.diversity import reading_distances
        from curation.tokenisers.frames import FRAMES_HZ

        takes = takes_of_release(catalog, arm.release.id)
        assert takes.tokens is not None
        found = reading_distances(takes.tokens, takes.reading, rate_hz=FRAMES_HZ)
        text_of = dict(zip(arm.kept.take_id, arm.kept.text, strict=True))
        made = pd.DataFrame({"text": [text_of[t] for t in takes.take_ids], "over": found, "under": 1.0})
        return made[made.over.notna()].groupby("text").sum()

    return _ratio(of_texts(one), of_texts(other))


def _ratio(one: pd.DataFrame, other: pd.DataFrame) -> Estimate:
    """Σ over / Σ under of one by that of the other, on the texts of both."""
    both = one.join(other.add_suffix("_other"), how="inner").to_numpy(np.float64)
    return estimate(
        block_sums(both),
        lambda s: (s[..., 0] / s[..., 1]) / np.maximum(s[..., 2] / s[..., 3], 1e-12),
        num_items=len(both),
    )


def _percent(found: Estimate) -> str:
    return f"{found.value:.1%} ({found.low:.1%}–{found.high:.1%})"


def _number(found: Estimate, digits: int) -> str:
    return f"{found.value:.{digits}f} ({found.low:.{digits}f}–{found.high:.{digits}f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="folder of the text sets")
    parser.add_argument("--corpus", type=Path, required=True, help="where the readings are kept")
    parser.add_argument("--per-set", type=int, default=38)
    asked = parser.parse_args()
    print(run(asked.texts, asked.corpus, per_set=asked.per_set))
