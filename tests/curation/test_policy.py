import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.errors import RecipeError
from catalogs.lake import Lake
from catalogs.records import MetricCard, ScoreColumn, Value
from curation.policies.policy import Override, Policy, Threshold, load_policy

ENDS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5).map(float)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "wer": st.none() | st.just(math.nan) | st.floats() | st.integers(-5, 5).map(float),
    "num_words": st.none() | st.integers(-5, 5),
    "is_heard": st.none() | st.booleans(),
}
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "language": st.sampled_from(["en", "de", "th"]),
    "voice": st.sampled_from(["piper/joe", "piper/a_b", "piper/axb", "kokoro/50%", "kokoro/a\\b", "x\ny"]),
    "domain": st.none() | st.sampled_from(["names", "it's", "*"]),
}
TYPES = {"wer": pa.float64(), "num_words": pa.int32(), "is_heard": pa.bool_()} | dict.fromkeys(KINDS, pa.string())
NOBODY = dict.fromkeys(KINDS)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    low, high = sorted([draw(ENDS), draw(ENDS)])
    given_ends = draw(st.sampled_from([{"min": low}, {"max": high}, {"min": low, "max": high}]))
    return Threshold(**given_ends, missing=draw(st.sampled_from(["drop", "keep"])))


TABLES = st.dictionaries(st.sampled_from(sorted(VALUES)), thresholds(), max_size=3)


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    patterns = {
        "language": st.sampled_from(["en", "*"]),
        "voice": st.sampled_from(["piper/*", "*/a_b", "*%", "*\\*", "x*y", "piper/joe"]),
        "domain": st.sampled_from(["it's", "*", "na*s"]),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(patterns)), min_size=1))
    table = draw(TABLES)
    off = draw(st.sets(st.sampled_from(sorted(VALUES)))) - set(table)
    return Override(**{kind: draw(patterns[kind]) for kind in sorted(chosen)}, thresholds=table, off=tuple(sorted(off)))


POLICIES = st.builds(Policy, TABLES, st.lists(overrides(), max_size=3).map(tuple))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = Lake(tmp_path_factory.mktemp("corpus"))
    yield lake
    lake.close()


def reasons_in_sql(lake: Lake, policy: Policy, rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    columns = {"row": pa.array(range(len(rows)))}
    columns |= {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}
    with lake.lent("figures", pa.table(columns)):
        found = lake.rows(f"SELECT {policy.reasons_sql()} FROM figures ORDER BY row")
    return [tuple(reasons) for (reasons,) in found]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=POLICIES, rows=st.lists(st.fixed_dictionaries(VALUES | KINDS), min_size=1, max_size=10))
def test_a_take_is_judged_alike_on_arrival_and_in_sql(lake: Lake, policy: Policy, rows: list[dict[str, Value]]) -> None:
    in_python = [policy.reasons(row) for row in rows]

    assert reasons_in_sql(lake, policy, rows) == in_python


@pytest.mark.parametrize("end", [0.1, 0.12345678901234567, 1e300, 5e-324, -0.0, 1e22, 123456789.123])
def test_the_end_of_a_range_belongs_to_it_to_the_last_bit(lake: Lake, end: float) -> None:
    policy = Policy({"wer": Threshold(min=end, max=end)})
    just_over, just_under = math.nextafter(end, math.inf), math.nextafter(end, -math.inf)
    rows = [{"wer": value, "num_words": None, "is_heard": None, **NOBODY} for value in (just_under, end, just_over)]

    found = reasons_in_sql(lake, policy, rows)

    assert [len(reasons) for reasons in found] == [1, 0, 1]
    assert found == [policy.reasons(row) for row in rows]


def test_every_threshold_that_fails_is_a_reason() -> None:
    policy = Policy({"wer": Threshold(max=0.25), "snr_db": Threshold(min=15), "dnsmos": Threshold(min=2)})

    reasons = policy.reasons({"wer": 0.5, "snr_db": 20.0})

    assert reasons == ("dnsmos missing", "wer > 0.25")


@pytest.mark.parametrize("absent", [{}, {"wer": None}, {"wer": math.nan}])
def test_a_figure_that_is_missing_drops_a_take_unless_the_policy_lets_it_pass(absent: dict[str, Value]) -> None:
    strict = Policy({"wer": Threshold(max=0.25)})
    lenient = Policy({"wer": Threshold(max=0.25, missing="keep")})

    assert strict.reasons(absent) == ("wer missing",)
    assert lenient.reasons(absent) == ()


def test_a_truth_value_counts_as_nought_or_one() -> None:
    policy = Policy({"is_heard": Threshold(min=1)})

    assert policy.reasons({"is_heard": True}) == ()
    assert policy.reasons({"is_heard": False}) == ("is_heard < 1",)


def test_a_policy_without_thresholds_keeps_everything(lake: Lake) -> None:
    row = {"wer": 9.0, "num_words": None, "is_heard": False, **NOBODY}

    assert Policy().reasons(row) == ()
    assert reasons_in_sql(lake, Policy(), [row]) == [()]


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ({}, "needs min, max or both"),
        ({"min": 2.0, "max": 1.0}, "min 2 is above max 1"),
        ({"max": math.nan}, "must be finite numbers"),
        ({"min": math.inf}, "must be finite numbers"),
        ({"min_quantile": 5.0}, "between 0 and 1"),
    ],
)
def test_a_threshold_that_decides_nothing_is_refused(ends: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        Threshold(**ends)


def test_the_same_policy_has_the_same_id_whatever_the_order_of_its_thresholds() -> None:
    one = Policy({"wer": Threshold(max=0.25), "snr_db": Threshold(min=15.0)})
    other = Policy({"snr_db": Threshold(min=15.0), "wer": Threshold(max=0.25)})

    assert one.id == other.id
    assert one.id != Policy({"wer": Threshold(max=0.25), "snr_db": Threshold(min=16)}).id


def test_only_figures_that_a_metric_writes_can_decide() -> None:
    columns = (
        ScoreColumn("wer", "DOUBLE", "ratio", "lower", "word error rate"),
        ScoreColumn("transcript", "VARCHAR", "text", "neither", "what was heard"),
    )
    policy = Policy({"wer": Threshold(max=1), "transcript": Threshold(max=1), "were": Threshold(max=1)})

    mistakes = policy.mistakes([MetricCard("words", "1", columns)])

    assert mistakes == [("transcript", "is not a number"), ("were", "is written by no metric of this recipe")]


def test_a_policy_on_similarity_cannot_judge_on_arrival() -> None:
    assert Policy({"speaker_similarity": Threshold(min=0.6)}).judges_late
    assert not Policy({"wer": Threshold(max=0.25)}).judges_late


def test_the_last_override_that_fits_a_take_decides() -> None:
    policy = Policy(
        {"wer": Threshold(max=0.1)},
        overrides=(
            Override(voice="piper/*", thresholds={"wer": Threshold(max=0.5)}),
            Override(language="th", off=("wer",), thresholds={"cer": Threshold(max=0.2)}),
        ),
    )
    take: dict[str, Value] = {"wer": 0.3, "cer": 0.3, "language": "en", "domain": None}

    assert policy.reasons({**take, "voice": "kokoro/a"}) == ("wer > 0.1",)
    assert policy.reasons({**take, "voice": "piper/joe"}) == ()
    assert policy.reasons({**take, "voice": "piper/joe", "language": "th"}) == ("cer > 0.2",)


def test_an_override_fits_somebody_and_says_one_thing() -> None:
    with pytest.raises(ValueError, match="needs one of language, voice, domain"):
        Override(off=("wer",))
    with pytest.raises(ValueError, match="wer has a threshold and is off"):
        Override(language="th", off=("wer",), thresholds={"wer": Threshold(max=1)})


def test_a_policy_with_overrides_or_quantiles_does_not_judge_on_arrival() -> None:
    assert Policy(overrides=(Override(language="th", off=("wer",)),)).judges_late
    assert Policy({"f0_sd_st": Threshold(min_quantile=0.05)}).judges_late
    assert not Policy({"f0_sd_st": Threshold(min=1.5, min_quantile=0.05)}).judges_late


def test_a_recipe_cannot_wait_for_a_quantile() -> None:
    column = ScoreColumn("f0_sd_st", "DOUBLE", "semitones", "higher", "spread of pitch")
    policy = Policy({"f0_sd_st": Threshold(min_quantile=0.05)})

    ((figure, wrong),) = policy.mistakes([MetricCard("prosody", "1", (column,))])

    assert (figure, "synthgen judge --policy" in wrong) == ("f0_sd_st", True)


def test_a_policy_is_read_from_its_file_and_from_its_recipe(tmp_path: Path) -> None:
    text = """
        name = "dialogue"
        version = 3

        [thresholds]
        wer = { max = 0.25 }

        [[overrides]]
        language = "th"
        off = ["wer"]
    """
    alone, recipe = tmp_path / "policy.toml", tmp_path / "recipe.toml"
    alone.write_text(text)
    recipe.write_text('name = "job"\n[policy.thresholds]\nwer = { max = 0.25 }\n')

    found = load_policy(alone)

    assert (found.title, found.overrides[0].off) == ("dialogue 3", ("wer",))
    assert Policy.from_definition(found.definition) == found
    assert load_policy(recipe) == Policy({"wer": Threshold(max=0.25)})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[thresholds]\nwer = { mx = 0.1 }", "unknown key 'thresholds.wer.mx'; did you mean 'max'"),
        ("treshholds = {}", "unknown key 'treshholds'; did you mean 'thresholds'"),
        ("[thresholds]\nwer = { max_quantile = 0.9, of = 'reel' }", "expected 'judged' or 'real'"),
    ],
)
def test_a_mistake_in_a_policy_is_named(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)

    with pytest.raises(RecipeError, match=wanted):
        load_policy(path)


def test_what_evaluates_takes_may_not_choose_among_them() -> None:
    with pytest.raises(ValueError, match="eval_wer: what evaluates takes may not choose"):
        Policy({"eval_wer": Threshold(max=0.1)})
    with pytest.raises(ValueError, match="eval_wer"):
        Policy(overrides=(Override(language="en", thresholds={"eval_wer": Threshold(max=0.1)}),))
