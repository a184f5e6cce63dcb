from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from catalogs.catalog import Catalog
from curation.planning import Estimate, Plan, _Pilot, _scaled, plan_job
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]

TEXTS = [f"{'very ' * (number % 5)}good {chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(200)]
PILOT = (1 + 3) * 16
"""One batch to warm up and three to measure, of sixteen lines each."""


def plan_and_run(recipe: Recipe, produce: Produce, catalog: Catalog) -> tuple[Plan, dict[str, float]]:
    """The plan, and what the rest of the job then turned out to be."""
    production = produce(recipe)
    plan = plan_job(production, pilot_batches=3)
    before = production.summary()
    after = production.run()
    rest = {
        "takes": after.takes - before.takes,
        "audio_s": after.audio_s - before.audio_s,
        "kept_s": after.kept_s - before.kept_s,
    }
    return plan, rest


def test_what_is_planned_is_what_comes(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = make_recipe(TEXTS, policy=Policy({"num_chars": Threshold(max=20)}))

    plan, rest = plan_and_run(recipe, produce, catalog)

    assert (plan.lines, plan.pilot_takes, plan.lines_left) == (200, PILOT, 200 - PILOT)
    assert rest["takes"] == plan.lines_left
    assert plan.audio_s.mean == pytest.approx(rest["audio_s"])
    assert plan.kept_s.low <= rest["kept_s"] <= plan.kept_s.high
    assert plan.kept_s.mean < plan.audio_s.mean


def test_the_takes_of_the_pilot_are_kept_and_not_recorded_again(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    production = produce(make_recipe(TEXTS))
    plan_job(production, pilot_batches=1)
    pilot = catalog.lake.rows("SELECT id, shard, pcm_sha256 FROM take ORDER BY id")

    production.run()

    after = catalog.lake.rows("SELECT id, shard, pcm_sha256 FROM take ORDER BY id")
    assert set(pilot) <= set(after)
    assert len({take_id for take_id, _, _ in after}) == len(after)


def test_a_job_that_is_done_has_nothing_left_to_plan(make_recipe: MakeRecipe, produce: Produce) -> None:
    production = produce(make_recipe(TEXTS[:20]))
    production.run()

    plan = plan_job(production)

    assert (plan.lines_left, plan.pilot_takes) == (0, 20)
    assert plan.audio_s == plan.disk_bytes == Estimate(0.0, 0.0, 0.0)


def test_cost_follows_time(make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = make_recipe(TEXTS)
    priced = replace(recipe, fleet=replace(recipe.fleet, cost_per_hour=36.0))

    plan = plan_job(produce(priced), pilot_batches=2)

    assert plan.cost is not None
    assert plan.cost.mean == pytest.approx(plan.time_s.mean / 100)
    assert 0 < plan.time_s.low < plan.time_s.mean < plan.time_s.high
    assert "at the cost an hour" in plan.text()


def test_without_a_price_there_is_no_cost(make_recipe: MakeRecipe, produce: Produce) -> None:
    plan = plan_job(produce(make_recipe(TEXTS[:4])))

    assert plan.cost is None
    assert "  cost " not in plan.text()


def pilot(seed: int, *, chars_left: int, batches: int) -> _Pilot:
    generator = np.random.default_rng(seed)
    chars = generator.integers(500, 1500, batches).astype(float)
    seconds = chars * generator.lognormal(0.0, 0.5, batches) * 0.06
    return _Pilot(chars_left=chars_left, chars=chars.tolist(), audio_s=seconds.tolist())


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth_s_per_char = 0.06 * float(np.exp(0.5**2 / 2))
    hits = 0

    for seed in range(200):
        estimate = _scaled([pilot(seed, chars_left=10_000, batches=24)], audio_s, np.random.default_rng(seed))
        hits += estimate.low <= 10_000 * truth_s_per_char <= estimate.high

    assert 0.80 <= hits / 200 <= 0.97


def test_engines_are_added_up_and_those_with_nothing_left_do_not_count() -> None:
    pilots = [pilot(1, chars_left=1_000, batches=5), pilot(2, chars_left=2_000, batches=5)]
    done = pilot(3, chars_left=0, batches=5)

    together = _scaled([*pilots, done], audio_s, np.random.default_rng(0))

    alone = [_scaled([one], audio_s, np.random.default_rng(0)).mean for one in pilots]
    assert together.mean == pytest.approx(sum(alone))
    assert together.low <= together.mean <= together.high


def test_a_figure_is_shown_in_its_unit_with_its_interval() -> None:
    estimate = Estimate(7_200.0, 3_600.0, 36_000_000.0)

    assert estimate.text("h", scale=1 / 3600, digits=1) == "2.0 h (1.0 to 10,000.0)"


def audio_s(of: _Pilot) -> list[float]:
    return of.audio_s
