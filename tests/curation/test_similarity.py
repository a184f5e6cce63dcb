"""The reference of a voice is the same whoever judges, plans or is killed on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.ids import seed_of
from catalogs.records import Line, MetricCard, Score, ScoreColumn, VoiceCard
from curation.metric import Metric
from curation.planning import plan_job
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from curation.similarity import REFERENCE_TAKES
from synthgen.voice import Reading, Voice
from synthgen.voices.tone import ToneConfig

MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]

TEXTS = [f"call {first}{second}" for first in "abcdef" for second in "klmnopqrst"]
LIKE_ITSELF = Policy({"speaker_similarity": Threshold(min=0.25)})
TONES = ToneConfig(speakers=("ann", "bob"), duration_s_per_char=0.001)
TABLES = ("release_item", "voice_reference", "score_similarity", "verdict")


class Killed(BaseException):
    """What a killed process does not live to see."""


@dataclass(frozen=True)
class EmbeddingMetric:
    """A speaker family without a model: four numbers that a text decides; some it fails on."""

    fails: tuple[str, ...] = ()

    def card(self) -> MetricCard:
        return MetricCard("speaker", "1", (ScoreColumn("speaker_embedding", "FLOAT[]", "", "neither", "voice"),))

    def build(self) -> Metric:
        return self

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        if any(clip.text in self.fails for clip in clips):
            raise ArithmeticError("no such sound")
        return [Score(clip.take_id, (embedding(clip.text),)) for clip in clips]


@dataclass(frozen=True)
class FrailVoice:
    """Two tones that cannot read some texts, and die at others as long as they are frail."""

    fails: tuple[str, ...] = ()
    dies_at: tuple[str, ...] = ()
    is_frail: ClassVar[bool] = False

    def cards(self) -> tuple[VoiceCard, ...]:
        return TONES.cards()

    def build(self) -> Voice:
        return self

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        if self.is_frail and any(line.text in self.dies_at for line in lines):
            raise Killed
        if any(line.text in self.fails for line in lines):
            raise ArithmeticError("no voice")
        return TONES.build().speak(lines)


def embedding(text: str) -> tuple[float, ...]:
    return tuple(float(x) for x in np.random.default_rng(seed_of(text)).normal(0.3, 1.0, 4))


def reference(texts: Sequence[str]) -> tuple[float, ...]:
    """The mean of the embeddings of these texts, of length 1."""
    mean = np.mean([np.float32(embedding(text)) for text in texts], axis=0)
    return tuple(mean / np.linalg.norm(mean))


def references(corpus: Catalog) -> list[tuple[int, tuple[float, ...]]]:
    """How many takes the reference of each voice was made of, and what it is."""
    return [(n, tuple(mean)) for n, mean in corpus.lake.rows("SELECT num_takes, embedding FROM voice_reference")]


def stored(corpus: Catalog) -> list[list[tuple[Any, ...]]]:
    """Everything that the order of work might change."""
    return [corpus.lake.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES]


@pytest.fixture
def recipe(make_recipe: MakeRecipe) -> Recipe:
    """A job of 120 lines, which its two voices read in turn; they are kept by their similarity."""
    voice = FrailVoice(dies_at=(TEXTS[12],))
    return make_recipe(TEXTS, name="calls", voices=(voice,), metrics=(EmbeddingMetric(),), policy=LIKE_ITSELF)


@pytest.fixture
def alone(recipe: Recipe, produce: Produce, tmp_path: Path) -> list[list[tuple[Any, ...]]]:
    """What a job comes to that nothing interrupts."""
    with Catalog.create(tmp_path / "alone") as corpus:
        summary = produce(recipe, corpus=corpus).run()
        assert 0 < summary.kept < summary.takes == 2 * len(TEXTS)
        return stored(corpus)


def test_a_reference_is_the_mean_of_the_first_takes(recipe: Recipe, produce: Produce, tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as corpus:
        produce(recipe, corpus=corpus).run()

        for count, mean in references(corpus):
            assert count == REFERENCE_TAKES
            assert mean == pytest.approx(reference(TEXTS[:REFERENCE_TAKES]), abs=1e-6)


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_plan_does_not_change_the_release(
    recipe: Recipe, produce: Produce, tmp_path: Path, alone: object, batches: int
) -> None:
    with Catalog.create(tmp_path / "planned") as corpus:
        plan = plan_job(produce(recipe, corpus=corpus), pilot_batches=batches)
        assert references(corpus) == []
        assert plan.pilot_takes == 16 * (1 + batches)

        produce(recipe, corpus=corpus).run()

        assert stored(corpus) == alone


def test_a_plan_expects_what_the_similarity_of_its_pilot_tells(
    recipe: Recipe, produce: Produce, tmp_path: Path
) -> None:
    with Catalog.create(tmp_path / "planned") as corpus:
        plan = plan_job(produce(recipe, corpus=corpus), pilot_batches=1)

    assert 0 < plan.kept_s.mean < plan.audio_s.mean


def test_a_killed_job_that_is_judged_half_way_comes_to_the_same(
    recipe: Recipe, produce: Produce, tmp_path: Path, alone: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalog.create(tmp_path / "killed") as corpus:
        with monkeypatch.context() as patch:
            patch.setattr(FrailVoice, "is_frail", True)
            with pytest.raises(Killed):
                produce(recipe, corpus=corpus).run()
        half = produce(recipe, corpus=corpus)
        half.prepare()
        half.judge()
        assert 0 < half.summary().takes < REFERENCE_TAKES
        assert references(corpus) == []
        assert corpus.lake.rows("SELECT DISTINCT reasons FROM verdict") == [(["speaker_similarity missing"],)]

        produce(recipe, corpus=corpus).run()

        assert stored(corpus) == alone


def test_what_has_failed_is_not_waited_for(recipe: Recipe, produce: Produce, tmp_path: Path) -> None:
    faulty = replace(
        recipe, voices=(FrailVoice(fails=(TEXTS[3],)),), metrics=(EmbeddingMetric(fails=(TEXTS[5], TEXTS[30])),)
    )
    with Catalog.create(tmp_path / "faulty") as corpus:
        produce(faulty, corpus=corpus).run()

        first = [text for text in TEXTS if text not in {TEXTS[3], TEXTS[5]}][:REFERENCE_TAKES]
        for count, mean in references(corpus):
            assert count == REFERENCE_TAKES
            assert mean == pytest.approx(reference(first), abs=1e-6)


def test_a_voice_of_few_lines_has_a_reference_of_all_of_them(
    recipe: Recipe, make_recipe: MakeRecipe, produce: Produce, tmp_path: Path
) -> None:
    few = replace(recipe, prompts=make_recipe(TEXTS[:5]).prompts)
    with Catalog.create(tmp_path / "few") as corpus:
        produce(few, corpus=corpus).run()

        assert [count for count, _ in references(corpus)] == [5, 5]
