import json
import math
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs.catalog import Catalog, Done
from catalogs.errors import UsageError
from catalogs.ids import content_id
from catalogs.records import MetricCard, Prompt, Score, ScoreColumn, Take
from catalogs.takes import declare
from curation.policies.policy import Override, Policy, Threshold
from curation.policies.replay import Replay, replay
from curation.policies.shift import Moments, difference, median_quantiles, pooled
from curation.scope import Scope
from curation.verbs import policies
from synthgen.voices.tone import ToneConfig

DRAWS = np.random.default_rng(7)
VOICES = ToneConfig(speakers=("low", "high")).cards()
CARD = MetricCard(
    "words",
    "1",
    (
        ScoreColumn("wer", "DOUBLE", "ratio", "lower", "word error rate"),
        ScoreColumn("f0_sd_st", "DOUBLE", "semitones", "higher", "spread of pitch"),
        ScoreColumn("transcript", "VARCHAR", "", "neither", "what was heard"),
    ),
)
ROWS = [
    {
        "text": f"text {n}",
        "voice": VOICES[n % 2],
        "domain": ("names", "news", None)[n % 3],
        "wer": None if n == 5 else math.nan if n == 6 else round(DRAWS.random(), 3),
        "f0_sd_st": 1 + 3 * DRAWS.random(),
        "audio_s": 1 + n % 4,
    }
    for n in range(120)
]
LOOSE = Policy({"wer": Threshold(max=0.6)}, name="loose")
STRICT = Policy(
    {"wer": Threshold(max=0.3)}, (Override(domain="names", off=("wer",)),), name="strict", note="names are hard"
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    with Catalog.create(folder) as catalog:
        declare(catalog.lake, [CARD])
        catalog.add(VOICES)
        catalog.add([Prompt(Prompt.id_of(r["text"], "en"), r["text"], "en", domain=r["domain"]) for r in ROWS])
        takes = [
            Take(
                id=content_id("take", r["text"]),
                line_id=content_id("line", r["text"]),
                prompt_id=Prompt.id_of(r["text"], "en"),
                voice_id=r["voice"].id,
                origin="synthetic",
                shard="shard-000000.tar",
                offset=0,
                num_bytes=1,
                pcm_sha256=r["text"],
                sample_rate_hz=16_000,
                num_samples=16_000 * r["audio_s"],
            )
            for r in ROWS
        ]
        scores = [Score(t.id, (r["wer"], r["f0_sd_st"], "")) for t, r in zip(takes, ROWS, strict=True)]
        catalog.commit(Done(takes=takes, scores={CARD: scores}))
    return folder


@pytest.fixture(scope="module")
def catalog(corpus: Path) -> Iterator[Catalog]:
    with Catalog.open(corpus) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def found(catalog: Catalog) -> Replay:
    return replay(catalog, (LOOSE, STRICT), Scope())


def kept(policy: Policy, n: int) -> bool:
    return not policy.reasons({**ROWS[n], "language": "en", "voice": ROWS[n]["voice"].name})


def test_what_is_gained_and_lost_is_what_the_two_policies_say(found: Replay) -> None:
    a, b = ({n for n in range(len(ROWS)) if kept(policy, n)} for policy in (LOOSE, STRICT))

    everything = found.all
    assert (everything.takes, everything.kept_a, everything.kept_b) == (120, len(a), len(b))
    assert (everything.gained, everything.lost) == (len(b - a), len(a - b))
    assert everything.gained_s == sum(ROWS[n]["audio_s"] for n in b - a)
    assert everything.lost_s == sum(ROWS[n]["audio_s"] for n in a - b)


@pytest.mark.parametrize(("kind", "number"), [("voice", 2), ("language", 1), ("domain", 3)])
def test_every_grouping_adds_up_to_the_whole(found: Replay, kind: str, number: int) -> None:
    groups = found.of_kind(kind)

    assert len(groups) == number
    for figure in ("takes", "kept_a", "kept_b", "gained", "lost"):
        assert sum(getattr(group, figure) for group in groups) == getattr(found.all, figure)


def test_reasons_say_how_many_takes_they_alone_drop(catalog: Catalog) -> None:
    both = Policy({"wer": Threshold(max=0.3), "f0_sd_st": Threshold(min=2)})

    found = replay(catalog, (Policy(), both), Scope())

    dropped = [both.reasons(row) for row in ROWS]
    assert {r.policy for r in found.reasons} == {"b"}
    for reason in found.reasons:
        assert reason.takes == sum(reason.reason in reasons for reasons in dropped)
        assert reason.alone == sum(reasons == (reason.reason,) for reasons in dropped)


def test_means_and_medians_are_of_the_takes_that_are_kept(found: Replay) -> None:
    shift = next(s for s in found.shifts if s.figure == "f0_sd_st")
    a, b = ([ROWS[n]["f0_sd_st"] for n in range(len(ROWS)) if kept(policy, n)] for policy in (LOOSE, STRICT))

    assert shift.mean_a == pytest.approx(statistics.fmean(a))
    assert shift.difference == pytest.approx(statistics.fmean(b) - statistics.fmean(a))
    assert shift.low is not None
    assert shift.high is not None
    assert shift.low < shift.difference < shift.high
    assert shift.median_b is not None
    assert shift.median_b.value == pytest.approx(statistics.median(b))
    assert shift.median_b.low <= shift.median_b.value <= shift.median_b.high


def test_examples_change_sides_and_say_why(found: Replay) -> None:
    by_id = {content_id("take", row["text"]): n for n, row in enumerate(ROWS)}

    assert {example.side for example in found.examples} == {"gained", "lost"}
    for example in found.examples:
        n = by_id[example.take_id]
        assert (kept(LOOSE, n), kept(STRICT, n)) == ((False, True) if example.side == "gained" else (True, False))
        assert example.reasons
        assert example.text == ROWS[n]["text"]


def test_a_policy_held_against_itself_changes_nothing(catalog: Catalog) -> None:
    found = replay(catalog, (LOOSE, LOOSE), Scope())

    assert (found.all.gained, found.all.lost, found.examples) == (0, 0, ())
    assert {(s.difference, s.low, s.high) for s in found.shifts} == {(0.0, 0.0, 0.0)}


def test_a_policy_that_keeps_nothing_has_no_means(catalog: Catalog) -> None:
    found = replay(catalog, (LOOSE, Policy({"wer": Threshold(min=2)})), Scope())

    assert {(s.mean_b, s.difference, s.median_b) for s in found.shifts} == {(None, None, None)}


def test_nothing_is_written(corpus: Path, catalog: Catalog) -> None:
    before = catalog.lake.snapshot()

    replay(catalog, (LOOSE, STRICT), Scope())

    assert catalog.lake.snapshot() == before
    assert catalog.count("verdict") == 0


def test_a_scope_without_takes_is_said(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="has no such takes"):
        replay(catalog, (LOOSE, STRICT), Scope(job_id=content_id("job", "none")))


def test_only_numbers_can_be_compared(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="no metric has written a number 'transcript'"):
        replay(catalog, (LOOSE, STRICT), Scope(), figures=["transcript"])


VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=20)


def moments(values: list[float]) -> Moments:
    return Moments(len(values), float(np.mean(values)), float(np.var(values))) if values else Moments()


@settings(deadline=None)
@given(parts=st.lists(VALUES, min_size=1, max_size=4))
def test_moments_of_parts_pool_to_those_of_the_whole(parts: list[list[float]]) -> None:
    whole, found = moments([x for part in parts for x in part]), pooled([moments(part) for part in parts])

    assert found.count == whole.count
    assert found.mean == pytest.approx(whole.mean, abs=1e-9)
    assert found.variance == pytest.approx(whole.variance, abs=1e-9)


def test_an_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        both, only_a, only_b = rng.normal(0, 1, 200), rng.normal(0, 1, 60), rng.normal(1, 1, 100)
        found = difference(moments(both.tolist()), moments(only_a.tolist()), moments(only_b.tolist()))
        assert found is not None
        held += found[1] <= 1 / 3 <= found[2]

    assert 0.91 <= held / 400 <= 0.985


def test_the_interval_of_a_median_stays_among_the_values() -> None:
    assert median_quantiles(0) == (0.0, 0.5, 1.0)
    assert median_quantiles(1) == (0.0, 0.5, 1.0)
    low, middle, high = median_quantiles(10_000)
    assert (low, middle, high) == (pytest.approx(0.4902, abs=1e-4), 0.5, pytest.approx(0.5098, abs=1e-4))


def test_the_verbs_judge_and_diff(corpus: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    policies.register(app)
    copy, loose, strict = tmp_path / "copy", tmp_path / "loose.toml", tmp_path / "strict.toml"
    import shutil

    shutil.copytree(corpus, copy)
    loose.write_text('name = "loose"\n[thresholds]\nwer = { max = 0.6 }\n')
    strict.write_text('name = "strict"\n[thresholds]\nwer = { max_quantile = 0.25 }\n')
    run = CliRunner().invoke

    judged = json.loads(run(app, ["judge", "--policy", str(strict), "-c", str(copy), "--json"]).stdout)
    told = json.loads(run(app, ["diff", str(loose), "strict", "-c", str(copy), "--json"]).stdout)
    shown = run(app, ["diff", str(loose), "strict", "-c", str(copy)]).stdout

    assert (judged["takes"], judged["title"]) == (120, "strict")
    everything = next(group for group in told["groups"] if group["kind"] == "all")
    assert everything["kept_b"] == judged["kept"] == 30
    assert "A = loose, B = strict, over 120 takes" in shown
    assert isinstance(run(app, ["judge", "-c", str(copy)]).exception, UsageError)
