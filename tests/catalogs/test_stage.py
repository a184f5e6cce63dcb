from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from catalogs.records import Failure, MetricCard, Score
from catalogs.stage import Crew, Outcome, Recording, Stream, batched, failure, inline, one_by_one

CARD = MetricCard("length", "1", ())


def recording(name: str) -> Recording:
    return Recording(name, "p", "v", b"", "", 1, 1, None)


class Reader:
    """A head whose clips are the items themselves; "mute" has no clip."""

    def work(self, items: Sequence[str]) -> tuple[list[Any], Outcome]:
        clips = [item for item in items if item != "mute"]
        return clips, Outcome(items=len(items), recordings=[recording(item) for item in clips])


class Critic:
    """A critic that scores the length of a clip."""

    def work(self, clips: Sequence[Any]) -> Outcome:
        return Outcome(scores={CARD: [Score(clip, (len(clip),)) for clip in clips]})


def never(*_: object) -> Any:
    raise AssertionError("nobody should have been asked")


def stream(batches: Iterator[Sequence[str]], build: Any = Reader) -> Stream:
    return Stream(Crew("reading", build), batches, lost=never, unheard=never)


def test_every_batch_goes_through_its_head_and_all_critics() -> None:
    streams = [stream(iter([["a", "bb"], ["ccc"]])), stream(iter([["dddd"]]))]

    outcomes = list(inline(streams, [Crew("one", Critic), Crew("two", Critic)]))

    assert [[r.line_id for r in outcome.recordings] for outcome in outcomes] == [["a", "bb"], ["ccc"], ["dddd"]]
    assert [[s.values for s in outcome.scores[CARD]] for outcome in outcomes] == [
        [(1,), (2,), (1,), (2,)],
        [(3,), (3,)],
        [(4,), (4,)],
    ]
    assert [outcome.items for outcome in outcomes] == [2, 1, 1]


def test_nobody_is_built_for_nothing() -> None:
    assert list(inline([stream(iter([]), build=never)], [Crew("critic", never)])) == []


def test_critics_are_spared_a_batch_without_clips() -> None:
    (outcome,) = inline([stream(iter([["mute"]]))], [Crew("critic", Critic)])

    assert outcome.scores == {}


def test_an_outcome_takes_in_another() -> None:
    outcome = Outcome(1, [recording("a")], {CARD: [Score("a", (1,))]}, [])

    outcome.add(Outcome(2, [recording("b")], {CARD: [Score("b", (2,))]}, [Failure("s", "c", 1, "e", "m")]))

    assert (outcome.items, len(outcome.recordings), len(outcome.scores[CARD]), len(outcome.failures)) == (3, 2, 2, 1)


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_batches_keep_the_order_and_only_the_last_is_short(count: int, sizes: list[int]) -> None:
    batches = list(batched(range(count), 4))

    assert [len(batch) for batch in batches] == sizes
    assert [item for batch in batches for item in batch] == list(range(count))


def test_only_the_item_at_fault_fails_when_a_batch_raises() -> None:
    def invert(items: Sequence[int]) -> list[float]:
        return [1 / item for item in items]

    done, failures = one_by_one(invert, [2, 0, 4], stage="invert", subject=str)

    assert done == [(2, 0.5), (4, 0.25)]
    assert failures == [Failure("invert", "0", 1, "ZeroDivisionError", "division by zero")]


def test_a_batch_that_works_is_asked_once() -> None:
    calls = []

    def work(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        return list(items)

    one_by_one(work, [1, 2, 3], stage="s", subject=str)

    assert calls == [[1, 2, 3]]


def test_a_worker_that_loses_items_is_asked_one_by_one() -> None:
    done, failures = one_by_one(lambda items: items[:1], [1, 2], stage="s", subject=str)

    assert ([item for item, _ in done], failures) == ([1, 2], [])


def test_a_failure_is_the_class_and_the_first_line() -> None:
    assert failure("s", "id", ValueError("first\nsecond")) == Failure("s", "id", 1, "ValueError", "first")
    assert failure("s", "id", KeyError()).message == "KeyError"
