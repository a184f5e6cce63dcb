"""The tables of the SYN2REAL experiment, from made-up errors."""

from collections.abc import Sequence

import numpy as np

from benchmarks.errors import Errors
from benchmarks.syn2real.merges import SYNTHETIC, Tested
from benchmarks.syn2real.telling import cosines, curve, table
from training.merging.angles import CosineRow, Registered

BASE = {"orders": [4.0] * 5, "digits": [2.0] * 5}


def errors(counts: Sequence[float]) -> Errors:
    return Errors(list("12345"), np.array(counts), np.full(len(counts), 10.0), list("abcde"))


def rows(**by_row: dict[str, list[float]]) -> dict[str, dict[str, Errors]]:
    return {row: {target: errors(counts) for target, counts in found.items()} for row, found in by_row.items()}


def test_rows_are_held_against_target_synthetic_on_the_targets_that_they_have() -> None:
    heard = rows(
        **{SYNTHETIC: BASE, "mean": {"orders": [2.0] * 5, "digits": [2.0] * 5}, "alone": {"digits": [1.0] * 5}}
    )
    found = [Tested("mean", target, "id", scale) for target, scale in (("orders", 0.5), ("digits", 0.25))]

    told = table(heard, found)

    assert told[2].split("|")[3].split() == ["40.0%", "(40.0%", "to", "40.0%)"]
    assert "| mean | 0.25, 0.5 | 20.0% (" in told[3]
    assert told[3].endswith("| +25.0% (+25.0% to +25.0%) |")
    assert "| – | 10.0% (" in told[4]
    assert told[4].endswith("| +50.0% (+50.0% to +50.0%), 1 of 2 targets |")


def test_the_curve_begins_with_target_synthetic() -> None:
    told = curve(rows(**{"0.5": {"orders": [2.0] * 5, "digits": [1.0] * 5}}), rows(base=BASE)["base"])

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
