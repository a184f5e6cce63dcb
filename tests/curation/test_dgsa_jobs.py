"""Jobs with DGSA: alone, and with TDSC reading every step in both modes."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile
from typer.testing import CliRunner

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.export.preferences import export_preferences
from catalogs.ids import seed_of
from catalogs.records import Line, MetricCard, Score, ScoreColumn
from curation.dgsa.config import DgsaConfig
from curation.dgsa.rows import Whose, note_preferences
from curation.metric import Clip, Metric
from curation.policies.judging import judge_again
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from curation.scope import Scope
from curation.tdsc.config import TdscConfig
from synthgen.cli import app
from synthgen.voices.tone import ToneConfig
from synthgen.voices.transplant import TransplantConfig

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]
RowsOf = Callable[[Catalog], dict[str, set[str]]]
KilledRun = Callable[[int], AbstractContextManager[None]]

TEXTS = ["a good morning", "a hard word"]
SECONDS = 0.06
"""A letter: long enough for a pitch to be transplanted."""

FIGURES = ("wer", "f0_sd_st", "token_repetition", "duration_ratio")


@dataclass(frozen=True)
class HashedFigures:
    """The figures that both rules read, words and pitch spread drawn from a hash of the samples."""

    def card(self) -> MetricCard:
        return MetricCard("hashed", "1", tuple(ScoreColumn(name, "DOUBLE", "", "lower", name) for name in FIGURES))

    def build(self) -> Metric:
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [Score(clip.take_id, self._figures(clip)) for clip in clips]

    def _figures(self, clip: Clip) -> tuple[float, ...]:
        draw = seed_of(clip.samples.tobytes().hex())
        wer = (0.0, 0.1, 0.2, 0.6, 0.8)[draw % 5]
        return wer, 1.0 + draw // 5 % 40 / 10, 0.0, 1.0


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A folder with one reading, "lively"."""
    donor = ToneConfig(speakers=("donor",))
    (card,) = donor.cards()
    line = Line.new(prompt_id="p", voice_id=card.id, text="lively", normaliser="none", temperature=3.0, seed=7)
    (reading,) = donor.build().speak([line])
    folder = tmp_path / "bank"
    folder.mkdir()
    soundfile.write(folder / "lively.flac", reading.samples, reading.sample_rate_hz)
    return folder


@pytest.fixture
def dgsa_recipe(make_recipe: MakeRecipe, bank: Path) -> Callable[..., Recipe]:
    """Makes a recipe of two voices: noise is the style of one, and of the other a style is."""

    def make(name: str, **changes: Any) -> Recipe:
        base = {"engine": "tone", "speakers": [name], "duration_s_per_char": SECONDS}
        voices = (
            ToneConfig(speakers=(name,), duration_s_per_char=SECONDS),
            TransplantConfig(base=base, bank=str(bank), styles=("lively",)),
        )
        usual = {"voices": voices, "metrics": (HashedFigures(),), "dgsa": DgsaConfig()}
        return make_recipe(TEXTS, name=name, **usual | changes)

    return make


def manners(catalog: Catalog, recipe: Recipe, *, iteration: int | None = None) -> Counter[tuple[str, str, float]]:
    """How often the job's lines are read in each manner: (engine, style, temperature)."""
    which = "" if iteration is None else "AND job_line.line_id IN (SELECT line_id FROM line_group WHERE iteration = $k)"
    rows = catalog.lake.rows(
        f"""
        SELECT voice.engine, coalesce(line.style, ''), line.temperature
        FROM job_line JOIN line ON line.id = job_line.line_id JOIN voice ON voice.id = line.voice_id
        WHERE job_line.job_id = $job_id::UUID {which}
        """,
        job_id=recipe.job_id,
        **({} if iteration is None else {"k": iteration}),
    )
    return Counter(rows)


def test_alone_it_has_every_text_read_in_both_modes_and_notes_what_won(
    catalog: Catalog, dgsa_recipe: Callable[..., Recipe], produce: Produce, rows_of: RowsOf
) -> None:
    recipe = dgsa_recipe("alone", dgsa=DgsaConfig(takes=3))

    first = produce(recipe).run()
    before = rows_of(catalog)
    again = produce(recipe).run()

    assert manners(catalog, recipe) == {
        ("tone", "", 1.0): 6,
        ("tone", "", 0.2): 6,
        ("transplant", "lively", None): 2,
        ("transplant", "", None): 2,
    }
    assert before["preference"]
    assert again == first
    assert rows_of(catalog) == before


def pairs_of(catalog: Catalog, recipe: Recipe) -> set[tuple[str, str, str]]:
    """The pairs that stand for a job: (winner, loser, objective)."""
    sql = """
    SELECT winner::VARCHAR, loser::VARCHAR, objective FROM preference
    WHERE job_id = $job_id::UUID AND method = 'dgsa'
    """
    return set(catalog.lake.rows(sql, job_id=recipe.job_id))


def test_its_pairs_depend_neither_on_other_jobs_of_the_corpus_nor_on_what_ran_first(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    recipe = dgsa_recipe("its", dgsa=DgsaConfig(takes=2))
    strict = Policy(thresholds={"wer": Threshold(max=0.05)})
    other = replace(recipe, name="other", dgsa=DgsaConfig(takes=4), policy=strict)
    with Catalog.create(tmp_path / "alone") as catalog:
        produce(recipe, corpus=catalog).run()
        wanted = pairs_of(catalog, recipe)

    with Catalog.create(tmp_path / "among") as catalog:
        produce(other, corpus=catalog).run()
        others = pairs_of(catalog, other)
        produce(recipe, corpus=catalog).run()
        first = pairs_of(catalog, recipe)
        judge_again(catalog, strict, Scope())
        produce(recipe, corpus=catalog).run()

        assert first == pairs_of(catalog, recipe) == wanted
        assert others == pairs_of(catalog, other)
        assert wanted - others
        report = export_preferences(catalog, to=tmp_path / "pairs", job_id=recipe.job_id)
        everything = export_preferences(catalog, to=tmp_path / "all pairs")
        assert (report.num_pairs, everything.num_pairs) == (len(wanted), len(wanted | others))


def test_a_pair_that_follows_no_more_is_withdrawn(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    recipe = dgsa_recipe("withdrawn", dgsa=DgsaConfig(takes=2))
    with Catalog.create(tmp_path / "corpus") as catalog:
        produce(recipe, corpus=catalog).run()
        before = pairs_of(catalog, recipe)
        winner = min(winner for winner, _, _ in before)
        catalog.lake.run("UPDATE score_hashed SET wer = 0.9 WHERE take_id = $id::UUID", id=winner)
        takes.reset(catalog.lake)

        note_preferences(catalog, recipe.dgsa, Whose(recipe.job_id, recipe.policy.id))
        after = pairs_of(catalog, recipe)

    assert winner not in {winner for winner, _, _ in after}
    assert {pair for pair in before if winner not in pair} <= after


def test_a_job_tells_what_it_could_not_compare(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    recipe = dgsa_recipe("told", dgsa=DgsaConfig(takes=2))
    with Catalog.create(tmp_path / "corpus") as catalog:
        before = produce(recipe, corpus=catalog).run()
        ((unheard,),) = catalog.lake.rows("SELECT loser::VARCHAR FROM preference ORDER BY loser LIMIT 1")
        catalog.lake.run("UPDATE score_hashed SET wer = NULL WHERE take_id = $id::UUID", id=unheard)
        takes.reset(catalog.lake)
        after = produce(recipe, corpus=catalog).run()
        pairs = pairs_of(catalog, recipe)

    assert (before.unpaired, after.unpaired) == (0, 1)
    assert "left out of pairs for want of a figure 1 (failure, stage dgsa)" in after.text()
    assert after.trouble is None
    assert not any(unheard in pair for pair in pairs)


def weights_of(catalog: Catalog, recipe: Recipe) -> dict[str, float]:
    """What the pairs of each objective of a job weigh; TDSC's weigh nothing."""
    rows = catalog.lake.rows(
        "SELECT DISTINCT objective, weight FROM preference WHERE job_id = $job_id::UUID AND method = 'dgsa'",
        job_id=recipe.job_id,
    )
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_pairs_weigh_what_share_threshold_and_below_say(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    config = DgsaConfig(takes=2, share=0.8, threshold=0.75)
    recipe = dgsa_recipe("weighed", dgsa=config)
    whose = Whose(recipe.job_id, recipe.policy.id)
    with Catalog.create(tmp_path / "corpus") as catalog:
        produce(recipe, corpus=catalog).run()
        as_written = weights_of(catalog, recipe)
        export_preferences(catalog, to=tmp_path / "pairs")
        found = []
        for changed in (
            replace(config, threshold=0.5),
            replace(config, share=0.4),
            replace(config, share=0.4, below="stability"),
            replace(config, share=None),  # there is nothing but synthetic speech
        ):
            note_preferences(catalog, changed, whose)
            found.append(weights_of(catalog, recipe))

    assert as_written == {"stability": pytest.approx(0.8), "expressivity": pytest.approx(0.2)}
    rows = pq.read_table(tmp_path / "pairs" / "data").to_pylist()
    assert {row["objective"]: row["weight"] for row in rows} == as_written
    assert found == [
        {"stability": pytest.approx(0.4), "expressivity": pytest.approx(0.6)},
        {"stability": 0.0, "expressivity": 0.0},
        {"stability": 1.0, "expressivity": 0.0},
        {"stability": 0.0, "expressivity": 1.0},
    ]


def test_the_verb_notes_for_a_job_what_its_own_run_noted(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    policy = Policy(thresholds={"wer": Threshold(max=0.3)})
    recipe = dgsa_recipe("verb", dgsa=DgsaConfig(takes=2, max_wer=0.15, share=0.8), policy=policy)
    with Catalog.create(tmp_path / "corpus") as catalog:
        produce(recipe, corpus=catalog).run()
        wanted, weights = pairs_of(catalog, recipe), weights_of(catalog, recipe)
        catalog.lake.run("DELETE FROM preference")
        judge_again(catalog, Policy(thresholds={"wer": Threshold(max=0.05)}), Scope())

    words = ["dgsa", "-c", str(tmp_path / "corpus"), "--job", "verb"]
    CliRunner().invoke(app, words, catch_exceptions=False)

    with Catalog.open(tmp_path / "corpus") as catalog:
        assert (pairs_of(catalog, recipe), weights_of(catalog, recipe)) == (wanted, weights)
    told = CliRunner().invoke(app, [*words, "--threshold", "0.9", "--below", "stability", "--json"])
    assert json.loads(told.stdout)["weights"] == {"stability": 1.0, "expressivity": 0.0}


@pytest.mark.parametrize("spend", ["evenly", "where_it_pays"])
def test_with_tdsc_the_first_round_reads_every_step_in_both_modes(
    catalog: Catalog, dgsa_recipe: Callable[..., Recipe], produce: Produce, spend: Any
) -> None:
    recipe = dgsa_recipe(f"steps {spend}", tdsc=TdscConfig(iterations=1, candidates=6, keep=2, spend=spend))

    summary = produce(recipe).run()

    assert manners(catalog, recipe, iteration=1) == {
        **{("tone", "", t): 2 for t in (0.7, 0.14, 1.0, 0.2, 0.9, 0.18)},
        **{("transplant", style, t): 2 for t in (0.7, 1.0, 0.9) for style in ("lively", "")},
    }
    # The path of the bank decides the seeds, and now and then a reading has no pitch to put another's in place of.
    assert summary.lines == summary.takes + summary.failed == 24


def test_pairs_are_of_one_voice_and_text_and_lose_for_what_their_mode_lacks(
    tmp_path: Path, dgsa_recipe: Callable[..., Recipe], produce: Produce
) -> None:
    recipe = dgsa_recipe("pairs", tdsc=TdscConfig(iterations=1, candidates=6, keep=2))
    with Catalog.create(tmp_path / "pairs") as catalog:
        produce(recipe, corpus=catalog).run()
        rows = catalog.lake.rows(
            """
            SELECT objective, w.voice_id = l.voice_id, w.prompt_id = l.prompt_id, w.wer, l.wer, w.f0_sd_st, l.f0_sd_st
            FROM preference JOIN takes AS w ON w.take_id = winner JOIN takes AS l ON l.take_id = loser
            WHERE method = 'dgsa'
            """
        )
        methods = {method for (method,) in catalog.lake.rows("SELECT method FROM preference")}

    assert methods == {"dgsa", "tdsc"}
    assert {objective for objective, *_ in rows} == {"stability", "expressivity"}
    for objective, same_voice, same_text, winner_wer, loser_wer, winner_st, loser_st in rows:
        assert same_voice
        assert same_text
        assert winner_wer <= recipe.dgsa.max_wer
        if objective == "stability":
            assert winner_wer < loser_wer
        else:
            assert winner_st >= loser_st + recipe.dgsa.least_gain_st


@pytest.mark.slow
def test_a_job_of_both_killed_anywhere_ends_in_the_same_rows(
    tmp_path: Path,
    dgsa_recipe: Callable[..., Recipe],
    produce: Produce,
    rows_of: RowsOf,
    killed_at_insert: KilledRun,
) -> None:
    recipe = dgsa_recipe("killed", tdsc=TdscConfig(iterations=2, candidates=6, keep=4))
    with Catalog.create(tmp_path / "undisturbed") as catalog:
        wanted = produce(recipe, corpus=catalog).run()
        rows = rows_of(catalog)

    with Catalog.create(tmp_path / "killed") as catalog:
        for number in (4, 9, 7, 12, 10, 5):
            with killed_at_insert(number):
                produce(recipe, corpus=catalog).run()
        summary = produce(recipe, corpus=catalog).run()

        assert (summary.release and summary.release.id) == (wanted.release and wanted.release.id)
        assert rows_of(catalog) == rows
    styles = {row.partition("style=")[2].partition("'")[0] for row in rows["set_score"]}
    assert styles == {"", "lively"}
    assert any("'dgsa'" in row for row in rows["preference"])
