import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.config import load_registered, nearest, override, parse, parse_named, read_toml, registered
from catalogs.errors import RecipeError
from synthgen.voices.tone import ToneConfig


@dataclass(frozen=True)
class Oven:
    heat_c: float = 180.0
    mode: Literal["fan", "grill"] = "fan"

    def __post_init__(self) -> None:
        if self.heat_c > 300:
            raise ValueError("heat_c must be at most 300")


@dataclass(frozen=True)
class Cake:
    name: str
    layers: int = 1
    oven: Oven = field(default_factory=Oven)
    fillings: tuple[Oven, ...] = ()
    by_guest: Mapping[str, Oven] = field(default_factory=dict)
    topping: Oven | None = None
    steps_c: tuple[float, ...] = ()
    iced: bool = False
    keeps_s: float = math.inf


def mistakes_in(table: dict[str, Any]) -> str:
    with pytest.raises(RecipeError) as caught:
        parse(Cake, table, source="cake.toml")
    return str(caught.value)


def test_a_table_becomes_a_tree_of_frozen_dataclasses() -> None:
    table = {"name": "lemon", "oven": {"mode": "grill"}, "fillings": [{"heat_c": 20}], "by_guest": {"ann": {}}}

    cake = parse(Cake, table, source="cake.toml")

    assert cake == Cake("lemon", oven=Oven(mode="grill"), fillings=(Oven(20.0),), by_guest={"ann": Oven()})


def test_all_mistakes_of_a_table_are_told_at_once() -> None:
    table = {"layer": 2, "layers": "many", "oven": {"mode": "steam"}, "fillings": [{}, {"heat": 5}]}

    message = mistakes_in(table)

    assert message.splitlines()[0] == "cake.toml: 5 mistakes"
    assert sorted(message.splitlines()[1:]) == [
        "  - layers = 'many': input should be a valid integer, unable to parse string as an integer",
        "  - name is missing",
        "  - oven.mode = 'steam': expected 'fan' or 'grill'",
        "  - unknown key 'fillings.1.heat'; did you mean 'heat_c'?",
        "  - unknown key 'layer'; did you mean 'layers'?",
    ]


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        pytest.param({"oven": {"heatc": 1}}, "unknown key 'oven.heatc'; did you mean 'heat_c'?", id="in a table"),
        pytest.param({"fillings": [{"mod": "fan"}]}, "'fillings.0.mod'; did you mean 'mode'?", id="in a list"),
        pytest.param({"by_guest": {"ann": {"mod": "fan"}}}, "'by_guest.ann.mod'; did you mean 'mode'?", id="by name"),
        pytest.param({"topping": {"mod": "fan"}}, "did you mean 'mode'?", id="in an optional table"),
        pytest.param(
            {"xyz": 1}, "; known: name, layers, oven, fillings, by_guest, topping, steps_c, ", id="nothing near"
        ),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_of_its_table(table: dict[str, Any], wanted: str) -> None:
    message = mistakes_in({"name": "lemon"} | table)

    assert wanted in message


@pytest.mark.parametrize("given", ["lemon", 3, True, ["lemon"], [["name", "lemon"]], None])
def test_what_is_no_table_is_told_so(given: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        parse(Cake, given, source="cake")
    with pytest.raises(RecipeError) as named:
        parse_named("synthgen.voices", given, field="engine", source="voices.0")

    assert str(caught.value) == f"cake = {given!r}: expected a table"
    assert str(named.value) == f"voices.0 = {given!r}: expected a table"


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ({"oven": 3}, "oven = 3: expected a table"),
        ({"topping": "fan"}, "topping = 'fan': expected a table"),
        ({"fillings": ["fan"]}, "fillings.0 = 'fan': expected a table"),
        ({"fillings": "fan"}, "fillings = 'fan': expected a list"),
        ({"by_guest": [1]}, "by_guest = [1]: expected a table"),
        ({"name": 5}, "name = 5: input should be a valid string"),
        ({"layers": True}, "layers = true: expected a number"),
        ({"oven": {"heat_c": False}}, "oven.heat_c = false: expected a number"),
        ({"topping": {"heat_c": True}}, "topping.heat_c = true: expected a number"),
        ({"fillings": [{}, {"heat_c": True}]}, "fillings.1.heat_c = true: expected a number"),
        ({"by_guest": {"ann": {"heat_c": True}}}, "by_guest.ann.heat_c = true: expected a number"),
        ({"steps_c": [20, True]}, "steps_c.1 = true: expected a number"),
        ({"layers": 2**63}, "layers: expected a whole number of 64 bits, as TOML has them"),
        ({"oven": {"heat_c": math.inf}}, "oven.heat_c = inf: input should be a finite number"),
        ({"oven": {"heat_c": math.nan}}, "oven.heat_c = nan: input should be a finite number"),
        ({"steps_c": [20, -math.inf]}, "steps_c.1 = -inf: input should be a finite number"),
        ({"by_guest": {"ann": {"heat_c": math.inf}}}, "by_guest.ann.heat_c = inf: input should be a finite number"),
        ({"layers": math.inf}, "layers = inf: input should be a finite number"),
    ],
)
def test_a_value_of_another_type_is_told_with_its_place(table: dict[str, Any], wanted: str) -> None:
    message = mistakes_in({"name": "lemon"} | table)

    assert message == f"cake.toml: {wanted}"


def test_true_for_a_number_is_told_beside_other_mistakes() -> None:
    message = mistakes_in({"name": "lemon", "layers": True, "oven": {"heat_c": "hot"}})

    assert message.splitlines()[:2] == ["cake.toml: 2 mistakes", "  - layers = true: expected a number"]


def test_whole_numbers_are_numbers_and_truths_are_truths() -> None:
    cake = parse(Cake, {"name": "lemon", "oven": {"heat_c": 200}, "steps_c": [1, 2.5], "iced": True}, source="cake")

    assert cake == Cake("lemon", oven=Oven(200.0), steps_c=(1.0, 2.5), iced=True)
    assert isinstance(cake.oven.heat_c, float)


def test_a_default_may_be_infinite() -> None:
    assert parse(Cake, {"name": "lemon"}, source="cake").keeps_s == math.inf


def test_what_a_configuration_refuses_is_told_with_its_place() -> None:
    message = mistakes_in({"name": "lemon", "oven": {"heat_c": 400}})

    assert message == "cake.toml: oven: heat_c must be at most 300"


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no recipe at .*none\.toml"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [(b"a = ", "is not TOML"), (b'a = "\xff"', "byte 5 is not UTF-8")],
)
def test_a_file_that_is_not_toml_says_where(tmp_path: Path, content: bytes, wanted: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)

    with pytest.raises(RecipeError, match=wanted):
        read_toml(path)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is a folder"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("seed=7", {"seed": 7}),
        ("casting.takes = 3", {"casting": {"takes": 3}}),
        ("name=kitchen", {"name": "kitchen"}),
        ('name="7"', {"name": "7"}),
        ("sql=a = b", {"sql": "a = b"}),
        ("on=true", {"on": True}),
        ("t.piper/*=[0.5, 1]", {"t": {"piper/*": [0.5, 1]}}),
        ("note=", {"note": ""}),
    ],
)
def test_a_change_is_toml_where_it_can_be_and_text_elsewhere(change: str, wanted: dict[str, Any]) -> None:
    assert override({}, [change]) == wanted


def test_a_change_reaches_into_tables_and_lists() -> None:
    table = {"voices": [{"engine": "tone"}, {"engine": "piper"}], "metrics": ["levels", "pace"]}

    changed = override(table, ["voices.1.threads=2", "metrics.0=words", "voices.0={engine='kokoro'}"])

    assert changed == {
        "voices": [{"engine": "kokoro"}, {"engine": "piper", "threads": 2}],
        "metrics": ["words", "pace"],
    }


def test_the_last_of_two_changes_holds() -> None:
    assert override({"seed": 1}, ["seed=2", "seed=3"]) == {"seed": 3}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("seed", "expected key=value"),
        ("=3", "expected key=value"),
        ("name.first=3", "name is not a table"),
        ("name.first.letter=3", "name is not a table"),
        ("voices.x=3", "'x' is not an index of a list of 1"),
        ("voices.1.threads=3", "'1' is not an index of a list of 1"),
        ("voices.-1.threads=3", "'-1' is not an index of a list of 1"),
        ("voices.²=3", "'²' is not an index of a list of 1"),
    ],
)
def test_a_change_that_leads_nowhere_is_refused(change: str, wanted: str) -> None:
    table = {"name": "toy", "voices": [{"engine": "tone"}]}

    with pytest.raises(RecipeError) as caught:
        override(table, [change])

    assert f"-o {change}: " in str(caught.value)
    assert wanted in str(caught.value)


@given(st.text(max_size=20), st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
def test_changes_never_end_in_anything_but_a_table_or_a_refusal(path: str, value: object) -> None:
    table: dict[str, Any] = {"name": "toy", "seed": 1, "voices": [{"engine": "tone"}]}

    try:
        changed = override(table, [f"{path}={value}"])
    except RecipeError:
        return

    assert isinstance(changed, dict)


def test_a_named_table_is_validated_by_the_class_of_that_name() -> None:
    config = parse_named("synthgen.voices", {"engine": "tone", "speakers": ["ann"]}, field="engine", source="voices.0")

    assert config == ToneConfig(speakers=("ann",))


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ({"engine": "tune"}, "voices.0: no voices named 'tune'; did you mean 'tone'?"),
        ({"speakers": ["ann"]}, "voices.0: engine is missing; one of bark, coqui,"),
        ({"engine": 5}, "voices.0: engine = 5: expected a text; one of bark, coqui,"),
        ({"engine": "tone", "speaker": "ann"}, "voices.0: unknown key 'speaker'; did you mean 'speakers'?"),
    ],
)
def test_a_named_table_with_a_mistake_is_answered_with_what_there_is(table: dict[str, Any], wanted: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_named("synthgen.voices", table, field="engine", source="voices.0")

    assert wanted in str(caught.value)


def test_registered_names_are_sorted_and_load() -> None:
    names = registered("synthgen.voices")

    assert list(names) == sorted(names)
    assert load_registered("synthgen.voices", "tone", source="test") is ToneConfig


def test_a_group_that_nobody_registers_in_has_no_names_to_offer() -> None:
    with pytest.raises(RecipeError) as caught:
        load_registered("synthgen.poets", "ann", source="test")

    assert str(caught.value) == "test: no poets named 'ann'"


def test_many_names_are_not_listed() -> None:
    many = [f"name-{number}" for number in range(30)]

    assert nearest("zzz", many) == ""
