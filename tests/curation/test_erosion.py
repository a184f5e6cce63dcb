import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.errors import UsageError
from catalogs.ingest import PromptSource
from catalogs.progress import Progress
from catalogs.records import MetricCard, Score, ScoreColumn
from curation.production import Production
from curation.recipe import Recipe
from curation.sets.erosion import (
    FALSE_ALARMS,
    FIGURES,
    Point,
    along,
    limit_of,
    point_of,
    set_scores,
    watch,
)
from curation.sets.watched import Watched, real_takes, takes_of_job
from curation.tokenisers.sequences import TokenRows
from curation.verbs import erosion, sets
from synthgen.fleet import FleetConfig
from synthgen.voices.tone import ToneConfig

ALPHAS = tuple(percent / 100 for percent in range(0, 100, 5))
HEALTHY_ST, FLAT_ST, SPREAD_ST = 3.0, 1.5, 1.0
FALL_ST = HEALTHY_ST - FLAT_ST


def melody(takes: int, *, alpha: float, seed: int) -> Watched:
    """Takes of which a share ``alpha`` is flattened, with word errors that stay what they are."""
    random = np.random.default_rng(seed)
    is_flat = random.random(takes) < alpha
    words = random.integers(4, 16, takes).astype(np.float64)
    errors = random.binomial(words.astype(int), 0.05).astype(np.float64)
    mean = np.where(is_flat, FLAT_ST, HEALTHY_ST)
    shape = (mean / SPREAD_ST) ** 2
    figures = {
        "f0_sd_st": random.gamma(shape, mean / shape),
        "energy_sd_db": random.normal(9, 1.5, takes),
        "substitutions": errors,
        "insertions": 0 * errors,
        "deletions": 0 * errors,
        "ref_words": words,
        "token_repetition": np.where(random.random(takes) < 0.7, 0, random.exponential(0.03, takes)),
        "speaker_similarity": random.normal(0.9, 0.04, takes),
    }
    return Watched(tuple(f"{seed}-{n}" for n in range(takes)), is_flat, np.arange(takes), np.arange(takes), figures)


def readings(texts: int, *, alpha: float, seed: int) -> Watched:
    """Three readings a text, of which a share ``alpha`` has collapsed to the same one."""
    random = np.random.default_rng(seed)
    rows = []
    for is_collapsed in random.random(texts) < alpha:
        text = random.integers(1, 50, 40)
        for _ in range(3):
            changed = random.random(40) < (0 if is_collapsed else random.uniform(0.1, 0.3))
            rows.append(np.where(changed, random.integers(1, 50, 40), text))
    names = tuple(f"{seed}-{n}" for n in range(len(rows)))
    numbers = np.repeat(np.arange(texts), 3)
    return Watched(names, np.ones(len(rows), np.bool_), numbers, numbers, {}, TokenRows.of(rows))


def corpus(seed: int, *, takes: int = 1000, eroding: bool = True) -> tuple[Point, list[Point]]:
    baseline = point_of(melody(4 * takes, alpha=0, seed=seed * 100 + 99), "healthy", alpha=0)
    points = [
        point_of(melody(takes, alpha=a if eroding else 0, seed=seed * 100 + n), f"{a:.0%}", alpha=a)
        for n, a in enumerate(ALPHAS)
    ]
    return baseline, points


def due(baseline: Point, points: list[Point]) -> float:
    """The alpha at which the expected spread of pitch lies at the limit of this baseline."""
    deviations = NormalDist().inv_cdf(1 - FALSE_ALARMS / (len(points) * len(baseline.figures)))
    figure = next(figure for figure in FIGURES if figure.name == "f0_sd_st")
    limit = limit_of(figure, points[2].figures["f0_sd_st"], baseline.figures["f0_sd_st"], deviations)
    return (HEALTHY_ST - limit) / FALL_ST


@pytest.mark.parametrize("seed", range(8))
def test_flattened_takes_are_flagged_within_five_points(seed) -> None:
    baseline, points = corpus(seed)

    (warned,) = watch(baseline, points).warnings

    assert warned.figure == "f0_sd_st"
    assert warned.alpha == pytest.approx(due(baseline, points), abs=0.05)


def test_at_most_one_of_twenty_healthy_corpora_is_flagged() -> None:
    flagged = [bool(watch(*corpus(seed, takes=400, eroding=False)).warnings) for seed in range(20, 40)]

    assert sum(flagged) <= 1


def test_collapse_to_one_reading_is_flagged_within_five_points() -> None:
    baseline = point_of(readings(800, alpha=0, seed=1), "healthy", alpha=0)
    steps = ALPHAS[:8]
    points = [point_of(readings(400, alpha=a, seed=10 + n), f"{a:.0%}", alpha=a) for n, a in enumerate(steps)]
    values = np.array([point.figures["reading_distance"].value for point in points])
    falls = -np.polyfit(steps, values, 1)[0]

    warned = next(w for w in watch(baseline, points).warnings if w.figure == "reading_distance")

    expected = (baseline.figures["reading_distance"].value - warned.limit) / falls
    assert warned.alpha == pytest.approx(expected, abs=0.05)


def test_a_figure_that_gets_better_is_no_erosion() -> None:
    baseline = point_of(melody(500, alpha=0.9, seed=1), "flat", alpha=0)
    livelier = point_of(melody(500, alpha=0, seed=2), "lively", alpha=1)

    assert watch(baseline, [livelier]).warnings == ()


def test_a_figure_with_few_items_is_left_out() -> None:
    point = point_of(melody(10, alpha=0, seed=1), "few")

    assert point.figures == {}
    assert watch(point, [point]).warnings == ()


def test_a_job_is_cut_into_a_baseline_and_stretches_that_hold_every_take() -> None:
    points = along(melody(1030, alpha=1, seed=3), size=100)

    assert points[0].num_takes == 206
    assert sum(point.num_takes for point in points) == 1030
    assert points[-1].name.endswith("-1030")


def test_alpha_is_the_share_of_synthetic_up_to_there() -> None:
    points = along(melody(1000, alpha=1, seed=3), real=1000, size=100)

    assert points[-1].alpha == pytest.approx(0.5)
    assert [point.alpha for point in points] == sorted(point.alpha for point in points)


def test_too_few_takes_say_how_many_would_do() -> None:
    with pytest.raises(ValueError, match="too few"):
        along(melody(60, alpha=0, seed=1))


def test_rows_of_a_point_name_the_takes_they_rest_on() -> None:
    one, other = (point_of(melody(50, alpha=0, seed=seed), "half") for seed in (1, 2))

    (share, *figures) = set_scores(one, "set", subset="half")

    assert (share.metric, share.value, share.num_items) == ("alpha", one.alpha, 50)
    assert {row.metric for row in figures} == set(one.figures)
    assert share.version != set_scores(other, "set")[0].version


@dataclass(frozen=True)
class FadingConfig:
    """A family whose spread of pitch falls after 120 takes; "text number 7" has that figure alone."""

    def card(self) -> MetricCard:
        columns = (
            ScoreColumn("f0_sd_st", "DOUBLE", "semitones", "higher", "spread"),
            ScoreColumn("speech_tokens", "INTEGER[]", "", "neither", "codes"),
            ScoreColumn("speaker_embedding", "FLOAT[]", "", "neither", "voice"),
        )
        return MetricCard("fading", "test", columns)

    def build(self) -> "FadingConfig":
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [self.score(clip, int(clip.text.split()[-1])) for clip in clips]

    def score(self, clip: Clip, number: int) -> Score:
        spread = (1.5 if number > 120 else 3.0) + number % 7 / 10
        tokens = tuple(np.random.default_rng(number).integers(0, 20, 60).tolist())
        return Score(clip.take_id, (spread, None, None) if number == 7 else (spread, tokens, (1.0, number % 2)))


@pytest.fixture(scope="module")
def eroded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with one job, "fading", of 200 short takes."""
    folder = tmp_path_factory.mktemp("eroded")
    texts = folder / "texts.txt"
    texts.write_text("\n".join(f"text number {n}" for n in range(1, 201)), encoding="utf-8")
    recipe = Recipe(
        name="fading",
        prompts=(PromptSource(str(texts)),),
        voices=(ToneConfig(duration_s_per_char=0.001),),
        metrics=(FadingConfig(),),
        corpus=folder / "corpus",
        fleet=FleetConfig(on="inline", workers=1),
    )
    with Catalog.create(recipe.corpus) as catalog, catalog.job("test"):
        run_id = catalog.begin_run(recipe.job_id, "test")
        Production(recipe, catalog, run_id=run_id, progress=Progress(quiet=True)).run()
    return recipe.corpus


@pytest.fixture(scope="module")
def command() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    erosion.register(app)
    sets.register(app)
    return app


def test_the_verb_says_where_a_job_erodes(eroded, command) -> None:
    result = CliRunner().invoke(command, ["erosion", "-c", str(eroded), "--json"])

    (warned,) = json.loads(result.stdout)["warnings"]
    assert (warned["figure"], warned["point"]) == ("f0_sd_st", "takes 101-200")


def test_the_verb_stores_what_it_finds_once(eroded, command) -> None:
    for _ in range(2):
        shown = CliRunner().invoke(command, ["erosion", "-c", str(eroded), "--job", "fading"]).stdout

    with Catalog.open(eroded) as catalog:
        stored = catalog.lake.rows("SELECT subset, value FROM set_score WHERE metric = 'f0_sd_st' ORDER BY subset")
    assert len(stored) == 2
    assert all(f"{value:.3g}" in shown for _, value in stored)
    assert "warning: f0_sd_st left its baseline" in shown


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--release", "one"], "nothing to be held against"),
        (["--release", "one", "--job", "fading"], "not both"),
        (["--real"], "no real takes"),
        (["--job", "fading", "--size", "190"], "too few"),
    ],
)
def test_a_request_without_an_answer_says_why(eroded, command, options, told) -> None:
    result = CliRunner().invoke(command, ["erosion", "-c", str(eroded), *options])

    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


def test_takes_are_read_in_the_order_of_their_job(eroded) -> None:
    with Catalog.open(eroded) as catalog:
        ((job_id,),) = catalog.lake.rows("SELECT id::VARCHAR FROM job")
        takes = takes_of_job(catalog, job_id, vectors=True)
        none = real_takes(catalog)

    assert np.array_equal(takes.figures["f0_sd_st"] < 2.5, np.arange(1, 201) > 120)
    assert (len(takes), takes.alpha, len(none)) == (200, 1.0, 0)


def test_what_was_not_measured_is_read_as_missing(eroded) -> None:
    with Catalog.open(eroded) as catalog:
        ((job_id,),) = catalog.lake.rows("SELECT id::VARCHAR FROM job")
        takes = takes_of_job(catalog, job_id, vectors=True).between(5, 8)

    assert takes.tokens.lengths.tolist() == [60, 0, 60]
    assert np.isnan(takes.vectors["speaker_embedding"]).all(axis=1).tolist() == [False, True, False]
    assert takes.vectors["speaker_embedding"][2].tolist() == [1, 0]


def test_the_verb_describes_a_set(eroded, command) -> None:
    shown = CliRunner().invoke(command, ["set", "-c", str(eroded), "--job", "fading", "--json"]).stdout

    figures = json.loads(shown)
    assert figures["token_entropy"]["num_items"] == 199
    assert figures["effective_voices"]["value"] == 1
    with Catalog.open(eroded) as catalog:
        assert ("token_entropy",) in catalog.lake.rows("SELECT metric FROM set_score WHERE subset = ''")
