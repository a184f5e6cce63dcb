"""The tables of the SYN2REAL experiment, from made-up errors."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from benchmarks.errors import Errors
from benchmarks.syn2real import telling
from benchmarks.syn2real.merges import SYNTHETIC, Tested
from benchmarks.syn2real.telling import Row, cosines, curve, heard, table
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
    assert told[3].endswith("| +25.0% (+25.0% to +25.0%) |")
    assert "| – | 10.0% (" in told[4]
    assert told[4].endswith("| +50.0% (+50.0% to +50.0%), 1 of 2 targets |")


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
