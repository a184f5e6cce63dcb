"""Where people find why items have failed: rows of a corpus, of any stage."""

from pathlib import Path

WHY = "SELECT stage, error, message, count(*) FROM failure GROUP BY ALL ORDER BY ALL"


def told_failures(what: str, corpus: Path) -> str:
    """What has failed, and the command that says why."""
    return f'{what}; synthgen sql -c {corpus} "{WHY}" says why'
