import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs.catalog import Catalog, Done
from catalogs.errors import ReleaseError, UsageError
from catalogs.ids import content_id
from catalogs.records import MetricCard, Prompt, Score, ScoreColumn, Take
from catalogs.takes import declare
from curation.selection.choosing import SelectionConfig, select
from curation.selection.coverage import Pool, in_order, reward
from curation.selection.pareto import fronts, merits, shares
from curation.verbs import selecting
from synthgen.voices.tone import ToneConfig

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40)


@given(points=POINTS)
def test_fronts_are_those_of_peeling_off_what_nothing_dominates(points: list[tuple[int, int]]) -> None:
    def dominates(p: tuple[int, int], q: tuple[int, int]) -> bool:
        return p[0] >= q[0] and p[1] >= q[1] and p != q

    wanted, left, front = [0] * len(points), set(range(len(points))), 0
    while left:
        first = {n for n in left if not any(dominates(points[m], points[n]) for m in left)}
        for n in first:
            wanted[n] = front
        left, front = left - first, front + 1

    axes = np.array(points, np.float64).reshape(-1, 2)
    assert fronts(axes[:, 0], axes[:, 1]).tolist() == wanted


def test_a_share_counts_equals_half_and_what_is_unknown_as_the_middle() -> None:
    assert shares(np.array([1.0, 3.0, 2.0, 4.0])).tolist() == [1 / 8, 5 / 8, 3 / 8, 7 / 8]
    assert shares(np.array([0.0, 0.0, 0.0, 5.0])).tolist() == [3 / 8, 3 / 8, 3 / 8, 7 / 8]
    assert shares(np.array([np.nan, 1.0, 2.0])).tolist() == [0.5, 1 / 4, 3 / 4]
    assert shares(np.array([7.0, np.nan])).tolist() == [0.5, 0.5]


def test_a_take_competes_with_those_of_its_stratum_alone() -> None:
    wer, spread = -np.array([0.0, 0.5, 0.4, 0.9]), np.array([3.0, 2.0, 1.5, 1.0])

    found = merits([wer], [spread], np.array([0, 0, 1, 1]))

    assert found.tolist() == [3 / 4, 1 / 8, 3 / 4, 1 / 8]
    assert merits([], [], np.array([0, 0])).tolist() == [0.5, 0.5]


def test_of_one_front_the_take_that_has_both_is_worth_most() -> None:
    stability, expressivity = np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0])

    found = merits([stability], [expressivity], np.zeros(3, np.int64))

    assert fronts(stability, expressivity).tolist() == [0, 0, 0]
    assert found[1] > found[0] == found[2]


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    size = draw(st.integers(1, 14))
    width = draw(st.integers(0, 2))
    columns = [
        np.unique(draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)), return_inverse=True)[1]
        for _ in range(width + 1)
    ]
    worth = draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=size, max_size=size))
    features = np.column_stack(columns[1:]) if width else np.zeros((size, 0))
    return Pool(features.astype(np.int64), columns[0].astype(np.int64), np.array(worth))


@settings(deadline=None)
@given(pool=pools(), data=st.data())
def test_a_take_adds_less_to_a_set_than_to_a_part_of_it(pool: Pool, data: st.DataObject) -> None:
    everyone = list(range(len(pool.texts)))
    new = data.draw(st.sampled_from(everyone))
    large = data.draw(st.sets(st.sampled_from(everyone))) - {new}
    small = {n for n in large if data.draw(st.booleans())}

    to_small = reward(pool, [*small, new]) - reward(pool, [*small])
    to_large = reward(pool, [*large, new]) - reward(pool, [*large])

    assert to_small >= to_large - 1e-9
    assert to_large > 0


@settings(deadline=None)
@given(pool=pools(), per_text=st.integers(1, 3))
def test_the_lazy_choice_is_as_good_at_every_step_as_trying_all(pool: Pool, per_text: int) -> None:
    chosen: list[int] = []
    for n in in_order(pool, per_text=per_text):
        full = {t for t, count in Counter(pool.texts[chosen].tolist()).items() if count == per_text}
        free = [m for m in range(len(pool.texts)) if m not in chosen and pool.texts[m] not in full]
        best = max(reward(pool, [*chosen, m]) for m in free)
        assert n in free
        assert reward(pool, [*chosen, n]) == pytest.approx(best, abs=1e-9)
        chosen.append(n)

    counts = Counter(pool.texts.tolist())
    assert len(chosen) == sum(min(count, per_text) for count in counts.values())


@settings(deadline=None)
@given(pool=pools(), size=st.integers(1, 4))
def test_the_greedy_choice_is_near_the_best_there_is(pool: Pool, size: int) -> None:
    from itertools import combinations

    size = min(size, len(pool.texts))
    best = max(reward(pool, subset) for subset in combinations(range(len(pool.texts)), size))

    assert reward(pool, list(islice(in_order(pool), size))) >= (1 - 1 / np.e) * best - 1e-9


def test_the_reward_is_the_weighed_sum_of_square_roots() -> None:
    pool = Pool(np.array([[0], [0], [1], [1]]), np.array([0, 1, 2, 3]), np.array([1.0, 0.5, 0.25, 1.0]))

    # One feature of two values, its combination with no other, and four texts.
    assert reward(pool, [0, 1, 2]) == pytest.approx(2 * (sqrt(1.5) + sqrt(0.25)) / sqrt(2) + 3 / sqrt(4))
    assert reward(pool, []) == 0


CARD = MetricCard(
    "words",
    "1",
    (
        ScoreColumn("wer", "DOUBLE", "ratio", "lower", "word error rate"),
        ScoreColumn("f0_sd_st", "DOUBLE", "semitones", "higher", "spread of pitch"),
        ScoreColumn("f0_median_hz", "DOUBLE", "Hz", "neither", "pitch"),
        ScoreColumn("transcript", "VARCHAR", "", "neither", "what was heard"),
    ),
)
VOICES = ToneConfig(speakers=("low", "high", "rare")).cards()
DOMAINS = ("banking", "names", "news", "smart_home")
NUM_TAKES, NUM_TEXTS = 600, 120


def rows() -> Iterator[dict[str, Any]]:
    """Takes of 120 texts; one voice is rare and one domain too, and a good reading is seldom a lively one."""
    draws = np.random.default_rng(7)
    for n in range(NUM_TAKES):
        text = n % NUM_TEXTS
        liveliness = draws.random()
        yield {
            "text": f"text {text}",
            "domain": DOMAINS[min(text // 38, 3)],
            "voice": VOICES[2 if n % 40 == 7 else n % 2],
            "samples": 16_000 + 1_000 * int(draws.integers(60)),
            "values": (
                None if n == 3 else max(0.0, 0.4 * draws.random() - 0.2 + 0.2 * liveliness),
                1 + 4 * liveliness,
                100 + 100 * draws.random(),
                "",
            ),
        }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    found = list(rows())
    with Catalog.create(folder) as catalog:
        declare(catalog.lake, [CARD])
        catalog.add(VOICES)
        catalog.add([Prompt(Prompt.id_of(r["text"], "en"), r["text"], "en", domain=r["domain"]) for r in found])
        takes = [
            Take(
                id=content_id("take", n),
                line_id=content_id("line", n),
                prompt_id=Prompt.id_of(r["text"], "en"),
                voice_id=r["voice"].id,
                origin="synthetic",
                shard="shard-000000.tar",
                offset=0,
                num_bytes=1,
                pcm_sha256=str(n),
                sample_rate_hz=16_000,
                num_samples=r["samples"],
            )
            for n, r in enumerate(found)
        ]
        scores = [Score(t.id, r["values"]) for t, r in zip(takes, found, strict=True)]
        catalog.commit(Done(takes=takes, scores={CARD: scores}))
    return folder


@pytest.fixture(scope="module")
def catalog(corpus: Path) -> Iterator[Catalog]:
    with Catalog.open(corpus) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def candidates(catalog: Catalog) -> list[str]:
    return [row[0] for row in catalog.lake.rows("SELECT take_id::VARCHAR FROM takes ORDER BY take_id")]


def test_a_quota_of_takes_is_filled_exactly_with_few_of_each_text(catalog: Catalog, candidates: list[str]) -> None:
    found = select(catalog, candidates, SelectionConfig(takes=150, per_text=2))

    texts = dict(catalog.lake.rows("SELECT take_id::VARCHAR, text FROM takes"))
    counts = Counter(texts[take_id] for take_id in found.take_ids)
    assert (len(set(found.take_ids)), max(counts.values())) == (150, 2)
    assert len(counts) > 0.9 * NUM_TEXTS  # by chance it is 0.76


def test_a_quota_of_hours_ends_with_the_take_that_fills_it(catalog: Catalog, candidates: list[str]) -> None:
    found = select(catalog, candidates, SelectionConfig(hours=0.05))

    seconds = dict(catalog.lake.rows("SELECT take_id::VARCHAR, audio_s FROM takes"))
    assert sum(seconds[take_id] for take_id in found.take_ids) == pytest.approx(found.audio_s)
    assert found.audio_s - seconds[found.take_ids[-1]] < 0.05 * 3600 <= found.audio_s


def test_the_choice_depends_on_the_candidates_alone(catalog: Catalog, candidates: list[str]) -> None:
    config = SelectionConfig(takes=60)
    shuffled = np.random.default_rng(3).permutation(candidates).tolist()

    assert select(catalog, shuffled, config) == select(catalog, candidates, config)


def test_a_larger_quota_adds_to_a_smaller_one(catalog: Catalog, candidates: list[str]) -> None:
    small, large = (select(catalog, candidates, SelectionConfig(takes=n)).take_ids for n in (40, 90))

    assert large[:40] == small


def test_both_axes_gain_and_every_kind_is_covered_as_by_chance_or_better(
    catalog: Catalog, candidates: list[str]
) -> None:
    found = select(catalog, candidates, SelectionConfig(takes=120))

    of_kind = dict(catalog.lake.rows("SELECT take_id::VARCHAR, (voice, domain)::VARCHAR FROM takes"))
    draws = np.random.default_rng(5)
    by_chance = [len({of_kind[t] for t in draws.choice(candidates, 120, replace=False)}) for _ in range(20)]
    (_, wer_before, wer), (_, spread_before, spread) = found.means
    assert wer is not None
    assert wer_before is not None
    assert spread is not None
    assert spread_before is not None
    assert wer < wer_before
    assert spread > spread_before
    assert len({of_kind[t] for t in found.take_ids}) >= max(by_chance)


def test_figures_that_the_corpus_lacks_are_left_out_and_noted(catalog: Catalog, candidates: list[str]) -> None:
    found = select(catalog, candidates, SelectionConfig(takes=10))

    assert found.config.stability == ("wer",)
    assert found.config.expressivity == ("f0_sd_st",)
    assert found.config.cover == ("voice", "domain", "f0_median_hz", "audio_s")
    assert found.made_by()["candidates"] == NUM_TAKES


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"stability": ("wrr",)}, "no column 'wrr'; did you mean 'wer'"),
        ({"expressivity": ("transcript",)}, "transcript is not a number but VARCHAR"),
    ],
)
def test_a_column_must_be_there_and_be_a_number(
    catalog: Catalog, candidates: list[str], changes: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(UsageError, match=wanted):
        select(catalog, candidates, replace(SelectionConfig(takes=1), **changes))


def test_a_quota_that_cannot_be_filled_is_refused(catalog: Catalog, candidates: list[str]) -> None:
    with pytest.raises(ReleaseError, match="with at most 1 of a text that makes 120 takes"):
        select(catalog, candidates, SelectionConfig(takes=121, per_text=1))


@pytest.mark.parametrize(
    "quota", [{}, {"takes": 1, "hours": 1.0}, {"takes": 0}, {"hours": -1.0}, {"takes": 5, "bands": 0}]
)
def test_a_quota_is_takes_or_hours_and_positive(quota: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"give takes or hours|positive"):
        SelectionConfig(**quota)


def test_freeze_notes_how_it_chose_so_that_the_same_is_chosen_again(corpus: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(corpus, tmp_path / "copy")
    app = typer.Typer()
    selecting.register(app)

    def freeze(name: str, *arguments: str) -> Any:
        result = CliRunner().invoke(app, [name, "-c", str(tmp_path / "copy"), "--where", "wer < 0.3", *arguments])
        return result.exception or json.loads(result.stdout)

    first = freeze("small", "--takes", "50", "--json")
    made_by = json.loads(first["made_by"])
    noted = made_by["selection"]
    with Catalog.open(tmp_path / "copy") as catalog:
        ids = [
            row[0]
            for row in catalog.lake.rows(f"SELECT take_id::VARCHAR FROM takes WHERE {made_by['where']} ORDER BY 1")
        ]
        members = {row[0] for row in catalog.lake.rows("SELECT take_id::VARCHAR FROM release_item")}
        del noted["revision"], noted["candidates"]
        again = select(
            catalog, ids, SelectionConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in noted.items()})
        )
    assert set(again.take_ids) == members
    assert freeze("small", "--takes", "50", "--json")["already_frozen"]
    assert isinstance(freeze("other", "--takes", "50", "--limit", "9"), UsageError)
    assert isinstance(freeze("both", "--takes", "50", "--hours", "1"), UsageError)
