import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text

from synthgen.cli import app, main

RECIPE = ["RECIPE", "--json", "--on", "--set", "-o"]
SURFACE = {
    "cast": RECIPE,
    "dgsa": ["--below", "--corpus", "--iteration", "--job", "--json", "--real", "--share", "--threshold", "-c"],
    "dictionary": ["--corpus", "--json", "-c"],
    "diff": ["POLICY_A", "POLICY_B", "--corpus", "--job", "--json", "--metric", "--release", "-c"],
    "doctor": ["--json", "--speak"],
    "erosion": ["--corpus", "--job", "--json", "--real", "--release", "--size", "--store", "-c"],
    "evaluate": [
        *(
            "CHECKPOINT",
            "RELEASE",
            "--against",
            "--beams",
            "--by",
            "--corpus",
            "--json",
            "--only-unseen",
            "--split",
            "-c",
        ),
    ],
    "explain": ["TAKE", "--corpus", "--json", "-c"],
    "export": ["RELEASE", "--corpus", "--format", "--json", "--rate", "--to", "--use", "-c"],
    "freeze": [
        *("NAME", "--corpus", "--hours", "--job", "--json", "--limit", "--order", "--per-text", "--takes"),
        *("--where", "-c"),
    ],
    "hallucinations": ["CHECKPOINT", "--beams", "--json", "--language", "--noise", "--seed", "--sounds"],
    "ingest": [
        *("PATH", "--audio", "--consent", "--corpus", "--domain", "--json", "--language", "--layout", "--licence"),
        *("--speaker", "--split", "--text", "-c"),
    ],
    "interleave": [
        *("RELEASE", "--corpus", "--json", "--language", "--seed", "--set", "--split", "--texts", "--to", "--use"),
        *("-c", "-o"),
    ],
    "judge": ["RECIPE", "--corpus", "--job", "--json", "--policy", "--release", "--set", "-c", "-o"],
    "latents": [
        *("CHECKPOINT", "--guide", "--json", "--only-unseen", "--real", "--split", "--takes", "--texts"),
    ],
    "measure": ["RECIPE", "--corpus", "--json", "--metric", "--on", "--release", "--set", "-c", "-o"],
    "merge": ["RECIPE", "--json", "--set", "-o"],
    "models get": ["NAMES", "--json"],
    "models list": ["--json"],
    "models verify": ["NAMES", "--json"],
    "perplexity": ["CHECKPOINT", "FILE", "--json"],
    "plan": RECIPE,
    "preferences": ["--corpus", "--job", "--json", "--method", "--objective", "--to", "--use", "-c"],
    "probe": ["CHECKPOINT", "--json", "--real", "--split", "--sweep", "--synthetic", "--takes"],
    "questions": ["CHECKPOINT", "RELEASE", "FILE", "--corpus", "--json", "-c"],
    "record": RECIPE,
    "releases": ["--corpus", "--json", "-c"],
    "report": ["NAME", "--corpus", "--json", "--players", "--to", "-c"],
    "retry": ["--corpus", "--reason", "-c"],
    "run": RECIPE,
    "say": ["TEXT", "--seed", "--style", "--temperature", "--timbre", "--to", "--voice"],
    "set": ["--corpus", "--job", "--json", "--release", "--store", "-c"],
    "sql": ["STATEMENT", "--corpus", "--format", "--json", "--output", "--rows", "--timeout", "-c"],
    "status": ["--corpus", "--json", "-c"],
    "tdsc": RECIPE,
    "time": ["RELEASE", "--again", "--by", "--corpus", "--json", "--split", "-c"],
    "train": ["RECIPE", "--json", "--on", "--set", "--workers", "-o"],
    "transcribe": ["CHECKPOINT", "AUDIO", "--beams", "--json"],
    "variants": ["RECIPE", "--json", "--set", "--takes", "--to", "-o"],
    "vectors": ["--corpus", "--json", "--plot", "-c"],
    "verify": ["--corpus", "--deep", "--json", "--repair", "-c"],
    "voices": ["ENGINE", "--json"],
}
"""What scripts rely on. A name that goes from here breaks them: keep the old one working, or tell in the changelog."""

HEAVY = ("duckdb", "pyarrow", "numpy", "torch", "transformers", "onnxruntime", "ray", "soundfile")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls.txt").write_text("pay my bill\nwhat is my balance\n")
    (tmp_path / "toy.toml").write_text(
        'name = "toy"\nmetrics = ["levels"]\n[[prompts]]\npath = "calls.txt"\n'
        '[[voices]]\nengine = "tone"\nduration_s_per_char = 0.001\n[fleet]\non = "inline"\n'
    )
    return tmp_path


def synthgen(*words: str) -> int:
    """The exit code of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["synthgen", *words])
        with pytest.raises(SystemExit) as stop:
            main()
    return int(stop.value.code or 0)


def commands(command: Any, *path: str) -> Iterator[tuple[str, list[str]]]:
    inner = getattr(command, "commands", {})
    for name, sub in inner.items():
        yield from commands(sub, *path, name)
    if not inner:
        options = [name for p in command.params for name in p.opts if p.param_type_name == "option"]
        arguments = [str(p.name).upper() for p in command.params if p.param_type_name == "argument"]
        yield " ".join(path), [*arguments, *sorted(options)]


def test_verbs_and_options_are_those_that_scripts_rely_on() -> None:
    surface = dict(commands(typer.main.get_command(app)))

    assert surface == SURFACE


def helps(command: Any, *path: str) -> Iterator[tuple[str, str]]:
    """What is said of a verb and of each of its options."""
    for name, sub in getattr(command, "commands", {}).items():
        yield from helps(sub, *path, name)
    yield " ".join(path), command.help or ""
    yield from ((f"{' '.join(path)} {p.name}", getattr(p, "help", None) or "") for p in command.params)


def test_no_help_loses_words_that_look_like_markup() -> None:
    found = dict(helps(typer.main.get_command(app)))

    assert len(found) > len(SURFACE)
    assert {what: said for what, said in found.items() if Text.from_markup(said).plain != said} == {}


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    code = synthgen("--help")

    out = capsys.readouterr().out
    assert code == 0
    assert all(f" {verb.split()[0]} " in out for verb in SURFACE)


@pytest.mark.parametrize("verb", ["run", "sql", "models"])
def test_help_loads_nothing_heavy(verb: str) -> None:
    code = (
        f"import sys; sys.argv = ['synthgen', {verb!r}, '--help']\n"
        "from synthgen.cli import main\n"
        "try: main()\n"
        f"finally: print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "Usage" in out
    assert out.splitlines()[-1] == "loaded: []"


def test_a_job_prints_what_came_of_it_and_exits_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = synthgen("run", "toy.toml", "--json")

    summary = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (summary["lines"], summary["takes"], summary["kept"]) == (2, 2, 2)
    assert summary["release"]["name"] == "toy"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param(["sing"], 2, "No such command 'sing'", id="an unknown verb"),
        pytest.param(["run", "toy.toml", "--loud"], 2, "No such option", id="an unknown option"),
        pytest.param(["run", "tey"], 2, "error: no recipe file 'tey'", id="an unknown recipe"),
        pytest.param(["run", "toy.toml", "-o", "casting.sed=7"], 2, "did you mean 'seed'?", id="a mistake in a recipe"),
        pytest.param(["models", "get", "dnsmoss"], 2, "did you mean 'dnsmos'?", id="an unknown model"),
        pytest.param(["measure"], 2, "error: name a recipe, or the families", id="nothing named"),
        pytest.param(["status", "-c", "nowhere"], 3, "error: no corpus at nowhere", id="no corpus"),
        pytest.param(["run", "toy.toml", "-o", "prompts.0.path=gone.txt"], 3, "there is no file", id="no prompts"),
        pytest.param(
            ["run", "toy.toml", "-o", 'voices=[{engine="mms", language="en", checkpoint="/nowhere/mms"}]'],
            4, "error: there is no checkpoint at /nowhere/mms", id="no weights",
        ),
    ],
)  # fmt: skip
def test_what_went_wrong_is_a_sentence_and_an_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    found = synthgen(*words)

    written = capsys.readouterr()
    assert found == code
    assert message in " ".join(written.err.split())
    assert "Traceback" not in written.err
    assert written.out == ""


def test_a_job_that_is_done_but_for_some_items_exits_with_5_and_tells_where_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "real.jsonl").write_text('{"audio": "gone.wav", "text": "hello"}\n')

    code = synthgen("ingest", "real.jsonl", "-c", "corpus", "--layout", "jsonl")

    assert code == 5
    assert "failed" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    code = synthgen("--version")

    assert code == 0
    assert capsys.readouterr().out.count(".") >= 1
