from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from catalogs.catalog import Catalog, Done
from catalogs.errors import CatalogError, UsageError
from catalogs.families import Family
from catalogs.ids import content_id
from catalogs.lake import Lake
from catalogs.records import Job, JobLine, MetricCard, Prompt, Score, ScoreColumn, Take, Verdict
from catalogs.release import altered, freeze, releases
from catalogs.stage import Outcome
from catalogs.takes import declare, flatten
from curation.policies.judging import (
    ArrivalJudge,
    Scope,
    closed,
    find_policy,
    find_scope,
    judge_again,
    judge_job,
    verdict,
)
from curation.policies.policy import Override, Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from synthgen.voices.tone import ToneConfig

TEXTS = ["a", "bb bb", "ccc ccc ccc", "dddd dddd dddd dddd"]
LOUDNESS = ScoreColumn("loudness_lufs", "DOUBLE", "LUFS", "neither", "loudness")
JOB = Job(content_id("job", "calls"), "calls", "{}")
SCOPE = Scope(JOB.id)
VOICE = ToneConfig().cards()[0]
LAST_WORDS = "SELECT num_chars, verdict FROM takes ORDER BY num_chars"
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


def take(text: str, *, origin: Literal["synthetic", "real"] = "synthetic") -> Take:
    return Take(
        id=Take.id_of_line(text),
        line_id=content_id("line", text),
        prompt_id=Prompt.id_of(text, "en"),
        voice_id=VOICE.id,
        origin=origin,
        shard="shard-000000.tar",
        offset=0,
        num_bytes=1,
        pcm_sha256=text,
        sample_rate_hz=16_000,
        num_samples=16_000 * len(text),
    )


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A corpus of four scored takes of 1, 5, 11 and 19 characters, all of one job and of one release."""
    card = MetricCard("chars", "1", (ScoreColumn("num_chars", "INTEGER", "", "neither", "length"),))
    with Catalog.create(tmp_path_factory.mktemp("calls")) as catalog:
        declare(catalog.lake, [card])
        catalog.add([Prompt(Prompt.id_of(text, "en"), text, "en") for text in TEXTS])
        catalog.add([VOICE])
        catalog.add([JOB])
        catalog.add([JobLine(JOB.id, content_id("line", text), n) for n, text in enumerate(TEXTS)])
        takes = [take(text) for text in TEXTS]
        catalog.commit(Done(takes=takes, scores={card: [Score(t.id, (len(t.pcm_sha256),)) for t in takes]}))
        freeze(catalog, "spring", take_ids=[t.id for t in takes], made_by="test")
        yield catalog


def test_the_policy_that_judges_again_has_the_last_word(calls: Catalog) -> None:
    short, long = Policy({"num_chars": Threshold(max=6)}), Policy({"num_chars": Threshold(min=6)})

    counts = [judge_again(calls, policy, SCOPE) for policy in (short, long, short, short)]

    assert [(c.fresh, c.kept, c.takes) for c in counts] == [(4, 2, 4), (4, 2, 4), (4, 2, 4), (0, 2, 4)]
    assert calls.lake.rows(LAST_WORDS) == [(1, "keep"), (5, "keep"), (11, "drop"), (19, "drop")]
    assert calls.lake.rows("SELECT count(*) FROM verdict WHERE policy = $id::UUID", id=short.id) == [(4,)]


def test_a_quantile_becomes_a_number_of_the_policy_that_judges(calls: Catalog) -> None:
    policy = Policy(
        {"num_chars": Threshold(min_quantile=0.5, max=100)},
        overrides=(Override(language="e*", thresholds={"num_chars": Threshold(max_quantile=1.0)}),),
    )

    found = closed(calls, policy, SCOPE)

    assert found.thresholds["num_chars"] == Threshold(min=8.0, max=100, min_quantile=0.5)
    assert found.overrides[0].thresholds["num_chars"].max == 19.0
    assert found.opened == policy
    assert closed(calls, found, Scope()) == found
    assert judge_again(calls, found, SCOPE).kept == 4


def test_a_quantile_of_real_speech_needs_real_speech(calls: Catalog) -> None:
    with pytest.raises(CatalogError, match="no real take has that figure"):
        closed(calls, Policy({"num_chars": Threshold(max_quantile=0.99, of="real")}), Scope())


def test_a_policy_that_still_waits_for_a_number_does_not_judge(calls: Catalog) -> None:
    with pytest.raises(UsageError, match="quantiles without their numbers"):
        judge_job(calls, JOB.id, Policy({"num_chars": Threshold(min_quantile=0.5)}))


def test_only_columns_of_the_corpus_decide(calls: Catalog) -> None:
    with pytest.raises(UsageError, match="no metric has written 'num_char' here; did you mean 'num_chars'"):
        closed(calls, Policy({"num_char": Threshold(max=1)}), Scope())


def test_a_name_and_version_mean_one_policy(calls: Catalog) -> None:
    first = Policy({"num_chars": Threshold(max_quantile=0.5)}, name="calls", version=1)
    judge_again(calls, closed(calls, first, SCOPE), SCOPE)

    pinned = Policy({"num_chars": Threshold(max=9, max_quantile=0.5)}, name="calls", version=1, note="pinned")
    assert judge_again(calls, pinned, SCOPE).kept == 2
    with pytest.raises(UsageError, match="calls 1 has judged here with other thresholds"):
        judge_again(calls, Policy({"num_chars": Threshold(max=9)}, name="calls", version=1), SCOPE)


def test_a_stored_policy_is_found_by_its_title_and_by_its_id(calls: Catalog) -> None:
    policy = Policy({"num_chars": Threshold(max=7)}, name="brief", version=2)
    judge_again(calls, policy, SCOPE)

    assert find_policy(calls, "brief 2") == find_policy(calls, policy.id[:9]) == policy
    with pytest.raises(UsageError, match=r"no policy 'brief 3'.*known here: .*brief 2"):
        find_policy(calls, "brief 3")


def test_a_scope_is_a_job_a_release_or_the_corpus(calls: Catalog) -> None:
    assert find_scope(calls, job=JOB.name) == find_scope(calls, job=JOB.id) == SCOPE
    assert find_scope(calls, release="spring").release_id
    assert find_scope(calls) == Scope()
    with pytest.raises(UsageError, match="not both"):
        find_scope(calls, job=JOB.name, release="spring")
    with pytest.raises(CatalogError, match="no job 'another'"):
        find_scope(calls, job="another")


STORED = "SELECT take_id, policy, decision, reasons FROM verdict ORDER BY ALL"
IS_HEARD = Policy({"wer": Threshold(max=0.25)})


class Killed(BaseException):
    """What a killed process does not live to see."""


def words(version: str) -> MetricCard:
    return MetricCard("words", version, (WER,))


@pytest.fixture(params=[False, True], ids=["joined", "flat"])
def heard(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Catalog]:
    """A job of four judged takes, of which the last two have no word error rate."""
    with Catalog.create(tmp_path / "heard") as catalog:
        declare(catalog.lake, [words("1")])
        catalog.add([Prompt(Prompt.id_of(text, "en"), text, "en") for text in TEXTS])
        catalog.add([VOICE])
        catalog.add([JobLine(JOB.id, content_id("line", text), n) for n, text in enumerate(TEXTS)])
        takes = [take(text) for text in TEXTS]
        catalog.commit(Done(takes=takes, scores={words("1"): [Score(t.id, (0.0,)) for t in takes[:2]]}))
        assert judge_job(catalog, JOB.id, IS_HEARD) == 4
        if request.param:
            flatten(catalog.lake)
        yield catalog


def hear(catalog: Catalog, version: str, **rates: float) -> None:
    declare(catalog.lake, [words(version)])
    scores = [Score(Take.id_of_line(text), (rates[text[0]],)) for text in TEXTS if text[0] in rates]
    catalog.commit(Done(scores={words(version): scores}))


def decisions(catalog: Catalog) -> dict[str, tuple[str, list[str]]]:
    rows = catalog.lake.rows("SELECT text, verdict, reasons FROM takes")
    return {text[0]: (decision, reasons) for text, decision, reasons in rows}


@pytest.mark.parametrize("again", [False, True], ids=["in_its_job", "by_the_policy"])
def test_a_score_that_comes_late_renews_the_verdict_once(heard: Catalog, *, again: bool) -> None:
    def judge() -> int:
        return judge_again(heard, IS_HEARD, SCOPE).fresh if again else judge_job(heard, JOB.id, IS_HEARD)

    assert decisions(heard)["c"] == ("drop", ["wer missing"])
    hear(heard, "1", c=0.0, d=0.9)

    assert (judge(), judge()) == (2, 0)

    assert decisions(heard) == {n: ("keep", []) for n in "abc"} | {"d": ("drop", ["wer > 0.25"])}
    assert heard.count("verdict") == 4


def test_a_new_version_of_a_metric_renews_verdicts_and_leaves_what_is_frozen(heard: Catalog) -> None:
    release = freeze(heard, "before", take_ids=[Take.id_of_line(text) for text in TEXTS[:2]], made_by="test")
    hear(heard, "2", a=0.9, b=0.1, c=0.0, d=0.9)

    assert judge_job(heard, JOB.id, IS_HEARD) == 3

    assert {n for n, (decision, _) in decisions(heard).items() if decision == "keep"} == {"b", "c"}
    assert releases(heard) == [release]
    assert altered(heard) == []


def test_a_renewal_that_is_killed_leaves_the_old_verdicts_and_goes_on_to_the_same_rows(
    heard: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = heard.lake.rows(STORED)
    hear(heard, "1", c=0.0, d=0.9)
    run = Lake.run

    def dying(self: Lake, sql: str, **parameters: Any) -> int:
        if "INSERT INTO verdict" in sql:
            raise Killed
        return run(self, sql, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "run", dying)
        with pytest.raises(Killed):
            judge_job(heard, JOB.id, IS_HEARD)

    assert heard.lake.rows(STORED) == before
    assert judge_job(heard, JOB.id, IS_HEARD) == 2
    assert judge_job(heard, JOB.id, IS_HEARD) == 0


def test_a_renewal_in_a_job_leaves_other_policies_alone(heard: Catalog) -> None:
    other = Policy({"wer": Threshold(max=0.25, missing="keep")})
    judge_again(heard, other, SCOPE)
    hear(heard, "1", c=0.0)

    assert judge_job(heard, JOB.id, IS_HEARD) == 1

    counts = heard.lake.rows("SELECT policy::VARCHAR, count(*) FROM verdict GROUP BY policy ORDER BY policy")
    assert counts == sorted([(IS_HEARD.id, 4), (other.id, 4)])
