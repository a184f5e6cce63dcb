from collections.abc import Callable

import pytest

from catalogs.catalog import Catalog
from catalogs.errors import CatalogError, ReleaseError
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.reading import Explanation, JobState, explanation, job_states
from curation.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]

TEXTS = ["pay my bill", "what is my balance"]


def state_of(catalog: Catalog, job_id: str) -> JobState:
    return next(state for state in job_states(catalog) if state.job_id == job_id)


def explain(catalog: Catalog, production: Production, text: str) -> Explanation:
    sql = "SELECT take_id::VARCHAR FROM takes WHERE text = $text AND speaker = $speaker"
    speaker = production.recipe.voices[0].cards()[0].speaker
    return explanation(catalog, catalog.lake.rows(sql, text=text, speaker=speaker)[0][0])


def test_the_state_of_a_job_follows_it_from_casting_to_release(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    production = produce(make_recipe(TEXTS))
    production.prepare()
    not_cast = state_of(catalog, production.job_id)
    next(production.rounds(), None)
    cast = state_of(catalog, production.job_id)
    production.run()

    done = state_of(catalog, production.job_id)

    assert [(s.lines, s.takes) for s in (not_cast, cast, done)] == [(0, 0), (2, 0), (2, 2)]
    assert "0 of 0 lines recorded (not cast)" in not_cast.text()
    assert "2 of 2 lines recorded (100.0%)" in done.text()
    assert done.audio_s == pytest.approx(production.summary().audio_s)


def test_the_last_run_of_a_job_tells_how_it_ended(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    production = produce(make_recipe(TEXTS))
    production.prepare()
    first = catalog.begin_run(production.job_id, "synthgen cast toy")
    catalog.end_run(first, "done")
    after_the_first = state_of(catalog, production.job_id)
    catalog.begin_run(production.job_id, "synthgen record toy")

    under_way = state_of(catalog, production.job_id)

    assert (after_the_first.last_command, after_the_first.last_outcome) == ("synthgen cast toy", "done")
    assert (under_way.last_command, under_way.last_outcome) == ("synthgen record toy", None)
    assert under_way.text().endswith("last `synthgen record toy`: running or killed")


def test_jobs_are_told_in_the_order_of_their_names(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    for name in ("zebra", "ant"):
        produce(make_recipe(TEXTS, name=name)).prepare()

    names = [state.name for state in job_states(catalog)]

    assert names == sorted(names)
    assert {"zebra", "ant"} <= set(names)


def test_a_take_is_explained_from_its_text_to_its_releases(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    production = produce(make_recipe(TEXTS, name="calls", policy=Policy({"num_chars": Threshold(max=12)})))
    production.run()

    kept, dropped = (explain(catalog, production, text) for text in TEXTS)

    assert kept.values["spoken"] == "pay my bill"
    assert kept.values["num_chars"] == 11
    assert kept.families["num_chars"] == "chars 1"
    assert kept.releases == ("calls",)
    assert [v["decision"] for v in kept.verdicts] == ["keep"]
    assert dropped.releases == ()
    assert [list(v["reasons"]) for v in dropped.verdicts] == [["num_chars > 12"]]


def test_an_explanation_reads_as_a_page(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    production = produce(make_recipe(TEXTS, policy=Policy({"num_chars": Threshold(max=12)})))
    production.run()

    page = explain(catalog, production, TEXTS[1]).text()

    head, *_, last = page.splitlines()
    assert head == "take"
    assert "\n\nchars 1\n  num_chars                18\n" in page
    assert f"\n\ndrop by policy {production.recipe.policy.id}: num_chars > 12\n" in page
    assert f"  {production.recipe.policy.definition}\n" in page
    assert last == "releases: none"
    assert "None" not in page


def test_a_take_has_a_verdict_of_every_policy_that_judged_it(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    first = produce(make_recipe(TEXTS[:1], name="one", policy=Policy({"num_chars": Threshold(max=12)})))
    second = produce(make_recipe(TEXTS[:1], name="two", policy=Policy({"num_chars": Threshold(max=5)})))
    first.run()
    with pytest.raises(ReleaseError):
        second.run()

    found = explain(catalog, first, TEXTS[0])

    assert {v["policy"]: v["decision"] for v in found.verdicts} == {
        first.recipe.policy.id: "keep",
        second.recipe.policy.id: "drop",
    }


@pytest.mark.parametrize("take_id", ["00000000-0000-0000-0000-000000000000", "not an id", "'; DROP TABLE take"])
def test_a_take_that_is_not_there_is_told_with_where_to_look(catalog: Catalog, take_id: str) -> None:
    with pytest.raises(CatalogError, match=r"has no take .*`synthgen sql` lists them"):
        explanation(catalog, take_id)
