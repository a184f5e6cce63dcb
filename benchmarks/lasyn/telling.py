"""The rows of the experiment as Markdown: error rates on every test, values of slots, what is gone of the errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.errors import Errors, on_common_takes, told
from benchmarks.figures import mean_reduction, share_right, wer
from training.evaluation.resampling import Interval


@dataclass(frozen=True)
class Scored:
    """What a row came to, means over ``seeds``: errors of ``words`` by test, and in ``values`` by what a column is of.

    ``base`` are errors of words of as many seeds of real speech alone, on the first test; None if there is none.
    """

    seeds: int
    words: Mapping[str, Errors]
    values: Mapping[str, Errors]
    base: Errors | None = None


def table(rows: Mapping[str, Scored]) -> list[str]:
    """A line for each row; columns of values are there if a row has such values. Intervals are over speakers."""
    first = next(iter(rows.values()))
    columns = [name for name in first.values if any(share_right(row.values[name]) for row in rows.values())]
    head = ["seeds", *(f"WER, {test}" for test in first.words), *columns, "fewer errors than `real`"]
    lines = [f"| | {' | '.join(head)} |", "|---|" + "---:|" * len(head)]
    for name, row in rows.items():
        cells = [told(wer(found), ".1%") for found in row.words.values()]
        cells += [told(found, ".1%") if (found := share_right(row.values[each])) else "" for each in columns]
        lines.append(f"| {name} | {row.seeds} | {' | '.join(cells)} | {told(_gone(row), '+.1%')} |")
    return [*lines, *_unlike(rows)]


def _gone(row: Scored) -> Interval | None:
    """How much of the errors of a base are gone, on what both have heard: models of texts are not asked all of them."""
    if row.base is None:
        return None
    both = on_common_takes({"row": next(iter(row.words.values())), "base": row.base})
    return mean_reduction([(both["row"], both["base"])])


def _unlike(rows: Mapping[str, Scored]) -> list[str]:
    """A note of the tests of which some rows have heard fewer takes than others."""
    counts: dict[str, list[int]] = {}
    for row in rows.values():
        for test, found in row.words.items():
            counts.setdefault(test, []).append(len(found.takes))
    unlike = [f"{min(of)} to {max(of)} takes of {test}" for test, of in counts.items() if min(of) < max(of)]
    if not unlike:
        return []
    note = (
        f"Rows have heard {', '.join(unlike)}: what training has had is left out. Their rates are of the takes that "
        "they have heard; fewer errors are counted on those that both rows have heard."
    )
    return ["", note]
