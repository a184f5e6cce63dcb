"""The view `takes` against a model in plain Python, whatever happens in whatever order."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs import takes
from catalogs.errors import CatalogError
from catalogs.ids import content_id
from catalogs.records import MetricCard, ScoreColumn

PACE = MetricCard("pace", "1", (ScoreColumn("rate", "DOUBLE", "1/s", "neither", "syllables a second"),))
PACE_2 = MetricCard("pace", "2", (*PACE.columns, ScoreColumn("pauses", "INTEGER", "", "neither", "pauses")))
OTHER_WORDS = MetricCard("words", "1", (ScoreColumn("wer", "DOUBLE", "", "lower", "word error rate"),), "tiny")


class Model:
    """What `takes` must say, by take."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def record(self, ids: list[str]) -> None:
        for take_id in ids:
            self.rows[take_id] = {"peak_db": None, "wer": None, "verdict": None, "policy": None}

    def set(self, ids: list[str], **values: Any) -> None:
        for take_id in ids:
            self.rows[take_id] |= values


def step(rng: random.Random, studio: Any, model: Model, number: int) -> str:
    lake, known = studio.catalog.lake, sorted(model.rows)
    some = rng.sample(known, k=min(len(known), rng.randint(1, 12)))
    action = rng.choice(["record", "levels", "words", "judge", "flatten", "compact", "forget", "reset"])
    if action == "record":
        model.record(
            [
                take.id
                for take in studio.record(range(20 * number, 20 * number + rng.randint(1, 20)), shard=f"s{number}")
            ]
        )
    elif action == "levels":
        fresh = [i for i in some if model.rows[i]["peak_db"] is None]
        studio.score(studio.LEVELS, fresh, float(number))
        model.set(fresh, peak_db=float(number))
    elif action == "words":
        fresh = [i for i in some if model.rows[i]["wer"] is None]
        studio.score(studio.WORDS, fresh, number / 100)
        model.set(fresh, wer=number / 100)
    elif action == "judge":
        decision = rng.choice(["keep", "drop"])
        studio.judge(some, str(number), decision)
        model.set(some, verdict=decision, policy=content_id("policy", str(number)))
    elif action == "flatten":
        takes.flatten(lake)
    elif action == "compact":
        lake.compact()
    elif action == "forget":
        takes.forget(lake, some[:2])
        for take_id in some[:2]:
            del model.rows[take_id]
    else:
        takes.reset(lake)
    return action


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 40))])
def test_the_view_is_right_after_every_step_of_any_job(studio: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogs.attaching.MANY_FILES", 0)
    rng, model, told = random.Random(seed), Model(), []  # noqa: S311
    model.record([take.id for take in studio.record(range(1000, 1030), shard="first")])

    for number in range(1, 16):
        told.append(step(rng, studio, model, number))
        rows = studio.catalog.lake.table("SELECT take_id, peak_db, wer, verdict, policy FROM takes").to_pylist()

        found = {row.pop("take_id"): row for row in rows}
        assert len(found) == len(rows), told
        assert found == model.rows, told


def test_flattening_again_renews_only_what_changed(studio: Any) -> None:
    recorded = studio.record(range(50))
    takes.flatten(studio.catalog.lake)
    studio.score(studio.LEVELS, [take.id for take in recorded[:3]], -3.0)
    assert takes.tail(studio.catalog.lake) == (50, 3)

    takes.flatten(studio.catalog.lake)

    assert takes.tail(studio.catalog.lake) == (50, 0)
    assert studio.catalog.lake.rows("SELECT count(*), count(peak_db) FROM takes") == [(50, 3)]


def test_a_new_version_of_a_metric_takes_the_place_of_the_old(studio: Any) -> None:
    lake = studio.catalog.lake
    ids = [take.id for take in studio.record(range(4))]
    takes.declare(lake, [PACE])
    studio.score(PACE, ids, 4.0)
    takes.flatten(lake)

    takes.declare(lake, [PACE_2])

    assert lake.rows("SELECT count(*), count(rate), count(pauses) FROM takes") == [(4, 0, 0)]
    assert lake.rows("SELECT count(*) FROM score_pace") == [(4,)]


def test_declaring_a_known_family_again_changes_nothing(studio: Any) -> None:
    before = studio.catalog.lake.snapshot()

    takes.declare(studio.catalog.lake, [studio.LEVELS, studio.WORDS])

    assert studio.catalog.lake.snapshot() == before


def test_the_first_variant_has_the_plain_name_and_others_a_suffix(studio: Any) -> None:
    takes.declare(studio.catalog.lake, [OTHER_WORDS])

    names = takes.dictionary(studio.catalog.lake)["column"].to_pylist()

    assert [name for name in names if name.startswith("wer")] == ["wer", "wer__tiny"]


def test_two_families_may_not_share_a_column(studio: Any) -> None:
    clash = MetricCard("loudness", "1", studio.LEVELS.columns)

    with pytest.raises(CatalogError, match="peak_db already belongs to metric levels"):
        takes.declare(studio.catalog.lake, [clash])


def test_a_column_may_not_change_its_type(studio: Any) -> None:
    changed = MetricCard("levels", "2", (ScoreColumn("peak_db", "VARCHAR", "", "neither", "as text"),))

    with pytest.raises(CatalogError, match="was DOUBLE and would become VARCHAR"):
        takes.declare(studio.catalog.lake, [changed])


def test_every_column_of_takes_has_a_meaning(studio: Any) -> None:
    rows = takes.dictionary(studio.catalog.lake).to_pylist()

    assert all(row["meaning"] for row in rows)
    assert {"peak_db", "wer", "audio_s"} <= {row["column"] for row in rows}


def test_a_take_is_forgotten_with_all_that_was_said_of_it(make_studio: Callable[..., Any], tmp_path: Path) -> None:
    studio = make_studio(tmp_path / "corpus")
    first, second = (take.id for take in studio.record([1, 2]))
    studio.score(studio.LEVELS, [first, second], -1.0)
    studio.judge([first, second], "p")
    takes.flatten(studio.catalog.lake)

    takes.forget(studio.catalog.lake, [first])

    counts = [studio.catalog.count(table) for table in ("take", "score_levels", "verdict", "takes")]
    assert counts == [1, 1, 1, 1]
