"""Whatever is wrong with what a user brings: one clear sentence, the documented exit code, and nothing lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import synthgen.cli
from catalogs import config
from catalogs.catalog import Catalog

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Ended, Studio

MISCHIEF = {"voices": [{"engine": "mischief"}], "metrics": ["mischief"]}


@dataclass(frozen=True)
class Case:
    """What is brought, and what comes of it: the exit code, what is said, takes recorded, errors of the failures."""

    says: str
    code: int
    texts: list[str] | bytes | None = field(default_factory=lambda: ["hello there", "good bye"])
    tables: Mapping[str, Any] = field(default_factory=dict)
    takes: int | None = None
    errors: tuple[str, ...] = ()


CASES = {
    "an empty prompt file": Case("prompts.txt is empty", 3, texts=b""),
    "a prompt file of blank lines": Case("prompts.txt has no rows", 3, texts=b"\n \n\n"),
    "no prompt file": Case("there is no file", 3, texts=None),
    "a text of 50,000 characters": Case("1 item failed", 5, ["word " * 10_000, "hello"], takes=1, errors=("too-long",)),
    "emoji": Case("", 5, ["hello 👋🏽", "hello", "👩‍👩‍👧‍👦"], takes=2, errors=("?",)),
    "control characters": Case("", 5, ["hel\x07lo \x1b[31mthere", "hello"], takes=1, errors=("?",)),
    "right-to-left text": Case("", 5, ["hello", "שלום עולם", "مرحبا بالعالم"], takes=1, errors=("?", "?")),
    "bytes that are not UTF-8": Case("", 5, b"hello\nca\xff\xfe va\ngood bye\n", takes=2, errors=("?",)),
    "the same text twice": Case("", 0, ["hello", "good bye", "hello"], takes=2, errors=("duplicate",)),
    "only texts that no voice speaks": Case(
        "no voice of this recipe speaks 'de'", 3, tables={"prompts": [{"path": "prompts.txt", "language": "de"}]}
    ),
    "an unknown engine": Case("did you mean 'tone'?", 2, tables={"voices": [{"engine": "tona"}]}),
    "an unknown speaker": Case("did you mean", 2, tables={"voices": [{"engine": "kokoro", "speakers": ["jf_alfa"]}]}),
    "mistakes all over a recipe": Case(
        "did you mean 'speakers'?", 2,
        tables={"castin": {}, "voices": [{"engine": "tone", "speeker": ["a"]}], "fleet": {"workers": 0, "om": "ray"}},
    ),
    "an engine that does not start": Case(
        "the engine of mischief is broken", 4, tables={"voices": [{"engine": "mischief", "is_broken": True}]}
    ),
    "a voice that raises": Case("1 item failed", 5, ["hello", "raise this"], MISCHIEF, takes=1, errors=("ValueError",)),
    "a voice that returns no samples": Case(
        "1 item failed", 5, ["hello", "nothing"], MISCHIEF, takes=1, errors=("AudioError",)
    ),
    "a voice that returns no numbers": Case(
        "1 item failed", 5, ["hello", "nan"], MISCHIEF, takes=1, errors=("AudioError",)
    ),
    "a metric that raises": Case(
        "1 item failed", 5, ["hello", "confuse me"], MISCHIEF, takes=2, errors=("ValueError",)
    ),
    "a policy that keeps nothing": Case(
        "no release", 0, tables={"policy": {"thresholds": {"peak_dbfs": {"min": 10.0}}}}, takes=2
    ),
}  # fmt: skip


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> "Callable[..., tuple[int, str]]":
    """Runs a command in this process: its exit code, and all that it said."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "plugin"))
    monkeypatch.chdir(tmp_path)
    config.registered.cache_clear()

    def run(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["synthgen", *map(str, words)])
        capfd.readouterr()
        try:
            synthgen.cli.main()
        except SystemExit as ended:
            return int(ended.code or 0), "".join(capfd.readouterr())
        return 0, "".join(capfd.readouterr())

    return run


@pytest.mark.parametrize("name", CASES)
def test_bad_input(studio: "Studio", command: "Callable[..., tuple[int, str]]", name: str) -> None:
    case = CASES[name]
    recipe = studio.recipe(case.texts, **case.tables)

    code, said = command("run", recipe, "--on", "inline")
    print(code, said)

    assert case.says in said
    assert code == case.code
    assert "Traceback" not in said
    if case.takes is not None:
        assert studio.rows("SELECT count(*) FROM take") == [(case.takes,)]
        assert tuple(row[0] for row in studio.rows("SELECT error FROM failure ORDER BY error")) == case.errors
        studio.check_whole()
