import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.ids import canonical, content_id, seed_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PARTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.lists(PARTS, max_size=4))
def test_an_id_has_the_form_in_which_duckdb_writes_a_uuid(parts: list[Any]) -> None:
    found = content_id("thing", *parts)

    assert [len(group) for group in found.split("-")] == [8, 4, 4, 4, 12]
    assert set(found) <= set("0123456789abcdef-")


@given(st.lists(PARTS, max_size=3), st.lists(PARTS, max_size=3))
def test_two_ids_are_equal_exactly_when_what_they_are_made_of_is_equal(left: list[Any], right: list[Any]) -> None:
    same_content = canonical(left) == canonical(right)

    same_id = content_id("thing", *left) == content_id("thing", *right)

    assert same_id == same_content


def test_ids_never_change_between_versions_because_corpora_hold_them() -> None:
    found = content_id("line", "é", 1, 0.5, None, ["a", {"k": True}])

    assert found == "dfc700e6-2c04-2363-f5ff-d9d053398e30"
    assert seed_of("draw", 7, "prompt") == 3982233947710752386


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(("ab", "c"), ("a", "bc"), id="where one part ends"),
        pytest.param(("1",), (1,), id="text and number"),
        pytest.param((1,), (True,), id="number and truth"),
        pytest.param((None,), (), id="nothing and no part"),
        pytest.param((["a", "b"],), ("a", "b"), id="a list and its items"),
        pytest.param((1,), (1.0,), id="whole and real numbers"),
    ],
)
def test_parts_that_look_alike_are_told_apart(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    one, other = content_id("thing", *left), content_id("thing", *right)

    assert one != other


def test_the_kind_is_part_of_the_id() -> None:
    assert content_id("take", "x") != content_id("line", "x")


@given(st.dictionaries(st.text(), PARTS, max_size=5), st.randoms())
def test_canonical_json_does_not_depend_on_the_order_of_keys(table: dict[str, Any], random: Any) -> None:
    keys = list(table)
    random.shuffle(keys)

    written = canonical({key: table[key] for key in keys})

    assert written == canonical(table)


@given(PARTS)
def test_canonical_json_reads_back_to_the_same_value(value: Any) -> None:
    written = canonical(value)

    assert json.loads(written) == value
    assert "\n" not in written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_has_no_id(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_id("thing", value)


@given(st.lists(PARTS, max_size=3))
def test_a_seed_fits_a_signed_64_bit_column(parts: list[Any]) -> None:
    seed = seed_of(*parts)

    assert 0 <= seed < 2**63
    assert seed == seed_of(*parts)


def test_seeds_of_neighbours_are_spread_over_the_whole_range() -> None:
    seeds = [seed_of("draw", number) for number in range(4000)]

    assert len(set(seeds)) == 4000
    assert abs(sum(seed / 2**63 for seed in seeds) / 4000 - 0.5) < 0.02
