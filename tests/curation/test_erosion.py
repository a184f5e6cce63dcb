import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.errors import UsageError
from catalogs.ingest import PromptSource
from catalogs.intervals import student
from catalogs.progress import Progress
from catalogs.records import MetricCard, Score, ScoreColumn
from catalogs.release import freeze
from curation.bootstrap import Estimate
from curation.production import Production
from curation.recipe import Recipe
from curation.sets.comparable import alike, spread
from curation.sets.erosion import (
    FALSE_ALARMS,
    Point,
    along,
    limit_of,
    point_of,
    set_scores,
    watch,
)
from curation.sets.signs import FIGURES
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


def looked_at(random: np.random.Generator, texts: int) -> Estimate:
    """The mean of so many normal texts, and the error that they say it has."""
    value, error = random.normal(0, texts**-0.5), (random.chisquare(texts - 1) / (texts - 1) / texts) ** 0.5
    return Estimate(value, texts, value - student(texts - 1) * error, value + student(texts - 1) * error)


@pytest.mark.parametrize("level", [0.01, 0.001])
@pytest.mark.parametrize(("texts", "before"), [(20, 20), (20, 100), (400, 20)])
def test_chance_crosses_a_limit_as_often_as_the_limit_says_however_few_the_texts(texts, before, level) -> None:
    random, figure, looks = np.random.default_rng(texts), FIGURES[0], 12_000
    deviations = NormalDist().inv_cdf(1 - level)

    left = 0
    for _ in range(looks):
        now, first = looked_at(random, texts), looked_at(random, before)
        left += now.value > limit_of(figure, now, first, deviations)

    assert left / looks == pytest.approx(level, abs=4 * (level / looks) ** 0.5)


def test_healthy_jobs_of_short_stretches_are_called_eroding_as_often_as_is_said() -> None:
    jobs = [along(melody(250, alpha=0, seed=seed), size=25) for seed in range(60)]

    rung = [bool(watch(first, points, false_alarms=0.1).warnings) for first, *points in jobs]

    assert 1 <= sum(rung) <= 12


def test_limits_stay_as_they_are_while_a_job_grows() -> None:
    first, *points = along(melody(1000, alpha=0, seed=1), size=100)

    looks = [watch(first, points[:number], of=20).deviations for number in (1, 4, 8)]

    assert len(set(looks)) == 1
    assert looks[0] == pytest.approx(NormalDist().inv_cdf(1 - FALSE_ALARMS / (20 * len(first.figures))))


def in_turn(takes: int, *, seed: int, eroding: bool = False) -> Watched:
    """Three domains one after the other, each flatter and harder than the one before; ``eroding`` within each."""
    random, domain = np.random.default_rng(seed), np.arange(takes) * 3 // takes
    through = (np.arange(takes) * 3 / takes) % 1
    words = np.full(takes, 10.0)
    figures = {
        "f0_sd_st": 3.0 - 0.5 * domain - (1.0 * through if eroding else 0) + random.normal(0, 0.5, takes),
        "substitutions": random.binomial(10, 0.03 + 0.05 * domain).astype(np.float64),
        **{name: np.zeros(takes) for name in ("insertions", "deletions")},
        "ref_words": words,
    }
    labels = {"voice": np.arange(takes) % 2, "style": np.zeros(takes, np.int64), "domain": domain}
    return replace(melody(takes, alpha=0, seed=seed), figures=figures, labels=labels, domains=("a", "b", "c"))


def test_a_job_that_reads_one_domain_after_the_other_is_not_called_eroding() -> None:
    jobs = [in_turn(900, seed=seed) for seed in range(10)]

    rung = [bool(watch(first, points).warnings) for first, *points in map(along, jobs)]
    as_they_come = [bool(watch(*in_order(job)).warnings) for job in jobs]

    assert sum(rung) <= 1
    assert all(as_they_come)


def in_order(takes: Watched) -> tuple[Point, list[Point]]:
    """Fifths of a job, whatever they hold."""
    first, *others = [point_of(takes.between(n, n + 180), str(n)) for n in range(0, 900, 180)]
    return first, others


def test_a_job_that_erodes_is_found_out_whatever_it_reads() -> None:
    first, *points = along(in_turn(900, seed=1, eroding=True))

    assert "f0_sd_st" in {warned.figure for warned in watch(first, points).warnings}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=300), st.integers(1, 12))
def test_parts_of_a_spread_job_hold_as_many_takes_of_each_domain(domains, parts) -> None:
    takes = replace(melody(len(domains), alpha=0, seed=1), labels={"domain": np.array(domains)}, domains=tuple("abcde"))

    found = spread(takes, parts=parts)

    assert sorted(found.take_ids) == sorted(takes.take_ids)
    common = [d for d in range(5) if domains.count(d) >= parts]
    for domain in common if len(common) > 1 else ():
        held = found.labels["domain"] == domain
        edges = np.linspace(0, len(takes), parts + 1).round().astype(int)
        counts = [held[start:stop].sum() for start, stop in pairwise(edges)]
        assert max(counts) - min(counts) <= 3
        order = [int(found.take_ids[row].partition("-")[2]) for row in np.flatnonzero(held)]
        assert order == sorted(order)


def test_a_job_of_one_voice_and_domain_keeps_its_order() -> None:
    takes = replace(melody(50, alpha=0, seed=1), labels={"voice": np.ones(50, np.int64)})

    assert spread(takes, parts=5) is takes


def of_domains(numbers: Mapping[str, int], *, seed: int) -> Watched:
    """So many takes of each domain; what is read of "b" is flatter by a semitone than what is read of others."""
    names = tuple(numbers)
    domain = np.repeat(np.arange(len(names)), list(numbers.values()))
    spread_st = 3.0 - (np.array(names)[domain] == "b") + np.random.default_rng(seed).normal(0, 0.3, len(domain))
    plain = melody(len(domain), alpha=0, seed=seed)
    return replace(plain, figures={"f0_sd_st": spread_st}, labels={"domain": domain}, domains=names)


def test_sets_are_held_against_each_other_in_the_mix_of_the_first() -> None:
    mostly_a, mostly_b = of_domains({"a": 300, "b": 100}, seed=1), of_domains({"b": 250, "a": 150}, seed=2)

    held = alike([mostly_a, mostly_b])

    assert held is not None
    assert (held.domains, held.left_out) == (("a", "b"), ())
    first, other = [point_of(takes, name) for takes, name in zip(held.sets, "12", strict=True)]
    assert watch(first, [other]).warnings == ()
    by_hand = [mostly_b.figures["f0_sd_st"][mostly_b.labels["domain"] == d].mean() for d in (1, 0)]
    assert other.figures["f0_sd_st"].value == pytest.approx(0.75 * by_hand[0] + 0.25 * by_hand[1])
    assert first.standard == other.standard != ""
    assert watch(point_of(mostly_a, "1"), [point_of(mostly_b, "2")]).warnings != ()


def test_domains_that_a_set_lacks_or_hardly_has_are_left_out_of_all() -> None:
    sets = [of_domains({"a": 60, "b": 60}, seed=1), of_domains({"a": 90, "b": 9, "c": 30}, seed=2)]

    held = alike(sets)

    assert held is not None
    assert (held.domains, held.left_out) == (("a",), ("b", "c"))
    assert [len(takes) for takes in held.sets] == [60, 90]
    assert alike([sets[0], of_domains({"c": 90}, seed=3)]) is None


def test_sets_of_one_domain_are_as_they_were() -> None:
    sets = [of_domains({"a": 60}, seed=seed) for seed in range(3)]

    held = alike(sets)

    assert held is not None
    assert held.sets == tuple(sets)


def test_weights_count_in_entropy_too() -> None:
    codes = TokenRows.of([[1, 2] * 30] * 40 + [[1, 1] * 30] * 40)
    takes = replace(of_domains({"a": 40, "b": 40}, seed=1), tokens=codes)
    flat, even = (replace(takes, weights=np.repeat(weights, 40)) for weights in ((0.0, 2.0), (2.0, 0.0)))

    found = [point_of(weighted, "one").figures["token_entropy"].value for weighted in (flat, even)]

    assert found == pytest.approx([0, 1], abs=0.01)


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


DOMAINS = ("light", "bills")


@pytest.fixture(scope="module")
def eroded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with one job, "fading", of 200 short takes."""
    folder = tmp_path_factory.mktemp("eroded")
    texts = folder / "texts.jsonl"
    rows = [{"text": f"text number {n}", "domain": DOMAINS[n % 2]} for n in range(1, 201)]
    texts.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
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


@pytest.fixture(scope="module")
def released(eroded) -> Path:
    """The same corpus with releases of its first and last takes, and of those of one domain each."""
    with Catalog.create(eroded) as catalog, catalog.job("test"):
        rows = catalog.lake.rows(
            "SELECT takes.take_id::VARCHAR, takes.domain FROM takes JOIN job_line USING (line_id) ORDER BY position"
        )
        ids = [take_id for take_id, _ in rows]
        freeze(catalog, "early", take_ids=ids[:100], made_by="by hand")
        freeze(catalog, "late", take_ids=ids[100:], made_by="by hand")
        for domain in DOMAINS:
            freeze(catalog, domain, take_ids=[i for i, held in rows if held == domain], made_by="by hand")
        mixed = [i for i, held in rows if held == "light"][:58] + [i for i, held in rows if held == "bills"][:20]
        freeze(catalog, "mixed", take_ids=mixed, made_by="by hand")
    return eroded


def test_releases_are_weighted_to_one_mix_and_the_report_draws_what_was_compared(released, command) -> None:
    said = ["erosion", "-c", str(released), "--release", "early", "--release", "mixed", "--release", "late"]

    found = json.loads(CliRunner().invoke(command, [*said, "--json"]).stdout)

    assert found["note"] == "2 domains, weighted alike"
    assert {warned["point"] for warned in found["warnings"]} == {"late"}
    standards = {point["standard"] for point in [found["baseline"], *found["points"]]}
    assert len(standards) == 1
    with Catalog.open(released) as catalog:
        rows = catalog.lake.rows("SELECT DISTINCT version FROM set_score WHERE metric = 'f0_sd_st' AND subset = ''")
    assert all(version.startswith("2/") and version.endswith(f"/{min(standards)}") for (version,) in rows)


def test_releases_without_a_domain_in_common_are_refused(released, command) -> None:
    said = ["erosion", "-c", str(released), "--release", "light", "--release", "bills"]

    result = CliRunner().invoke(command, said)

    assert isinstance(result.exception, UsageError)
    assert "no domain in common" in str(result.exception)


def test_takes_are_read_in_the_order_of_their_job(eroded) -> None:
    with Catalog.open(eroded) as catalog:
        ((job_id,),) = catalog.lake.rows("SELECT id::VARCHAR FROM job")
        takes = takes_of_job(catalog, job_id, vectors=True)
        none = real_takes(catalog)

    assert np.array_equal(takes.figures["f0_sd_st"] < 2.5, np.arange(1, 201) > 120)
    assert (len(takes), takes.alpha, len(none)) == (200, 1.0, 0)
    assert [takes.domains[number] for number in takes.labels["domain"][:2]] == ["en bills", "en light"]


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
