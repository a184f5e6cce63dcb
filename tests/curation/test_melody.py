"""The families `contours` and `melody`: of waves whose melody is known, and of a job beside real takes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.clip import Clip
from catalogs.ids import content_id
from catalogs.ingest.speech import human_voice
from catalogs.records import Line, Prompt, Take
from curation.melody import Contour, Melody, melody
from curation.metrics.contours import CEPSTRA, Contours, ContoursConfig
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from curation.sets.summary import set_figures
from curation.sets.watched import takes_of_job
from synthgen.voices.tone import ToneConfig

MakeClip = Callable[..., Clip]
MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]

SIZES, DRINKS = ("large", "small", "hot", "cold", "good"), ("tea", "milk", "soup", "beer")
TEXTS = [f"a {size} {drink}" for size in SIZES for drink in DRINKS]
VOICES = ToneConfig(speakers=("singer",), duration_s_per_char=0.1)


def reading(pitch_st: Sequence[float], *, middle_hz: float = 120.0, seed: int = 0) -> Contour:
    """A reading with this melody, one frame for each number; what is said in a frame is drawn, or given by the seed."""
    sounds = np.random.default_rng(seed).normal(0, 1, (len(pitch_st), CEPSTRA)).cumsum(axis=0)
    return Contour(middle_hz * np.exp2(np.array(pitch_st, np.float64) / 12), sounds)


def slower(given: Contour, times: int) -> Contour:
    return Contour(given.pitch_hz.repeat(times), given.cepstra.repeat(times, axis=0))


MELODIES = st.lists(st.floats(-5, 5), min_size=30, max_size=60).filter(lambda steps: np.std(steps) > 0.1)


@given(pitch_st=MELODIES, middle_hz=st.floats(80, 300), times=st.integers(1, 3))
def test_who_reads_and_how_fast_does_not_matter(pitch_st: list[float], middle_hz: float, times: int) -> None:
    found = melody(slower(reading(pitch_st, middle_hz=middle_hz), times), reading(pitch_st))

    assert found.f0_correlation == pytest.approx(1)
    assert found.f0_rmse_st == pytest.approx(0, abs=1e-6)


def test_a_flat_reading_follows_and_is_far_and_a_contrary_one_does_not() -> None:
    swing = 4 * np.sin(np.arange(60) / 5)

    flat, contrary = (melody(reading(swing * by), reading(swing)) for by in (0.5, -1.0))

    apart = 0.5 * (swing - np.median(swing))
    assert flat == Melody(pytest.approx(1), pytest.approx(np.sqrt(np.square(apart).mean())))
    assert contrary.f0_correlation == pytest.approx(-1)
    assert melody(reading(swing * 0), reading(swing)).f0_correlation is None


def test_an_octave_is_an_error_of_the_tracker() -> None:
    swing = 2 * np.sin(np.arange(60) / 5)
    jumping = swing + 24.0 * (np.arange(60) % 10 == 3)

    assert melody(reading(jumping), reading(swing)).f0_rmse_st == pytest.approx(0, abs=1e-6)


def test_what_is_hardly_voiced_has_no_melody() -> None:
    swing = 4 * np.sin(np.arange(60) / 5)
    whispered = reading(swing)
    whispered.pitch_hz[14:] = 0

    assert melody(whispered, reading(swing)) == Melody()


def contours(clip: Clip) -> Contours:
    (score,) = ContoursConfig().build().measure([clip])
    return Contours(*score.values)  # type: ignore[arg-type]  # the values are those of its columns


def hummed(start_hz: float, end_hz: float, *, length_s: float = 1.0) -> NDArray[np.float32]:
    phase = 2 * np.pi * np.cumsum(np.geomspace(start_hz, end_hz, int(length_s * 16_000))) / 16_000
    return (0.05 * sum(np.sin(k * phase) / k for k in range(1, 15))).astype(np.float32)


def test_contours_go_from_the_first_sound_to_the_last(make_clip: MakeClip) -> None:
    silence = np.zeros(8_000, np.float32)
    rising = contours(make_clip(np.concatenate([silence, hummed(100, 200), silence])))

    pitch = np.array(rising.pitch_track_hz)
    assert len(pitch) == pytest.approx(50, abs=3)
    assert len(rising.cepstra_track or ()) == CEPSTRA * len(pitch)
    assert pitch[5] == pytest.approx(100 * 2 ** (5 / 50), rel=0.05)
    assert (np.diff(pitch[3:-3]) > 0).all()


def test_silence_noise_and_a_moment_have_no_contours(make_clip: MakeClip) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)

    for wave in (np.zeros(0, np.float32), np.zeros(16_000, np.float32), noise, hummed(100, 200, length_s=0.2)):
        assert contours(make_clip(wave)) == Contours()


def sung(catalog: Catalog, text: str, seed: int, make_clip: MakeClip) -> None:
    """Add a real take of a text that has the contours of a lively reading."""
    human = human_voice("anna", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="given")
    prompt = Prompt(Prompt.id_of(text, "en"), text, "en")
    line = Line.new(
        prompt_id=prompt.id, voice_id=VOICES.cards()[0].id, text=text, normaliser="none", temperature=1.0, seed=seed
    )
    clip = make_clip(VOICES.build().speak([line])[0].samples, text=text)
    catalog.add([prompt])
    catalog.add([human])
    take_id, samples = content_id("take", text, seed), len(clip.samples)
    made = Take(take_id, None, prompt.id, human.id, "real", "s", 0, 1, take_id, 16_000, samples)
    card = ContoursConfig().card()
    takes.declare(catalog.lake, [card])
    (score,) = ContoursConfig().build().measure([replace(clip, take_id=take_id)])
    catalog.commit(Done(takes=[made], scores={card: [score]}))


def test_a_job_is_held_against_real_readings_of_its_texts_when_there_are_any(
    tmp_path: Path, make_recipe: MakeRecipe, produce: Produce, make_clip: MakeClip
) -> None:
    policy = Policy({"f0_correlation": Threshold(min=-1.0)})
    changes: dict[str, Any] = {"voices": (VOICES,), "metrics": (ContoursConfig(),), "policy": policy}
    recipe = make_recipe(TEXTS, **changes)
    with Catalog.create(tmp_path / "corpus") as catalog:
        for text in TEXTS[1:]:
            sung(catalog, text, seed=1, make_clip=make_clip)
        production = produce(recipe, corpus=catalog)

        first = production.run()
        before = figures(catalog)
        sung(catalog, TEXTS[0], seed=1, make_clip=make_clip)
        production.judge()
        described = set_figures(takes_of_job(catalog, recipe.job_id))

        assert (first.kept, len(production.kept())) == (len(TEXTS) - 1, len(TEXTS))
        assert len(before) == len(TEXTS) - 1
        assert set(before) < set(figures(catalog))
    assert all(-1 <= correlation <= 1 and rmse_st >= 0 for _, correlation, rmse_st in before)
    assert described["f0_correlation"].num_items == described["f0_rmse_st"].num_items == len(TEXTS)


def figures(catalog: Catalog) -> list[tuple[str, float, float]]:
    return catalog.lake.rows(
        "SELECT take_id::VARCHAR, f0_correlation, f0_rmse_st FROM takes WHERE f0_correlation IS NOT NULL ORDER BY 1"
    )


def test_of_several_real_readings_it_is_the_one_nearest_in_length(
    tmp_path: Path, make_recipe: MakeRecipe, produce: Produce, make_clip: MakeClip
) -> None:
    recipe = make_recipe(["a large tea"], voices=(VOICES,), metrics=(ContoursConfig(),))
    found = []
    for longer in (False, True):
        with Catalog.create(tmp_path / f"{longer}") as catalog:
            sung(catalog, "a large tea", seed=1, make_clip=make_clip)
            if longer:
                sung(catalog, "a large tea", seed=2, make_clip=make_clip)
                other = content_id("take", "a large tea", 2)
                catalog.lake.run("UPDATE take SET num_samples = 99000 WHERE id = $id::UUID", id=other)
            produce(recipe, corpus=catalog).run()
            found.append(figures(catalog))

    assert found[0] == found[1]
    assert len(found[0]) == 1
