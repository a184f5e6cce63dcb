"""Loops and run-on insertions are counted, and what a reference itself repeats is no loop of the recogniser."""

import pytest

from training.overrun import Overrun, overrun


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("pay my bill", "Pay my bill.", Overrun(repeated=0, loop=1, tail=0, length_ratio=1.0)),
        ("pay my bill", "", Overrun(repeated=0, loop=0, tail=0, length_ratio=0.0)),
        ("", "thank you very much", Overrun(repeated=0, loop=1, tail=4, length_ratio=4.0)),
        ("pay my bill", "pay my bill bill bill bill", Overrun(repeated=3, loop=4, tail=3, length_ratio=2.0)),
        ("pay my bill", "pay my pay my pay my bill", Overrun(repeated=4, loop=3, tail=0, length_ratio=7 / 3)),
        ("no no no", "no no no", Overrun(repeated=0, loop=3, tail=0, length_ratio=1.0)),
        ("no no no", "no no no no", Overrun(repeated=1, loop=4, tail=1, length_ratio=4 / 3)),
        ("stop", "stop the car and go on home", Overrun(repeated=0, loop=1, tail=6, length_ratio=7.0)),
        ("a b c", "a b d e", Overrun(repeated=0, loop=1, tail=1, length_ratio=4 / 3)),
    ],
)
def test_what_is_said_too_much_is_counted(reference: str, hypothesis: str, expected: Overrun) -> None:
    found = overrun(reference, hypothesis, language="de")

    assert found == expected


def test_digits_that_are_spelled_or_not_are_said_as_often() -> None:
    alike = Overrun(repeated=0, loop=1, tail=0, length_ratio=1.0)

    assert overrun("it is 4 5 6", "it is four five six", language="en") == alike
    assert overrun("it is four five six", "it is 4 5 6", language="en") == alike
    assert overrun("it is four four four", "it is 4 4 4", language="en").repeated == 0
    assert overrun("", "4 4 4 4", language="en").loop == 4


def test_a_language_without_spaces_is_counted_in_graphemes() -> None:
    assert overrun("好", "好好好", language="zh").loop == 3
