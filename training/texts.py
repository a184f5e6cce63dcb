"""Texts of a file, one on each line."""

from pathlib import Path

from catalogs.errors import TrainingError

CHARACTERS_PER_S = 15.0
"""How fast English is read: how long a text counts for that nobody has read."""


def texts_in(path: Path, *, source: str) -> list[str]:
    """The texts of a UTF-8 file without its empty lines; ``source`` says who names it.

    Raises:
        TrainingError: if it cannot be read, or holds no text.
    """
    path = path.expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # without the mark of some editors; \r\n is read as \n
    except FileNotFoundError as error:
        raise TrainingError(f"{source}: there is no file {path}") from error
    except IsADirectoryError as error:
        raise TrainingError(f"{source}: {path} is a folder; expected a UTF-8 file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{source}: {path} cannot be read: {error}; expected a UTF-8 file") from error
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise TrainingError(f"{source}: {path} has no text; expected one on each line")
    return texts
