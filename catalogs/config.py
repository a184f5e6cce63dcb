"""Recipes: strict TOML into frozen dataclasses, with every mistake named at once.

A configuration class is a plain frozen dataclass next to what it builds. Choices that plug-ins extend (voices,
metrics) are looked up by the name in one field, in the classes registered under an entry-point group.
"""

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from catalogs.errors import EngineError, RecipeError

C = TypeVar("C")

Table = Mapping[str, Any]


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        RecipeError: if it is not there, not UTF-8, or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(f"no recipe at {path}") from error
    except IsADirectoryError as error:
        raise RecipeError(f"{path} is a folder; expected a TOML recipe") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: byte {error.start} is not UTF-8; save the recipe as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error


def override(table: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """Apply ``a.b=value`` changes; a value is TOML where it parses as TOML, else text.

    ``voices.0.threads=2`` reaches into a list.

    Raises:
        RecipeError: for a change that is not of this form, or a path that leads nowhere.
    """
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals or not path.strip():
            raise RecipeError(f"-o {change}: expected key=value, such as -o casting.seed=7")
        target: Any = table
        *parents, last = path.strip().split(".")
        for depth, key in enumerate(parents, start=1):
            target = target[_index(target, key, change)] if isinstance(target, list) else target.setdefault(key, {})
            if not isinstance(target, dict | list):
                raise RecipeError(f"-o {change}: {'.'.join(parents[:depth])} is not a table")
        target[_index(target, last, change) if isinstance(target, list) else last] = _toml_value(text)
    return table


def parse(into: type[C], table: Table, *, source: str) -> C:
    """Validate a table against a configuration dataclass, nested ones and lists of them included.

    No number may be NaN, infinite or longer than 64 bits, and true and false are no numbers.

    Raises:
        RecipeError: with one line per mistake: where, what, and the nearest legal name or the legal values.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    _check_table(table, source)
    _restrict(into, ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False))
    mistakes = list(_no_numbers(into, table))
    try:
        found = TypeAdapter(into).validate_python(dict(table))
    except ValidationError as error:
        mistakes += [_describe(into, dict(e)) for e in error.errors()]
        raise RecipeError(mistakes_text(source, mistakes)) from error
    if mistakes:
        raise RecipeError(mistakes_text(source, mistakes))
    return found


def parse_named(group: str, table: Table, *, field: str, source: str) -> Any:
    """Validate a table whose ``field`` names a class registered under an entry-point group.

    Raises:
        RecipeError: for an unknown or missing name, with the known ones, or for mistakes in the table.
    """
    _check_table(table, source)
    name = table.get(field)
    if not isinstance(name, str):
        given = f"{field} is missing" if name is None else f"{field} = {name!r}: expected a text"
        raise RecipeError(f"{source}: {given}; one of {', '.join(registered(group))}")
    cls = load_registered(group, name, source=source)
    keeps_name = any(f.name == field for f in fields(cls))
    return parse(cls, {k: v for k, v in table.items() if k != field or keeps_name}, source=source)


@cache
def registered(group: str) -> tuple[str, ...]:
    """The names registered under an entry-point group, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def load_registered(group: str, name: str, *, source: str) -> Any:
    """The class registered under a name.

    Raises:
        RecipeError: if there is none, with the nearest name.
        EngineError: if the module that registers it does not import.
    """
    for point in entry_points(group=group):
        if point.name == name:
            try:
                return point.load()
            except ImportError as error:
                raise EngineError(f"{name}: {error}; reinstall the package that provides it") from error
    raise RecipeError(f"{source}: no {group.rpartition('.')[2]} named {name!r}{nearest(name, registered(group))}")


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error message: the nearest known name, or all of them if there are few."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if 0 < len(known) <= 12 else ""


def mistakes_text(source: str, mistakes: Sequence[str]) -> str:
    """One message for all the mistakes of one recipe."""
    if len(mistakes) == 1:
        return f"{source}: {mistakes[0]}"
    return f"{source}: {len(mistakes)} mistakes\n" + "\n".join(f"  - {m}" for m in mistakes)


def _check_table(table: Any, source: str) -> None:
    if not isinstance(table, Mapping):
        raise RecipeError(f"{source} = {table!r}: expected a table")


def _restrict(cls: Any, config: Any) -> None:
    if not is_dataclass(cls) or not isinstance(cls, type):
        for candidate in get_args(cls):
            _restrict(candidate, config)
        return
    if "__pydantic_config__" not in cls.__dict__:
        cls.__pydantic_config__ = config  # type: ignore[attr-defined]  # pydantic's documented hook
    for inner in fields(cls):
        _restrict(inner.type, config)


def _no_numbers(kind: Any, value: Any, *path: str) -> Iterator[str]:
    """Where true or false stands for a number, which pydantic takes for 1 and 0, or one that is too long for TOML."""
    kinds = get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
    if isinstance(value, bool):
        if {int, float} & set(kinds) and not {bool, Any} & set(kinds):
            yield f"{'.'.join(path)} = {str(value).lower()}: expected a number"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield f"{'.'.join(path)}: expected a whole number of 64 bits, as TOML has them"
    for each in kinds:
        for key, inner, part in _parts(each, value):
            yield from _no_numbers(inner, part, *path, key)


def _parts(kind: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The key, the type and the value of each part of a table or a list that is read as a type."""
    if isinstance(value, Mapping) and is_dataclass(kind):
        yield from ((inner.name, inner.type, value[inner.name]) for inner in fields(kind) if inner.name in value)
    elif isinstance(value, Mapping) and get_origin(kind) in (Mapping, dict):
        yield from ((str(key), get_args(kind)[1], part) for key, part in value.items())
    elif isinstance(value, list | tuple) and get_args(kind):
        yield from ((str(number), get_args(kind)[0], part) for number, part in enumerate(value))


def _describe(into: Any, error: dict[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    where = ".".join(path)
    match error["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            return f"unknown key {where!r}{nearest(path[-1], _keys_at(into, path[:-1]))}"
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"{where} is missing"
        case "literal_error":
            return f"{where} = {error['input']!r}: expected {error['ctx']['expected']}"
        case "dataclass_type" | "dict_type" | "mapping_type":
            return f"{where} = {error['input']!r}: expected a table"
        case "tuple_type" | "list_type":
            return f"{where} = {error['input']!r}: expected a list"
        case "value_error":
            return f"{where}: {error['ctx']['error']}" if where else str(error["ctx"]["error"])
        case _:
            return f"{where} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _keys_at(cls: Any, path: Sequence[str]) -> list[str]:
    parts = iter(path)
    for part in parts:
        inner = next((f.type for f in fields(cls) if f.name == part), None) if is_dataclass(cls) else None
        candidates = [inner, *getattr(inner, "__args__", ())]
        cls = next((c for c in candidates if is_dataclass(c)), None)
        if get_origin(inner) not in (None, UnionType, Union):
            next(parts, None)  # the index in a list, or the name in a mapping
    return [f.name for f in fields(cls)] if is_dataclass(cls) else []


def _index(target: Sequence[Any], key: str, change: str) -> int:
    if not key.isdecimal() or int(key) >= len(target):
        raise RecipeError(f"-o {change}: {key!r} is not an index of a list of {len(target)}")
    return int(key)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
