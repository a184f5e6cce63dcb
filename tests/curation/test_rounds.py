from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.catalog import Catalog
from catalogs.errors import InputError
from catalogs.ids import content_id
from catalogs.records import Line, VoiceCard
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe, ReleaseConfig
from curation.rounds import is_met, lines_wanted, members_within
from synthgen.voice import Reading, Voice
from synthgen.voices.tone import ToneConfig

MEMBERS = st.lists(st.floats(0.5, 20.0), max_size=30).map(lambda all_s: [(f"t{n}", s) for n, s in enumerate(all_s)])
QUOTAS = st.one_of(
    st.builds(ReleaseConfig, accepted_takes=st.integers(1, 40)),
    st.builds(ReleaseConfig, accepted_hours=st.floats(0.0002, 0.1)),
)
TEXTS = [f"{'very ' * (number % 3)}good {chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(300)]
QUOTA_IN_TWO_ROUNDS: dict[str, Any] = {
    "policy": Policy({"num_chars": Threshold(max=14)}),
    "release": ReleaseConfig(accepted_takes=70),
}


# While the first round is cast; while its takes are committed; while the second round is cast, and when that is to be
# noted; while the release is written.
AT_INSERTS = (4, 6, 6, 4, 9)


class Killed(BaseException):
    """What a killed process does not live to see."""


@dataclass(frozen=True)
class UnevenVoice:
    """A tone that is the softer the more lines it reads at once."""

    batch: int = 7

    def cards(self) -> tuple[VoiceCard, ...]:
        (card,) = ToneConfig(speakers=("uneven",)).cards()
        return (replace(card, id=content_id("voice", "uneven"), batch_exact=False),)

    def build(self) -> Voice:
        return self

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        tone = ToneConfig(speakers=("uneven",), duration_s_per_char=0.001)
        as_tone = [replace(line, voice_id=tone.cards()[0].id) for line in lines]
        readings = tone.build().speak(as_tone)
        return [replace(reading, samples=reading.samples / np.float32(len(lines))) for reading in readings]


@contextmanager
def dying_at(catalog: Catalog, inserts: int) -> Iterator[None]:
    """Let a job die when it is about to write rows for the ``inserts``-th time."""
    insert, left = catalog.lake.insert, iter(range(inserts - 1))

    def insert_or_die(table: str, rows: pa.Table, *, where: str = "") -> int:
        if next(left, None) is None:
            raise Killed
        return insert(table, rows, where=where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog.lake, "insert", insert_or_die)
        yield


def rows_of(catalog: Catalog, table: str) -> list[tuple[Any, ...]]:
    return catalog.lake.rows(f"SELECT * FROM {table} ORDER BY ALL")


@given(QUOTAS, MEMBERS)
def test_a_release_is_the_shortest_beginning_of_what_was_kept_that_meets_the_quota(
    quota: ReleaseConfig, members: list[tuple[str, float]]
) -> None:
    chosen = members_within(quota, members)

    lengths_s = dict(members)
    without_last_s = sum(lengths_s[take_id] for take_id in chosen[:-1])
    assert chosen == [take_id for take_id, _ in members[: len(chosen)]]
    assert not is_met(quota, kept=len(chosen[:-1]), kept_s=without_last_s)
    if len(chosen) < len(members):
        assert is_met(quota, kept=len(chosen), kept_s=sum(lengths_s[take_id] for take_id in chosen))


@given(MEMBERS)
def test_without_a_quota_everything_that_was_kept_is_released(members: list[tuple[str, float]]) -> None:
    assert members_within(ReleaseConfig(), members) == [take_id for take_id, _ in members]


@pytest.mark.parametrize(
    ("quota", "so_far", "wanted"),
    [
        pytest.param({}, (0, 0, 0.0), None, id="no quota: all at once"),
        pytest.param({"accepted_takes": 800}, (0, 0, 0.0), 1_000, id="nothing seen: four in five are kept"),
        pytest.param({"accepted_takes": 800}, (1_000, 400, 0.0), 1_000, id="the share that was seen"),
        pytest.param({"accepted_takes": 800}, (1_000, 798, 0.0), 64, id="no round is tiny"),
        pytest.param({"accepted_takes": 800}, (1_000, 0, 0.0), 16_000, id="nothing kept: not without end"),
        pytest.param({"accepted_hours": 1.0}, (0, 0, 0.0), 1_500, id="hours: takes of three seconds"),
        pytest.param({"accepted_hours": 1.0}, (200, 100, 600.0), 1_000, id="hours: the lengths that were seen"),
    ],
)
def test_a_round_is_as_large_as_the_quota_still_needs(
    quota: dict[str, Any], so_far: tuple[int, int, float], wanted: int | None
) -> None:
    takes, kept, kept_s = so_far

    assert lines_wanted(ReleaseConfig(**quota), takes=takes, kept=kept, kept_s=kept_s) == wanted


def test_a_quota_of_takes_is_met_to_the_take_and_stops_the_casting(
    catalog: Catalog, make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    recipe = make_recipe(TEXTS, **QUOTA_IN_TWO_ROUNDS)

    production = produce(recipe)
    summary = production.run()

    assert summary.release is not None
    assert summary.release.num_takes == 70
    assert 70 <= summary.kept < summary.takes == summary.lines < len(TEXTS)
    assert rounds_of(catalog, production) == 2
    assert members_of(catalog, summary.release.id) == set(kept_in_order(catalog, production)[:70])


def test_a_quota_of_hours_is_met_to_the_take(
    catalog: Catalog, make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    hours = 2.0 / 3600
    recipe = make_recipe(TEXTS, release=ReleaseConfig(accepted_hours=hours))

    production = produce(recipe)
    summary = production.run()

    assert summary.release is not None
    assert hours * 3600 <= summary.release.audio_s < hours * 3600 + 0.05
    assert members_of(catalog, summary.release.id) == set(
        kept_in_order(catalog, production)[: summary.release.num_takes]
    )


def test_a_quota_that_the_prompts_cannot_meet_ends_with_the_prompts(
    make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    summary = produce(make_recipe(TEXTS[:80], release=ReleaseConfig(accepted_takes=1_000))).run()

    assert summary.release is not None
    assert summary.release.num_takes == summary.lines == 80


def test_a_job_goes_on_as_if_nothing_had_happened_however_often_it_is_killed(
    make_recipe: Callable[..., Recipe], produce: Callable[..., Production], tmp_path: Path
) -> None:
    recipe = make_recipe(TEXTS, voices=(UnevenVoice(),), **QUOTA_IN_TWO_ROUNDS)
    with Catalog.create(tmp_path / "whole") as whole, Catalog.create(tmp_path / "killed") as killed:
        produce(recipe, corpus=whole).run()

        for inserts in AT_INSERTS:
            with pytest.raises(Killed), dying_at(killed, inserts):
                produce(recipe, corpus=killed).run()
        produce(recipe, corpus=killed).run()

        for table in ("prompt", "line", "job_line", "round", "verdict", "release_item"):
            assert rows_of(killed, table) == rows_of(whole, table), table
        assert samples_of(killed) == samples_of(whole)


def test_prompts_of_which_none_can_be_read_are_told_with_a_reason(
    make_recipe: Callable[..., Recipe], produce: Callable[..., Production]
) -> None:
    production = produce(make_recipe(["…!?", "hello {name}"]))

    with pytest.raises(InputError, match="not one line to record from its prompts; for example: "):
        production.run()


def samples_of(catalog: Catalog) -> list[tuple[Any, ...]]:
    return catalog.lake.rows("SELECT id, pcm_sha256 FROM take ORDER BY id")


def rounds_of(catalog: Catalog, production: Production) -> int:
    sql = "SELECT count(*) FROM round WHERE job_id = $job_id::UUID"
    count: int = catalog.lake.rows(sql, job_id=production.job_id)[0][0]
    return count


def kept_in_order(catalog: Catalog, production: Production) -> list[str]:
    sql = """
        SELECT take.id::VARCHAR
        FROM job_line JOIN take USING (line_id) JOIN verdict ON verdict.take_id = take.id
        WHERE job_id = $job_id::UUID AND decision = 'keep' AND policy = $policy::UUID
        ORDER BY position
    """
    return [i for (i,) in catalog.lake.rows(sql, job_id=production.job_id, policy=production.recipe.policy.id)]


def members_of(catalog: Catalog, release_id: str) -> set[str]:
    return {
        i
        for (i,) in catalog.lake.rows(
            "SELECT take_id::VARCHAR FROM release_item WHERE release_id = $id::UUID", id=release_id
        )
    }
