"""The packages that training needs, and what to do where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalogs.errors import EngineError


@contextmanager
def train_packages(name: str) -> Iterator[None]:
    """Where the packages of a backbone are imported.

    Raises:
        EngineError: if one is not installed, with the command that gets it.
    """
    try:
        yield
    except ImportError as error:
        raise EngineError(
            f"{name} needs the package {error.name or error}, which is not installed; "
            f"get it with `pip install 'synthgen-studio[train]'`"
        ) from error
