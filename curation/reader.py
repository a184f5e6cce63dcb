"""Reading the tables of a recipe, all mistakes at once."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from catalogs.config import parse
from catalogs.errors import RecipeError

T = TypeVar("T")


class TableReader:
    """Reads the tables of a recipe and keeps all mistakes, so that they can be told at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.mistakes: list[str] = []

    def one(self, table: Mapping[str, Any], key: str, into: type[T]) -> T | None:
        """One table; None if it has mistakes."""
        found = table.get(key, {})
        if not isinstance(found, Mapping):
            self.mistakes.append(f"{key} = {found!r}: expected a table [{key}]")
            return None
        return self._try(lambda: parse(into, found, source=key))

    def each(self, table: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], T]) -> list[T]:
        """A list of tables; those with mistakes are left out."""
        found = table.get(key, [])
        entries = entries_of(found)
        if not all(isinstance(e, Mapping) for e in entries):
            self.mistakes.append(f"{key} = {found!r}: expected tables [[{key}]]")
            return []
        made = [self._try(partial(read, entry, f"{key}.{number}")) for number, entry in enumerate(entries)]
        return [m for m in made if m is not None]

    def _try(self, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except RecipeError as error:
            head, *rest = str(error).splitlines()
            where = head.partition(":")[0]
            self.mistakes += [f"{where}: {line.strip(' -')}" for line in rest] or [head]
            return None


def entries_of(found: Any) -> list[Any]:
    """Tables, one table, or names standing for tables: ``metrics = ["levels", "pace"]``."""
    entries = found if isinstance(found, list) else [found]
    return [{"family": entry} if isinstance(entry, str) else entry for entry in entries]
