from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.catalog import Catalog
from catalogs.errors import RecipeError, ReleaseError
from catalogs.export.preferences import export_preferences
from catalogs.flac import decode, pcm_sha256
from catalogs.ids import content_id, seed_of
from catalogs.records import Line, MetricCard, Score, ScoreColumn
from curation.metric import Clip, Metric
from curation.production import Production
from curation.recipe import Recipe, parse_recipe
from curation.tdsc.accounts import accounts_of
from curation.tdsc.candidates import Candidate, Text, texts_of
from curation.tdsc.config import TdscConfig
from curation.tdsc.controller import is_hopeless, plan_round
from curation.tdsc.ladder import Ladder
from curation.tdsc.refusals import refusals_told
from synthgen.voices.tone import ToneConfig

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]
RowsOf = Callable[[Catalog], dict[str, set[str]]]
KilledRun = Callable[[int], AbstractContextManager[None]]

TEXTS = ["a good morning", "a hard word", "pay my bill", "another hard word", "what is due"]
PAPER = TdscConfig(spend="evenly")
SMALL = TdscConfig(iterations=3, candidates=6, keep=2)
ONE_ROUND = TdscConfig(iterations=1, candidates=6, spend="evenly")


@dataclass(frozen=True)
class HashedWords:
    """What the rule and the choice read, drawn from a hash of the samples: hard words are mostly misheard.

    ``length`` is the ratio that all takes have.
    """

    length: float | None = 1.0

    def card(self) -> MetricCard:
        figures = [ScoreColumn(c, "DOUBLE", "", "lower", c) for c in ("wer", "token_repetition", "duration_ratio")]
        return MetricCard("hashed", "1", (*figures, ScoreColumn("speech_tokens", "INTEGER[]", "", "neither", "codes")))

    def build(self) -> Metric:
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [Score(clip.take_id, self._figures(clip)) for clip in clips]

    def _figures(self, clip: Clip) -> tuple[float, float, float | None, tuple[int, ...]]:
        seed = seed_of(clip.samples.tobytes().hex())
        draw = seed % 10
        wer = (0.0 if draw < 2 else 0.6) if "hard" in clip.spoken else (0.0 if draw < 7 else 0.5)
        return wer, 0.0, self.length, tuple(1 + (seed >> 8 >> place) % 5 for place in range(12))


def candidate(
    *, words: float | None = 0.0, repetition: float | None = 0.0, length: float | None = 1.0, **changes: Any
) -> Candidate:
    """A candidate that is accepted, but for what is changed."""
    usual = Candidate(1.0, 1, content_id("take", str(changes)), 1.0, words, repetition, length, is_kept=True)
    return replace(usual, **changes)


def text(*candidates: Candidate, kind: tuple[str, bool] = ("", False), name: str = "t") -> Text:
    line = Line.new(prompt_id=content_id(name), voice_id=content_id("voice"), text="ten letters", normaliser="none")
    return Text(line, content_id("group", name), kind, tuple(candidates))


def planned(texts: Sequence[Text], config: TdscConfig) -> Mapping[str, tuple[int, ...]]:
    return plan_round(texts, config, Ladder(config))


class TestRule:
    @pytest.mark.parametrize(
        ("changes", "accepted"),
        [
            ({}, True),
            ({"words": 0.399}, True),
            ({"words": 0.4}, False),
            ({"repetition": 0.099}, True),
            ({"repetition": 0.1}, False),
            ({"length": 0.5}, True),
            ({"length": 0.499}, False),
            ({"length": 2.0}, True),
            ({"length": 2.001}, False),
            ({"words": None}, False),
            ({"words": float("nan")}, False),
            ({"length": float("nan")}, False),
            ({"repetition": None}, False),
            ({"is_kept": False}, False),
        ],
    )
    def test_a_candidate_is_accepted_within_the_bounds_of_the_paper(
        self, changes: dict[str, Any], accepted: bool
    ) -> None:
        assert candidate(**changes).is_accepted(PAPER) is accepted

    @pytest.mark.parametrize(
        "changes", [{"words": 0.8, "length": 2.5}, {"words": 0.8, "repetition": 0.2}, {"words": 0.1}, {"words": None}]
    )
    def test_only_words_make_a_loser(self, changes: dict[str, Any]) -> None:
        assert not candidate(**changes).is_loser(PAPER)
        assert candidate(words=0.8).is_loser(PAPER)

    def test_the_highest_temperature_rises_from_nine_tenths_to_thirteen(self) -> None:
        assert [PAPER.ladder(k) for k in range(1, 6)] == [(0.7, 1.0, t) for t in (0.9, 1.0, 1.1, 1.2, 1.3)]

    def test_candidates_are_spread_evenly(self) -> None:
        assert Ladder(PAPER).evenly() == (4, 4, 4)
        assert Ladder(replace(PAPER, candidates=8)).evenly() == (3, 3, 2)


class TestController:
    def test_a_solved_text_gets_nothing_more(self) -> None:
        solved = text(*[candidate(take_id=content_id(str(n))) for n in range(4)])
        open_ = text(candidate(words=0.9), name="open")

        plan = planned([solved, open_], TdscConfig())

        assert set(plan) == {open_.group_id}

    def test_the_paper_s_way_gives_all_to_everyone(self) -> None:
        texts = [text(candidate(), name=name) for name in ("one", "two")]

        assert planned(texts, PAPER) == {t.group_id: (4, 4, 4) for t in texts}

    def test_what_is_easy_for_a_voice_gets_fewer_tries_than_what_is_hard(self) -> None:
        def kin(kind: str, words: float) -> list[Text]:
            tried = [candidate(words=words, temperature=t) for t in (0.7, 1.0, 0.9) for _ in range(4)]
            return [text(*tried, kind=(kind, False), name=f"{kind} {n}") for n in range(2)]

        easy, hard = text(kind=("easy", False), name="e"), text(kind=("hard", False), name="h")

        plan = planned([*kin("easy", 0.0), *kin("hard", 0.9), easy, hard], TdscConfig(keep=2))

        assert sum(plan[easy.group_id]) < sum(plan[hard.group_id])

    def test_tries_go_to_the_temperatures_that_serve(self) -> None:
        tried = [candidate(words=0.0 if t == 0.7 else 0.9, temperature=t) for t in (0.7, 1.0, 1.3) for _ in range(10)]
        new = text(name="new")

        steps = planned([text(*tried, name="tried"), new], TdscConfig())[new.group_id]

        assert steps[0] > steps[1] == steps[2] >= 1

    def test_a_hopeless_kind_of_text_is_given_up(self) -> None:
        tried = [candidate(words=0.9, temperature=0.7) for _ in range(40)]

        assert not planned([text(*tried), text(name="like it")], TdscConfig())
        assert is_hopeless(40, 1)
        assert not is_hopeless(35, 0)

    @given(st.floats(0.1, 60), st.integers(0, 12))
    def test_the_budget_holds_by_its_own_estimate(self, budget_s: float, count: int) -> None:
        config = TdscConfig(budget_audio_s=budget_s, keep=3)
        texts = [text(candidate(words=0.9), name=str(n)) for n in range(count)]

        plan = planned(texts, config)

        spent_s = sum(c.audio_s for t in texts for c in t.candidates)
        assert not plan or spent_s + sum(sum(steps) * 1.0 for steps in plan.values()) <= budget_s + 1e-9


def tdsc_recipe(make_recipe: MakeRecipe, name: str, config: TdscConfig = SMALL, **changes: Any) -> Recipe:
    voice = ToneConfig(speakers=(name,), duration_s_per_char=0.001)
    return make_recipe(TEXTS, name=name, voices=(voice,), metrics=(HashedWords(),), tdsc=config, **changes)


def test_a_job_of_candidates_ends_in_a_release_of_chosen_takes(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    recipe = tdsc_recipe(make_recipe, "chosen")

    summary = produce(recipe).run()

    texts = texts_of(catalog, recipe.job_id, recipe.policy, upto=9, tokens=True)
    assert len(texts) == len(TEXTS)
    assert summary.release is not None
    assert summary.release.num_takes == sum(min(2, len(t.accepted(SMALL))) for t in texts)
    assert {len(c.tokens) for t in texts for c in t.candidates} == {12}
    easy = [t for t in texts if "hard" not in t.line.text]
    hard = [t for t in texts if "hard" in t.line.text]
    tries = [sum(len(t.candidates) for t in group) / len(group) for group in (easy, hard)]
    assert tries[0] < tries[1]


def test_pairs_share_a_voice_and_the_loser_fails_on_words_alone(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    recipe = tdsc_recipe(make_recipe, "pairs")
    produce(recipe).run()

    sql = """
        SELECT w.voice_id = l.voice_id, w.prompt_id = l.prompt_id, w.wer < 0.4, l.wer >= 0.4, l.token_repetition < 0.1
        FROM preference JOIN takes AS w ON w.take_id = winner JOIN takes AS l ON l.take_id = loser
    """
    rows = catalog.lake.rows(sql)
    assert rows
    assert all(all(row) for row in rows)


def test_the_accounts_are_figures_of_the_job(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = tdsc_recipe(make_recipe, "accounts", replace(SMALL, spend="evenly"))
    produce(recipe).run()

    accounts = accounts_of(texts_of(catalog, recipe.job_id, recipe.policy, upto=9), SMALL)
    tries = Counter[int]()
    for account in accounts:
        tries[account.iteration] += account.tries
    assert tries == {1: 30, 2: 30, 3: 30}
    sql = "SELECT subset, value, num_items FROM set_score WHERE set_id = $id::UUID AND metric = 'tdsc_pass_rate'"
    stored = catalog.lake.rows(sql, id=recipe.job_id)
    assert {(f"k={a.iteration} T={a.temperature:g}", a.pass_rate, a.tries) for a in accounts} == set(stored)


def test_a_finished_job_has_nothing_to_do(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, rows_of: RowsOf
) -> None:
    recipe = tdsc_recipe(make_recipe, "finished")
    first = produce(recipe).run()
    before = rows_of(catalog)

    again = produce(recipe).run()

    assert again == first
    assert rows_of(catalog) == before


def test_a_job_killed_anywhere_ends_in_the_same_rows(
    tmp_path: Path, make_recipe: MakeRecipe, produce: Produce, rows_of: RowsOf, killed_at_insert: KilledRun
) -> None:
    recipe = tdsc_recipe(make_recipe, "killed")
    with Catalog.create(tmp_path / "undisturbed") as catalog:
        wanted = produce(recipe, corpus=catalog).run()
        rows = rows_of(catalog)

    with Catalog.create(tmp_path / "killed") as catalog:
        for number in (3, 8, 13, 18, 9, 11, 14, 6):
            with killed_at_insert(number):
                produce(recipe, corpus=catalog).run()
        summary = produce(recipe, corpus=catalog).run()
        assert summary.release is not None
        assert wanted.release is not None
        assert summary.release.id == wanted.release.id
        assert rows_of(catalog) == rows


@pytest.mark.slow
def test_a_budget_ends_the_spending(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    free = tdsc_recipe(make_recipe, "free", replace(SMALL, spend="evenly"))
    spent_s = produce(free).run().audio_s

    tight = tdsc_recipe(make_recipe, "tight", replace(SMALL, spend="evenly", budget_audio_s=spent_s / 2))
    summary = produce(tight).run()

    assert summary.audio_s <= spent_s / 2 * 1.1


def test_preferences_are_a_data_set_of_chosen_and_rejected_audio(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, tmp_path: Path
) -> None:
    produce(tdsc_recipe(make_recipe, "exported")).run()

    report = export_preferences(catalog, to=tmp_path / "pairs", method="tdsc")

    rows = pq.read_table(tmp_path / "pairs" / "data").to_pylist()
    assert len(rows) == report.num_pairs == catalog.count("preference")
    for row in rows:
        assert row["prompt"] in TEXTS
        assert row["chosen_scores"]["wer"] < 0.4 <= row["rejected_scores"]["wer"]
        for side in ("chosen", "rejected"):
            pcm, _ = decode(row[side]["bytes"])
            sql = "SELECT pcm_sha256 FROM takes WHERE take_id = $id::UUID"
            assert [(pcm_sha256(pcm),)] == catalog.lake.rows(sql, id=row[f"{side}_id"])


@pytest.mark.parametrize(
    ("name", "length", "told"),
    [
        ("unknown", None, r"duration_ratio missing \(30\); .*`synthgen retry`.*known for some scripts only"),
        ("slow", 3.0, r"duration_ratio not 0.5 to 2 \(30\); change .*tdsc.min_length or max_length and run again"),
    ],
)
def test_a_job_whose_rule_accepts_nothing_blames_the_rule(
    make_recipe: MakeRecipe, produce: Produce, name: str, length: float | None, told: str
) -> None:
    production = produce(replace(tdsc_recipe(make_recipe, name, ONE_ROUND), metrics=(HashedWords(length),)))

    with pytest.raises(ReleaseError, match=rf"tdsc accepts none of the 30 takes that the policy keeps: .*{told}"):
        production.run()

    assert production.summary().kept == 30


def test_every_part_of_the_rule_is_told_with_the_takes_it_refuses() -> None:
    texts = [
        text(candidate(words=0.4), candidate(words=float("nan")), candidate(words=0.9, repetition=0.1)),
        text(candidate(length=2.5), candidate(words=0.9, is_kept=False)),
    ]

    assert refusals_told(texts, PAPER) == (
        "the rule of tdsc accepts none of the 4 takes that the policy keeps: wer missing (1), wer not < 0.4 (2), "
        "token_repetition not < 0.1 (1), duration_ratio not 0.5 to 2 (1); change tdsc.max_wer, "
        "tdsc.max_repetition, tdsc.min_length or max_length and run again, nothing is recorded twice; "
        "`synthgen retry` reopens measurements that failed"
    )


def test_an_export_of_no_preferences_says_so(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no preferences with method 'dgsa' to export"):
        export_preferences(catalog, to=tmp_path / "none", method="dgsa")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"voices": [{"engine": "espeak"}]}, "has no temperature"),
        ({"casting": {"temperatures": {"tone/*": [0.9]}}}, "casting.temperatures: tdsc says how texts are read"),
        ({"metrics": ["pace"]}, "no metric of this recipe writes wer"),
        ({"tdsc": {"candidates": 2}}, "one reading at each temperature"),
        ({"tdsc": {"candidats": 12}}, "candidates"),
    ],
)
def test_a_recipe_that_does_not_fit_says_what_is_wrong(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    table = {"name": "job", "prompts": [{"path": "a.txt"}], "voices": [{"engine": "tone"}], "tdsc": {}}

    with pytest.raises(RecipeError, match=told):
        parse_recipe(table | changes, folder=tmp_path, source="job.toml")
