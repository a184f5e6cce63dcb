"""Tiny checkpoints of the larger voices, made once for all tests that ask for them by name."""

import runpy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from catalogs.records import Line
from synthgen.voice import Reading, Voice

MAKERS = {
    make.__name__: make
    for path in ("cases_transformers.py", "cases_coqui.py")
    for make in runpy.run_path(str(Path(__file__).with_name(path)))["MAKERS"]
}


@dataclass(frozen=True)
class Made:
    """A tiny checkpoint, the table that names it, and the voice."""

    config: Any
    voice: Voice

    def line(self, text: str, **how: Any) -> Line:
        """A line of the first speaker."""
        options = {"seed": 7, "temperature": 0.8} | how
        card = self.config.cards()[0]
        return Line.new(prompt_id="p", voice_id=card.id, text=text, normaliser="none", **options)

    def read(self, text: str, **how: Any) -> Reading:
        """The reading of a line of the first speaker, alone."""
        return self.voice.speak([self.line(text, **how)])[0]

    def but(self, **changes: Any) -> "Made":
        """The voice of a table with these changes."""
        config = replace(self.config, **changes)
        return Made(config, config.build())


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Give a tiny voice by the name of its maker."""
    cache: dict[str, Made] = {}

    def get(name: str) -> Made:
        if name not in cache:
            config = MAKERS[name](tmp_path_factory.mktemp(name))
            cache[name] = Made(config, config.build())
        return cache[name]

    return get
