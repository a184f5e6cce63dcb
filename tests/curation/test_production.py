import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest

from catalogs.catalog import Catalog
from catalogs.errors import EngineError, ReleaseError
from catalogs.ingest import PromptSource
from catalogs.records import Line, MetricCard, Score, ScoreColumn, SetScore, VoiceCard
from catalogs.release import altered, releases
from curation.metric import Clip, Metric
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe, ReleaseConfig
from synthgen.casting import CastingConfig
from synthgen.voice import Reading, Voice
from synthgen.voices.tone import ToneConfig

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]

TABLES = (
    *("prompt", "voice", "line", "take", "shard", "job", "job_line", "round", "policy", "verdict"),
    *("release", "release_item", "score_chars", "failure", "metric"),
)
TEXTS = ["pay my bill", "what is my balance", "block my card", "good morning"]


@dataclass(frozen=True)
class WatchedVoice:
    """A tone that notes, by speaker, how often it is loaded and what it has read."""

    speaker: str
    loaded: ClassVar[Counter[str]] = Counter()
    read: ClassVar[dict[str, list[str]]] = defaultdict(list)

    def cards(self) -> tuple[VoiceCard, ...]:
        return self._tone().cards()

    def build(self) -> Voice:
        self.loaded[self.speaker] += 1
        return self

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        self.read[self.speaker] += [line.text for line in lines]
        return self._tone().build().speak(lines)

    def _tone(self) -> ToneConfig:
        return ToneConfig(speakers=(self.speaker,), duration_s_per_char=0.001)


@dataclass(frozen=True)
class WatchedMetric:
    """A family that notes when it is loaded, and what it has heard."""

    family: str
    version: str = "1"
    loaded: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def card(self) -> MetricCard:
        return MetricCard(
            self.family, self.version, (ScoreColumn(f"{self.family}_s", "DOUBLE", "s", "neither", "length"),)
        )

    def build(self) -> Metric:
        self.loaded.append(self.family)
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        self.heard.extend(clip.spoken for clip in clips)
        return [Score(clip.take_id, (len(clip.samples) / clip.sample_rate_hz,)) for clip in clips]


@dataclass(frozen=True)
class FaultyMetric:
    """A family that cannot hear a balance."""

    def card(self) -> MetricCard:
        return MetricCard("faulty", "1", (ScoreColumn("faulty_s", "DOUBLE", "s", "neither", "length"),))

    def build(self) -> Metric:
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        if any("balance" in clip.spoken for clip in clips):
            raise ArithmeticError("no such sound")
        return [Score(clip.take_id, (1.0,)) for clip in clips]


@dataclass(frozen=True)
class HealingMetric(FaultyMetric):
    """A faulty family that hears everything once it is healed."""

    healed: list[bool] = field(default_factory=list)

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [Score(clip.take_id, (1.0,)) for clip in clips] if self.healed else FaultyMetric.measure(self, clips)


@dataclass(frozen=True)
class MissingVoice:
    """A voice whose engine is not installed."""

    def cards(self) -> tuple[VoiceCard, ...]:
        return ToneConfig(speakers=("missing",)).cards()

    def build(self) -> Voice:
        raise EngineError("the engine is not installed: pip install engine")


def counts(catalog: Catalog) -> dict[str, int]:
    return {table: catalog.count(table) for table in TABLES}


@pytest.fixture
def voice(request: pytest.FixtureRequest) -> WatchedVoice:
    return WatchedVoice(request.node.name)


def test_a_job_goes_from_text_to_release(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = make_recipe(TEXTS, name="calls", policy=Policy({"num_chars": Threshold(max=15)}))

    summary = produce(recipe).run()

    assert (summary.lines, summary.takes, summary.kept, summary.failed) == (4, 4, 3, 0)
    assert 0 < summary.kept_s < summary.audio_s
    assert summary.release is not None
    assert (summary.release.name, summary.release.num_takes) == ("calls", 3)
    assert summary.text().splitlines()[1] == "kept 3 (75%) (0.00 h)"


def test_a_release_is_described_once(catalog: Catalog, make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = make_recipe([f"block card number {number}" for number in range(24)], name="cards")

    first = produce(recipe).run().release
    assert first is not None
    catalog.add([SetScore(first.id, "", "alpha", "1/of-erosion", 1.0, 24, 1.0, 1.0)])
    again = produce(recipe).run().release

    rows = catalog.lake.rows(
        "SELECT set_id::VARCHAR, metric, num_items FROM set_score WHERE metric <> 'alpha' ORDER BY metric"
    )
    assert rows == [(first.id, metric, 24) for metric in ("coverage", "effective_voices", "evenness")]
    assert again == first


def test_the_same_command_again_has_nothing_to_do(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, voice: WatchedVoice
) -> None:
    recipe = make_recipe(TEXTS, voices=(voice,))
    first = produce(recipe).run()
    before, runs = counts(catalog), catalog.count("run")

    again = produce(recipe).run()

    assert again == first
    assert counts(catalog) == before
    assert catalog.count("run") == runs + 1
    assert voice.loaded[voice.speaker] == 1


def test_lines_that_two_jobs_share_are_recorded_and_measured_once(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, voice: WatchedVoice
) -> None:
    metric = WatchedMetric("shared")
    first = make_recipe(TEXTS[:3], name="first", voices=(voice,), metrics=(metric,))
    second = make_recipe(TEXTS[1:], name="second", voices=(voice,), metrics=(metric,))
    produce(first).run()

    summary = produce(second).run()

    assert sorted(voice.read[voice.speaker]) == sorted(TEXTS)
    assert sorted(metric.heard) == sorted(TEXTS)
    assert (summary.lines, summary.takes, summary.kept) == (3, 3, 3)
    assert summary.release is not None
    assert summary.release.num_takes == 3


def test_a_metric_that_comes_later_hears_the_takes_that_are_there(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, voice: WatchedVoice
) -> None:
    known, new = WatchedMetric("known"), WatchedMetric("new")
    recipe = make_recipe(TEXTS, voices=(voice,), metrics=(known,))
    produce(recipe).run()

    produce(replace(recipe, name="more", metrics=(known, new))).run()

    assert voice.loaded[voice.speaker] == 1
    assert (len(known.heard), sorted(new.heard)) == (4, sorted(TEXTS))
    sql = "SELECT known_s, new_s FROM takes WHERE speaker = $speaker ORDER BY take_id"
    figures = catalog.lake.rows(sql, speaker=voice.speaker)
    assert len(figures) == 4
    assert all(known_s == new_s for known_s, new_s in figures)


def test_a_new_version_of_a_metric_hears_everything_again(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, voice: WatchedVoice
) -> None:
    old, new = WatchedMetric("pitch", version="1"), WatchedMetric("pitch", version="2")
    recipe = make_recipe(TEXTS, voices=(voice,), metrics=(old,))
    produce(recipe).run()

    produce(replace(recipe, name="anew", metrics=(new,))).run()

    assert len(new.heard) == 4
    assert catalog.lake.rows("SELECT version, count(*) FROM score_pitch GROUP BY version ORDER BY version") == [
        ("1", 4),
        ("2", 4),
    ]


def test_a_new_policy_loads_no_model(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, voice: WatchedVoice
) -> None:
    metric = WatchedMetric("judged")
    recipe = make_recipe(TEXTS, voices=(voice,), metrics=(metric,))
    produce(recipe).run()
    stricter = replace(recipe, policy=Policy({"judged_s": Threshold(max=0.012)}), release=ReleaseConfig(name="strict"))

    summary = produce(stricter).run()

    assert voice.loaded[voice.speaker] == len(metric.loaded) == 1
    assert (summary.takes, summary.kept) == (4, 2)
    assert summary.release is not None
    assert summary.release.num_takes == 2


def test_other_takes_do_not_go_under_the_name_of_a_release(make_recipe: MakeRecipe, produce: Produce) -> None:
    recipe = make_recipe(TEXTS)
    produce(recipe).run()

    with pytest.raises(ReleaseError, match="a release never changes"):
        produce(replace(recipe, policy=Policy({"num_chars": Threshold(max=12)}))).run()


def test_a_job_that_keeps_nothing_says_so_and_keeps_its_takes(make_recipe: MakeRecipe, produce: Produce) -> None:
    production = produce(make_recipe(TEXTS, policy=Policy({"num_chars": Threshold(min=1000)})))

    with pytest.raises(ReleaseError, match=r"keeps none of 4 takes: num_chars < 1000 \(4\)"):
        production.run()

    summary = production.summary()
    assert (summary.takes, summary.kept, summary.release) == (4, 0, None)


def test_a_clip_that_a_metric_cannot_hear_is_a_failure_and_the_others_go_on(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    recipe = make_recipe(TEXTS, metrics=(*make_recipe(TEXTS).metrics, FaultyMetric()))

    summary = produce(recipe).run()
    produce(recipe).run()

    sql = "SELECT error, message, count(*) FROM failure WHERE stage = 'measure:faulty' GROUP BY ALL"
    assert catalog.lake.rows(sql) == [("ArithmeticError", "no such sound", 1)]
    assert catalog.count("score_faulty") == 3
    assert summary.takes == 4


def test_a_take_that_is_measured_after_a_retry_is_judged_by_its_score(
    tmp_path: Path, make_recipe: MakeRecipe, produce: Produce
) -> None:
    metric = HealingMetric()
    recipe = make_recipe(TEXTS, metrics=(metric,), policy=Policy({"faulty_s": Threshold(max=2.0)}))
    with Catalog.create(tmp_path / "healing") as corpus:
        first = produce(recipe, corpus=corpus).run()
        metric.healed.append(True)
        assert corpus.reopen(reason="ArithmeticError") == 1

        later = replace(recipe, release=ReleaseConfig(name="healed"))
        produce(later, corpus=corpus).run()
        again = produce(later, corpus=corpus).run()

        assert (first.kept, again.kept) == (3, 4)
        assert [release.num_takes for release in releases(corpus)] == [3, 4]
        assert corpus.count("verdict") == 4
        assert altered(corpus) == []


def test_a_voice_that_is_not_to_be_had_stops_the_job_and_keeps_the_plan(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    production = produce(make_recipe(TEXTS, voices=(MissingVoice(),)))

    with pytest.raises(EngineError, match="pip install engine"):
        production.run()

    summary = production.summary()
    assert (summary.lines, summary.takes, summary.failed) == (4, 0, 0)


def test_takes_of_several_temperatures_belong_to_one_release(make_recipe: MakeRecipe, produce: Produce) -> None:
    casting = CastingConfig(temperatures={"*": (0.5, 1.0)}, takes=2)

    summary = produce(make_recipe(TEXTS[:1], casting=casting)).run()

    assert (summary.lines, summary.takes) == (4, 4)
    assert summary.release is not None
    assert summary.release.num_takes == 4


def test_a_corrected_split_is_followed_and_told(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce, tmp_path: Path
) -> None:
    def labelled(name: str, **labels: str) -> Recipe:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"text": f"{word} labels"} | labels) + "\n" for word in ("one", "two")))
        return make_recipe([], name=name, prompts=(PromptSource(str(path)),))

    first = produce(labelled("as-train", split="train", intent="count")).run()
    second = produce(labelled("as-test", split="test", intent="count")).run()
    third = produce(labelled("as-other", split="test", intent="other")).run()

    assert (first.trouble, first.release is not None) == (None, True)
    assert second.trouble == third.trouble == "2 texts stored with another split or other labels"
    sql = "SELECT DISTINCT split, intent FROM takes WHERE text LIKE '% labels'"
    assert catalog.lake.rows(sql) == [("test", "count")]
    members = (
        "SELECT DISTINCT release.name, split FROM release_item JOIN release ON id = release_id WHERE name LIKE 'as-%'"
    )
    assert sorted(catalog.lake.rows(members)) == [("as-other", "test"), ("as-test", "test"), ("as-train", "train")]
    told = catalog.lake.rows("SELECT message FROM failure WHERE error = 'other-labels' ORDER BY message")
    assert len(told) == 2
    assert all("stored with intent 'count', not 'other'" in message for (message,) in told)
