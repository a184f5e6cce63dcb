from collections.abc import Callable

from catalogs.catalog import Catalog
from catalogs.families import Family
from catalogs.records import MetricCard, Score, ScoreColumn, Verdict
from catalogs.stage import Outcome
from curation.judging import ArrivalJudge, judge_job, verdict
from curation.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe

TEXTS = ["a", "bb bb", "ccc ccc ccc", "dddd dddd dddd dddd"]
LOUDNESS = ScoreColumn("loudness_lufs", "DOUBLE", "LUFS", "neither", "loudness")
WER = ScoreColumn("wer", "DOUBLE", "ratio", "lower", "word error rate")


def family(name: str, *columns: ScoreColumn, variant: str | None = None, is_default: bool = True) -> Family:
    return Family(f"score_{name}", MetricCard(name, "1", columns, variant), is_default)


def test_the_scores_of_all_families_are_judged_together() -> None:
    levels, words = family("levels", LOUDNESS), family("words", WER)
    judge = ArrivalJudge(Policy({"loudness_lufs": Threshold(min=-30), "wer": Threshold(max=0.25)}), [levels, words])
    outcome = Outcome(
        scores={
            levels.card: [Score("quiet", (-50.0,)), Score("good", (-20.0,))],
            words.card: [Score("good", (0.0,)), Score("quiet", (1.0,))],
        }
    )

    verdicts = {v.take_id: v for v in judge(outcome)}

    assert verdicts["good"].decision == "keep"
    assert verdicts["quiet"].decision == "drop"
    assert verdicts["quiet"].reasons == ("loudness_lufs < -30", "wer > 0.25")


def test_a_take_that_a_family_failed_on_lacks_its_figures() -> None:
    levels, words = family("levels", LOUDNESS), family("words", WER)
    judge = ArrivalJudge(Policy({"wer": Threshold(max=0.25)}), [levels, words])

    (found,) = judge(Outcome(scores={levels.card: [Score("unheard", (-20.0,))], words.card: []}))

    assert found.reasons == ("wer missing",)


def test_a_second_recogniser_is_judged_by_the_name_its_column_has_in_takes() -> None:
    base = family("words", WER, variant="base")
    small = family("words", WER, variant="small", is_default=False)
    judge = ArrivalJudge(Policy({"wer__small": Threshold(max=0.25)}), [base, small])

    (found,) = judge(Outcome(scores={base.card: [Score("t", (0.0,))], small.card: [Score("t", (1.0,))]}))

    assert found.reasons == ("wer__small > 0.25",)


def test_a_take_that_nothing_speaks_against_is_kept() -> None:
    policy = Policy()

    assert verdict("t", policy, ()) == Verdict("t", policy.id, "keep", ())
    assert verdict("t", policy, ("wer > 1",)) == Verdict("t", policy.id, "drop", ("wer > 1",))


def test_takes_are_judged_later_in_sql_as_they_would_have_been_on_arrival(
    catalog: Catalog, make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    on_arrival = make_recipe(TEXTS, policy=Policy({"num_chars": Threshold(min=2, max=12)}))
    production = produce(on_arrival)
    production.run()
    later = Policy({"num_chars": Threshold(min=6)})

    judged = judge_job(catalog, production.job_id, later)
    again = judge_job(catalog, production.job_id, later)

    found = catalog.lake.rows(
        "SELECT verdict.policy::VARCHAR, num_chars, decision, verdict.reasons FROM verdict JOIN takes USING (take_id) "
        "ORDER BY ALL"
    )
    assert (judged, again) == (4, 0)
    assert len(found) == 8
    for policy_id, num_chars, decision, reasons in found:
        policy = later if policy_id == later.id else on_arrival.policy
        assert tuple(reasons) == policy.reasons({"num_chars": num_chars})
        assert decision == ("drop" if reasons else "keep")


def test_only_the_takes_of_the_job_are_judged(
    catalog: Catalog, make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    mine, others = produce(make_recipe(TEXTS[:1], name="mine")), produce(make_recipe(TEXTS[1:], name="theirs"))
    mine.run()
    others.run()

    judged = judge_job(catalog, mine.job_id, Policy({"num_chars": Threshold(max=100)}))

    assert judged == 1
