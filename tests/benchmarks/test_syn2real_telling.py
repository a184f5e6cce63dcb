"""The tables of the SYN2REAL experiment, from made-up errors."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from benchmarks.errors import Errors
from benchmarks.syn2real import telling
from benchmarks.syn2real.merges import SYNTHETIC, Tested
from benchmarks.syn2real.telling import Row, cosines, curve, heard, intervals, table
from training.merging.angles import CosineRow, Registered

BASE = {"orders": [4.0] * 5, "digits": [2.0] * 5}


def errors(counts: Sequence[float]) -> Errors:
    return Errors(list("12345"), np.array(counts), np.full(len(counts), 10.0), list("abcde"))


def row(found: dict[str, list[float]], *, seeds: int = 1) -> Row:
    """What a row has heard, where target-synthetic has heard `BASE`."""
    by_target = {target: errors(counts) for target, counts in found.items()}
    return Row(seeds, by_target, {target: errors(BASE[target]) for target in found})


def test_rows_are_held_against_target_synthetic_on_the_targets_that_they_have() -> None:
    rows = {
        SYNTHETIC: row(BASE),
        "mean": row({"orders": [2.0] * 5, "digits": [2.0] * 5}, seeds=3),
        "alone": row({"digits": [1.0] * 5}),
    }
    found = [Tested("mean", target, 0, "id", scale) for target, scale in (("orders", 0.5), ("digits", 0.25))]

    told = table(rows, found)

    assert told[2].split("|")[4].split() == ["40.0%", "(40.0%", "to", "40.0%)"]
    assert "| mean | 3 | 0.25, 0.5 | 20.0% (" in told[3]
    assert told[2].endswith(" |  |  |")
    assert told[3].endswith("| +10.0 (+10.0 to +10.0) | +25.0% (+25.0% to +25.0%) |")
    assert "| – | 10.0% (" in told[4]
    assert told[4].endswith("| +10.0 (+10.0 to +10.0) | +50.0% (+50.0% to +50.0%), 1 of 2 targets |")


def test_where_hardly_anybody_errs_a_reduction_has_no_interval_and_points_have() -> None:
    base, found = errors([4.0, 0, 0, 0, 0]), errors([2.0, 0, 0, 0, 0])
    none = errors([0.0] * 5)
    rows = {SYNTHETIC: Row(1, {"orders": base}, {"orders": base}), "mean": Row(1, {"orders": found}, {"orders": base})}

    told = table(rows, [])
    without = table({**rows, "mean": Row(1, {"orders": base}, {"orders": none})}, [])

    assert re.search(r"\| \+4\.0 \([+-]0\.0 to \+[0-9.]+\) \| \+50\.0% \|$", told[3])
    assert without[3].endswith(" | – |")
    assert "| -8.0 (" in without[3]


def test_it_is_said_what_intervals_are_over() -> None:
    alone = Errors(list("12345"), np.ones(5), np.ones(5), ["anna"] * 5)
    several = row(BASE)

    told = intervals({SYNTHETIC: replace(several, errors={**several.errors, "ljspeech": alone, "arctic": alone})})

    (speakers,) = intervals({SYNTHETIC: several})
    assert speakers.startswith("95 % intervals over speakers. ")
    assert told[0].startswith(
        "95 % intervals over speakers; of ljspeech and arctic, whose tests have one speaker, over utterances. "
    )


def test_a_row_is_held_against_the_seeds_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    heard_by = {"synthetic-0": 4.0, "synthetic-1": 2.0, "mean-0": 3.0, "mean-1": 1.0, "ties-0": 2.0, "as-it-comes": 8.0}

    def errors_of(_: Path, evaluations: list[str]) -> Errors:
        return errors([mean(heard_by[each] for each in evaluations)] * 5)

    monkeypatch.setattr(telling, "errors_of", errors_of)
    models = {SYNTHETIC: "synthetic-{}", "whisper": "as-it-comes", "mean": "mean-{}"}
    found = [Tested(name, "orders", seed, model.format(seed)) for seed in (0, 1) for name, model in models.items()]
    found += [Tested("TIES", "orders", 0, "ties-0"), Tested("0.5", "orders", 0, "ties-0", is_curve=True)]

    rows, points = (heard(Path(), found, is_curve=is_curve) for is_curve in (False, True))

    first = {name: (each.errors["orders"].errors[0], each.base["orders"].errors[0]) for name, each in rows.items()}
    assert first == {SYNTHETIC: (3.0, 3.0), "whisper": (8.0, 3.0), "mean": (2.0, 3.0), "TIES": (2.0, 4.0)}
    assert [each.num_seeds for each in rows.values()] == [2, 2, 2, 1]
    assert points["0.5"].base["orders"].errors[0] == 4.0


def test_the_curve_begins_with_target_synthetic() -> None:
    told = curve({"0.5": row({"orders": [2.0] * 5, "digits": [1.0] * 5})})

    assert [line.split("|")[1].strip() for line in told[2:]] == ["0", "0.5"]
    assert [line.split("|")[-2].strip() for line in told[2:]] == ["30.0%", "15.0%"]


def test_cosines_are_summed_up_by_what_two_vectors_differ_in() -> None:
    names = ("orders-piper-0", "digits-piper-0", "orders-kokoro-0")
    values = {(0, 0): 1.0, (1, 1): 1.0, (2, 2): 1.0, (0, 1): 0.2, (0, 2): 0.8, (1, 2): 0.1}
    pairs = [CosineRow("", names[a], str(a), names[b], str(b), value) for (a, b), value in values.items()]

    told = cosines(Registered((), tuple(pairs), {}))

    assert "two domains, one engine: +0.200 on the mean, +0.200 to +0.200" in told
    assert "one domain, two engines: +0.800 on the mean, +0.800 to +0.800" in told
    assert "two domains, two engines: +0.100 on the mean, +0.100 to +0.100" in told
