"""Blends of speakers, written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import UsageError
from synthgen.voices.blends import parse_blend, parse_style

KNOWN = ("ann", "bob", "cid")


def canonical(written: str) -> str:
    return str(parse_blend(written, KNOWN, engine="test"))


@pytest.mark.parametrize(
    "written", ["ann:0.6+bob:0.4", "bob:2+ann:3", " bob : 0.4 + ann : 0.6 ", "ann:1+bob:1+ann:0.5"]
)
def test_equal_blends_have_one_name(written: str) -> None:
    assert canonical(written) == "ann:0.6+bob:0.4"


@pytest.mark.parametrize("written", ["ann", "ann:3", "ann:1+bob:0.000001"])
def test_a_blend_of_one_is_that_speaker(written: str) -> None:
    assert canonical(written) == "ann"


@given(st.dictionaries(st.sampled_from(KNOWN), st.floats(0.01, 100), min_size=1))
def test_a_name_that_was_written_back_stays(weights: dict[str, float]) -> None:
    once = canonical("+".join(f"{name}:{weight}" for name, weight in weights.items()))

    assert canonical(once) == once


def test_a_style_may_have_a_strength() -> None:
    style = parse_style("bob:0.5+ann:0.5*0.25", KNOWN, engine="test")

    assert style.strength == 0.25
    assert str(style) == "ann:0.5+bob:0.5*0.25"


def test_an_unknown_speaker_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'an'.*'ann'"):
        canonical("an:0.5+bob:0.5")


@pytest.mark.parametrize("written", ["ann:0", "ann:-1", "ann:x", "ann:nan", "ann:inf", "", "ann+", "ann*2"])
def test_a_malformed_blend_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        canonical(written)


@pytest.mark.parametrize("written", ["ann*3", "ann*-1", "ann*", "ann*x", "*0.5"])
def test_a_malformed_style_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        parse_style(written, KNOWN, engine="test")
