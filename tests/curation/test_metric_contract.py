"""What every metric family keeps to; a family that is registered is tested."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from catalogs.clip import Clip
from catalogs.config import load_registered, registered
from catalogs.records import Score
from catalogs.signal import resample
from curation.metric import Metric, MetricConfig
from curation.metrics.quality import QualityConfig
from curation.metrics.words import WordsConfig

GROUP = "synthgen.metrics"
FASTER: dict[str, MetricConfig] = {"words": WordsConfig(model="tiny_en"), "quality": QualityConfig(windows=1)}
PYTHON_TYPES = {"DOUBLE": float, "INTEGER": int, "BOOLEAN": bool, "VARCHAR": str} | dict.fromkeys(
    ("FLOAT[]", "INTEGER[]", "VARCHAR[]"), tuple
)
RATE_HZ = 16_000
NOT_MEASURED = {"timer_id"}
"""Columns that another command fills: `synthgen time`."""
CODES = (0, 0, 0, 0, 0, 3, 1, 4)


@cache
def built(family: str) -> Metric:
    return config_of(family).build()


def config_of(family: str) -> MetricConfig:
    return FASTER.get(family) or load_registered(GROUP, family, source="test")()


def silence(length_s: float) -> NDArray[np.float32]:
    return np.zeros(int(length_s * RATE_HZ), np.float32)


def noise(length_s: float, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, int(length_s * RATE_HZ)).astype(np.float32)


@pytest.fixture(scope="module")
def speech(say) -> Clip:
    return replace(say("Please turn on the light in the kitchen."), codes=CODES)


@pytest.fixture(scope="module")
def odd_clips(make_clip, speech) -> list[Clip]:
    """Clips that break careless code."""
    tone = np.sin(2 * np.pi * 220 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    return [
        make_clip(silence(0)),
        make_clip(silence(0.01)),
        make_clip(silence(1)),
        make_clip(noise(0.01, seed=1)),
        make_clip(noise(1, seed=2)),
        make_clip(tone),
        make_clip(np.sign(tone)),
        make_clip(np.full(RATE_HZ, 0.5, np.float32)),
        make_clip(noise(0.5, seed=3)[:1]),
        replace(speech, text="", spoken="", _resampled={}),
        replace(speech, language="tlh", _resampled={}),
        replace(speech, codes=(), _resampled={}),
        replace(speech, codes=None, _resampled={}),
    ]


@pytest.mark.parametrize("family", registered(GROUP))
def test_a_score_has_the_types_of_the_columns_and_no_nan(family, speech, odd_clips) -> None:
    columns = config_of(family).card().columns

    scores = built(family).measure([speech, *odd_clips])

    assert [score.take_id for score in scores] == [clip.take_id for clip in [speech, *odd_clips]]
    for score in scores:
        assert len(score.values) == len(columns)
        for column, value in zip(columns, score.values, strict=True):
            assert value is None or type(value) is PYTHON_TYPES[column.type], (column.name, value)
            assert not isinstance(value, float) or math.isfinite(value), (column.name, value)


@pytest.mark.parametrize("family", registered(GROUP))
def test_every_figure_exists_for_ordinary_speech(family, say) -> None:
    said = say("Please turn on the light in the kitchen. Then close the door, and come back to me.")
    clip = replace(said, codes=CODES)

    (score,) = built(family).measure([clip])

    missing = [
        column.name
        for column, value in zip(config_of(family).card().columns, score.values, strict=True)
        if value is None and column.name not in NOT_MEASURED
    ]
    assert missing == []


@pytest.mark.parametrize("family", registered(GROUP))
def test_a_score_does_not_depend_on_the_batch(family, speech, say, odd_clips) -> None:
    clips = [speech, odd_clips[4], say("Good morning."), odd_clips[2]]

    together = built(family).measure(clips)
    backwards = built(family).measure(clips[::-1])[::-1]
    alone = [built(family).measure([clip])[0] for clip in clips]

    for score, turned, single in zip(together, backwards, alone, strict=True):
        assert close(score, single)
        assert close(score, turned)


@pytest.mark.parametrize("family", registered(GROUP))
def test_measuring_twice_gives_the_same_bits(family, speech) -> None:
    again = config_of(family).build()

    assert again.measure([speech]) == built(family).measure([speech])


@pytest.mark.parametrize("family", registered(GROUP))
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 48_000])
def test_a_clip_may_have_any_sampling_rate(family, rate_hz, make_clip, speech) -> None:
    samples = resample(speech.samples, from_hz=speech.sample_rate_hz, to_hz=rate_hz)

    clip = replace(make_clip(samples, rate_hz=rate_hz, text=speech.text), codes=CODES)
    (score,) = built(family).measure([clip])

    assert any(value is not None for value in score.values)


@pytest.mark.parametrize("family", registered(GROUP))
def test_no_clips_have_no_scores(family) -> None:
    assert built(family).measure([]) == []


@pytest.mark.parametrize("family", registered(GROUP))
def test_a_card_says_what_every_column_is(family) -> None:
    card = config_of(family).card()

    assert card.family == family
    assert card == config_of(family).card()
    assert len({column.name for column in card.columns}) == len(card.columns)
    assert all(column.meaning for column in card.columns)


def test_no_two_families_write_the_same_column() -> None:
    names = [column.name for family in registered(GROUP) for column in config_of(family).card().columns]

    assert len(set(names)) == len(names)


def close(one: Score, other: Score) -> bool:
    """Equal, floats to 1e-4."""
    return all(
        a == b or (isinstance(a, float | tuple) and np.allclose(a, b, rtol=0, atol=1e-4))
        for a, b in zip(one.values, other.values, strict=True)
    )
