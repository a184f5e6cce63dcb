"""Word times that a voice itself gave: kept with its takes, used by `timing`, and held against a forced search."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.records import Line, WordTime
from catalogs.signal import resample
from curation.metrics.timing import Timing, TimingConfig, TimingMetric
from curation.production import Production
from curation.recipe import Recipe
from curation.recogniser import RATE_HZ
from synthgen.voice import VoiceConfig
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.kokoro import KokoroConfig
from synthgen.voices.piper import PiperConfig

TEXTS = (
    "Please put it in the box at the end of the room.",
    "My A-T-M card costs twenty-five dollars, he said.",
    "Close the door for the night.",
)
GERMAN = ("Schalte bitte das Licht in der Küche ein.", "Wie geht's dir?")
TIMES = (WordTime(0.25, 0.5), WordTime(0.5, 1.0))


@pytest.fixture(scope="module")
def metric() -> TimingMetric:
    pytest.importorskip("hama")
    return TimingConfig().build()


@pytest.fixture(scope="module")
def measured(metric: TimingMetric) -> Callable[[Clip], Timing]:
    return lambda clip: Timing(*metric.measure([clip])[0].values)


@pytest.fixture
def hello(make_clip: Callable[..., Clip]) -> Clip:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE_HZ)
    return replace(make_clip(noise, text="hello, you"), word_times=TIMES)


@pytest.mark.parametrize("language", ["en", "de", "lo"])
def test_a_voices_own_times_are_taken_in_any_language(measured, hello: Clip, language: str) -> None:
    assert measured(replace(hello, language=language)) == Timing(
        is_timed=True,
        timed_words=("hello,", "you"),
        word_starts_s=(0.25, 0.5),
        word_ends_s=(0.5, 1.0),
        word_confidences=(0.0, 0.0),
        least_word_confidence=0.0,
        timed_by="voice",
    )


def test_times_of_other_words_are_not_taken(measured, hello: Clip) -> None:
    assert measured(replace(hello, spoken="hello you two", language="de")) == Timing()
    assert measured(replace(hello, word_times=None, language="de")) == Timing()


@pytest.mark.parametrize("config", [EspeakConfig(), PiperConfig(), KokoroConfig()], ids=lambda config: config.engine)
def test_voices_say_when_a_forced_search_finds_their_words(metric, measured, make_clip, config: VoiceConfig) -> None:
    voice, card = config.build(), config.cards()[0]
    starts_s, ends_s = [], []

    for text in TEXTS:
        reading = voice.speak([Line.new(prompt_id="p", voice_id=card.id, text=text, normaliser="none", seed=3)])[0]
        wave = resample(reading.samples, from_hz=reading.sample_rate_hz, to_hz=RATE_HZ)
        found = measured(make_clip(wave, text=text))
        if found.is_timed:  # a forced search does not find its way through every synthetic voice
            starts_s += np.subtract([time.start_s for time in reading.word_times or ()], found.word_starts_s).tolist()
            ends_s += np.subtract([time.end_s for time in reading.word_times or ()], found.word_ends_s).tolist()

    assert len(starts_s) > 13
    assert np.median(np.abs(starts_s)) < 0.03
    assert np.median(np.abs(ends_s)) < 0.03
    assert np.quantile(np.abs(starts_s), 0.9) < 0.1


@pytest.fixture
def german(make_recipe: Callable[..., Recipe]) -> Recipe:
    recipe = make_recipe(GERMAN, name="deutsch", voices=(EspeakConfig(speakers=("de",)),), metrics=(TimingConfig(),))
    return replace(recipe, prompts=(replace(recipe.prompts[0], language="de"),))


def timings(catalog: Catalog) -> list[tuple[object, ...]]:
    columns = "spoken, timed_by, timed_words, word_starts_s, word_ends_s"
    return [tuple(row) for row in catalog.lake.rows(f"SELECT {columns} FROM takes ORDER BY spoken")]


def test_german_takes_are_timed_on_arrival_and_when_they_are_measured_later(
    german: Recipe, produce: Callable[..., Production], tmp_path: Path
) -> None:
    pytest.importorskip("hama")
    with Catalog.create(tmp_path / "arrival") as catalog:
        produce(german, corpus=catalog).run()
        wanted = timings(catalog)
    with Catalog.create(tmp_path / "later") as catalog:
        produce(replace(german, metrics=()), corpus=catalog).run()
        produce(german, corpus=catalog).run()

        assert timings(catalog) == wanted
    assert [(by, len(words)) for _, by, words, *_ in wanted] == [("voice", 8), ("voice", 3)]


def test_a_killed_job_keeps_the_word_times_of_an_undisturbed_one(
    german: Recipe, produce: Callable[..., Production], tmp_path: Path, rows_of, killed_at_insert
) -> None:
    with Catalog.create(tmp_path / "undisturbed") as catalog:
        produce(replace(german, metrics=()), corpus=catalog).run()
        rows = rows_of(catalog)
    with Catalog.create(tmp_path / "killed") as catalog:
        for number in (4, 7, 10):
            with killed_at_insert(number):
                produce(replace(german, metrics=()), corpus=catalog).run()
        produce(replace(german, metrics=()), corpus=catalog).run()

        assert rows_of(catalog)["take"] == rows["take"]
    assert all("start_s" in row for row in rows["take"])


def test_a_corpus_of_schema_8_has_takes_without_word_times(
    german: Recipe, produce: Callable[..., Production], tmp_path: Path
) -> None:
    pytest.importorskip("hama")
    with Catalog.create(tmp_path / "old") as catalog:
        produce(replace(german, metrics=()), corpus=catalog).run()
        catalog.lake.run("ALTER TABLE take DROP COLUMN word_times")
        catalog.lake.run("DELETE FROM migration WHERE version >= 9")

    with Catalog.create(tmp_path / "old") as catalog:
        produce(german, corpus=catalog).run()

        assert catalog.count("take") == len(GERMAN)
        assert [row[1:] for row in timings(catalog)] == [(None, None, None, None)] * len(GERMAN)
