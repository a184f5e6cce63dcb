"""Whether judging prefers flat readings: the interval that the report's advice rests on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from catalogs.catalog import Catalog
from curation.report.findings import SpreadLost
from curation.report.gathering import spread_lost

TEXTS = 60


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Catalog.create(tmp_path_factory.mktemp("spread") / "corpus") as made:
        yield made


def of_pool(catalog: Catalog, pool: Mapping[str, NDArray[Any]]) -> SpreadLost | None:
    """Of takes laid out as a report does: columns prompt_id, voice, state and f0_sd_st."""
    held = ", ".join(f"unnest(${name}) AS {name}" for name in pool)
    sql = f"CREATE OR REPLACE TEMP TABLE pool AS SELECT {held}"
    catalog.lake.rows(sql, **{name: values.tolist() for name, values in pool.items()})
    return spread_lost(catalog)


def pool_of(seed: int, *, dropped: float, livelier_st: float = 0.0, other_voice_st: float = 0.0) -> dict[str, Any]:
    """Two voices read each text twice; a text moves the pitch of all its takes, and they are dropped together.

    A lively voice has fewer of its takes kept.
    """
    random = np.random.default_rng(seed)
    text, voice = np.repeat(np.arange(TEXTS), 4), np.tile([0, 0, 1, 1], TEXTS)
    spared = (voice == 0) & (random.random(4 * TEXTS) < 0.7) & (other_voice_st > 0)
    is_dropped = np.repeat(random.random(TEXTS) < dropped, 4) & ~spared
    spread_st = 3.0 + random.normal(0, 0.6, TEXTS)[text] + random.normal(0, 0.3, 4 * TEXTS)
    return {
        "prompt_id": text.astype(str),
        "voice": voice.astype(str),
        "state": np.where(is_dropped, "dropped", "kept"),
        "f0_sd_st": spread_st + livelier_st * is_dropped + other_voice_st * voice,
    }


def share_told(catalog: Catalog, **of: float) -> float:
    """Of a hundred pools, those whose interval leaves 0 out."""
    found = [of_pool(catalog, pool_of(seed, **of)) for seed in range(100)]
    return sum(lost is not None and lost.low_st > 0 for lost in found) / len(found)


@pytest.mark.parametrize("dropped", [0.12, 0.5])
def test_chance_seldom_looks_like_a_preference_for_flat_readings(catalog, dropped) -> None:
    assert share_told(catalog, dropped=dropped) <= 0.06


def test_a_livelier_voice_that_is_dropped_more_is_none(catalog) -> None:
    assert share_told(catalog, dropped=0.5, other_voice_st=1.5) <= 0.06


def test_judging_that_drops_livelier_readings_is_found_out(catalog) -> None:
    assert share_told(catalog, dropped=0.3, livelier_st=0.8) >= 0.9


def test_it_is_a_regression_with_the_error_of_texts(catalog) -> None:
    pool = pool_of(3, dropped=0.3, livelier_st=0.5, other_voice_st=1.0)

    found = of_pool(catalog, pool)

    assert found is not None
    design = np.column_stack([pool["state"] == "dropped", pool["voice"] == "0", pool["voice"] == "1"]).astype(float)
    bread = np.linalg.inv(design.T @ design)
    fit = bread @ design.T @ pool["f0_sd_st"]
    left = design * (pool["f0_sd_st"] - design @ fit)[:, None]
    pulls = np.array([left[pool["prompt_id"] == text].sum(axis=0) for text in np.unique(pool["prompt_id"])])
    error_st = np.sqrt((bread @ pulls.T @ pulls @ bread)[0, 0])
    texts = len(np.unique(pool["prompt_id"][pool["state"] == "dropped"]))
    half_st = stats.t.ppf(0.975, texts - 1) * error_st * np.sqrt(texts / (texts - 1))
    assert (found.texts, found.takes) == (texts, (pool["state"] == "dropped").sum())
    assert found.difference_st == pytest.approx(fit[0])
    assert (found.low_st, found.high_st) == pytest.approx((fit[0] - half_st, fit[0] + half_st), abs=1e-3)


@pytest.mark.parametrize("dropped", [0.0, 1.0, 0.03])
def test_without_enough_texts_of_both_verdicts_nothing_is_told(catalog, dropped) -> None:
    assert of_pool(catalog, pool_of(1, dropped=dropped)) is None
