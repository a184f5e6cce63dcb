"""The SQL that ships with the package, by name."""

from functools import cache
from importlib import resources
from pathlib import Path


@cache
def query(name: str) -> str:
    """The text of ``catalogs/sql/queries/NAME.sql``."""
    return (resources.files("catalogs") / "sql" / "queries" / f"{name}.sql").read_text()


def schema() -> list[tuple[int, str, str]]:
    """The migrations: (version, name, SQL), in order."""
    folder = resources.files("catalogs") / "sql" / "schema"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return [(int(name.split("_")[0]), name, (folder / name).read_text()) for name in names]


def quoted(text: Path | str) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
