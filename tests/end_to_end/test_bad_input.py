"""Whatever is wrong with what a user brings: one clear sentence, the documented exit code, and nothing lost."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import synthgen.cli
from catalogs import config, models
from catalogs.catalog import Catalog

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

Command: TypeAlias = Callable[..., tuple[int, str]]

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
    "a text of 50,000 characters": Case(
        "1 prompt left out", 5, ["word " * 10_000, "hello"], takes=1, errors=("too-long",)
    ),
    "emoji": Case("1 prompt left out", 5, ["good bye 👋🏽", "hello", "👩‍👩‍👧‍👦"], takes=2, errors=("only_emoji",)),
    "control characters": Case(
        "1 prompt left out", 5, ["hel\x07lo \x1b[31mthere", "hello"], takes=1, errors=("control-character",)
    ),
    "right-to-left text": Case(
        "2 prompts left out", 5, ["hello", "שלום עולם", "مرحبا بالعالم"], takes=1, errors=("wrong_script",) * 2
    ),
    "bytes that are not UTF-8": Case(
        "1 prompt left out", 5, b"hello\nca\xff\xfe va\ngood bye\n", takes=2, errors=("invalid-encoding",)
    ),
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
    "a voice that raises": Case(
        "1 line not recorded", 5, ["hello", "raise this"], MISCHIEF, takes=1, errors=("ValueError",)
    ),
    "a voice that returns no samples": Case(
        "1 line not recorded", 5, ["hello", "nothing"], MISCHIEF, takes=1, errors=("AudioError",)
    ),
    "a voice that returns no numbers": Case(
        "1 line not recorded", 5, ["hello", "nan"], MISCHIEF, takes=1, errors=("AudioError",)
    ),
    "a metric that raises": Case(
        "1 take not measured in full", 5, ["hello", "confuse me"], MISCHIEF, takes=2, errors=("ValueError",)
    ),
    "a policy that keeps nothing": Case(
        "no release: the policy keeps none of 2 takes: peak_dbfs < 10 (2)", 3, takes=2,
        tables={"policy": {"thresholds": {"peak_dbfs": {"min": 10.0}}}},
    ),
}  # fmt: skip


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Command:
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
def test_bad_input(studio: "Studio", command: Command, name: str) -> None:
    case = CASES[name]
    recipe = studio.recipe(case.texts, **case.tables)

    code, said = command("run", recipe, "--on", "inline")

    assert case.says in said
    assert code == case.code
    assert "Traceback" not in said
    if case.takes is not None:
        assert studio.rows("SELECT count(*) FROM take") == [(case.takes,)]
        assert tuple(row[0] for row in studio.rows("SELECT error FROM failure ORDER BY error")) == case.errors
        studio.check_whole()


def test_all_mistakes_of_a_recipe_are_told_at_once(studio: "Studio", command: Command) -> None:
    recipe = studio.recipe(
        castin={},
        voices=[{"engine": "tone", "speeker": ["a"]}, {"engine": "kokora"}],
        metrics=["level"],
        policy={"thresholds": {"peak_db": {"max": 0}}},
        fleet={"worker": 3},
    )

    code, said = command("run", recipe, "-o", "casting.takes=0")

    assert code == 2
    assert [hint in said for hint in ("'casting'", "'speakers'", "'kokoro'", "'levels'", "'workers'")] == [True] * 5
    assert "casting.takes must be at least 1" in said
    assert not (studio.folder / "corpus").exists()


def test_a_model_that_no_network_can_bring_is_named(
    studio: "Studio", command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(studio.folder / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    recipe = studio.recipe(voices=[{"engine": "tone"}], metrics=["quality"])

    code, said = command("run", recipe, "--on", "inline")

    assert code == 4
    assert "is not to be had" in said
    assert "synthgen models get" in said
    assert studio.rows("SELECT outcome FROM run") == [("error",)]


def test_a_model_of_another_hash_is_refused(
    studio: "Studio", command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = models.artefact("dnsmos")
    forged = studio.folder / "models" / wanted.name
    forged.mkdir(parents=True)
    for file in wanted.files:
        (forged / file.name).write_bytes(bytes(file.num_bytes))
    monkeypatch.setenv("SYNTHGEN_CACHE", str(studio.folder / "cache"))
    monkeypatch.setenv("SYNTHGEN_MODELS", str(forged.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    code, said = command("run", studio.recipe(metrics=["quality"]), "--on", "inline")

    assert code == 4
    assert "sha256" in said.lower()
    assert str(forged) in said or wanted.name in said


@pytest.fixture
def finished(studio: "Studio", command: Command) -> "Studio":
    assert command("run", studio.recipe(["hello", "good bye"]), "--on", "inline")[0] == 0
    return studio


def shard_of(studio: "Studio") -> Path:
    (shard,) = (studio.folder / "corpus" / "audio").glob("*.tar")
    return shard


def test_audio_that_does_not_decode_is_a_failure_of_that_take(finished: "Studio", command: Command) -> None:
    offset, num_bytes = finished.rows('SELECT "offset", num_bytes FROM take ORDER BY "offset" LIMIT 1')[0]
    with shard_of(finished).open("r+b") as shard:
        shard.seek(offset)
        shard.write(bytes(num_bytes))

    code, said = command(
        "run", finished.recipe(None, metrics=["levels", "pace"]), "--on", "inline", "-o", "release.name=second"
    )

    assert code == 5
    assert "1 take not measured in full" in said
    assert finished.rows("SELECT count(*) FROM score_pace") == [(1,)]
    assert finished.rows("SELECT stage, error FROM failure") == [("measure", "AudioError")]


def test_a_shard_cut_in_half_is_told_by_measuring_and_mended_by_verify(finished: "Studio", command: Command) -> None:
    shard = shard_of(finished)
    os.truncate(shard, shard.stat().st_size // 2)
    recipe = finished.recipe(None, metrics=["levels", "pace"], release={"name": "second"})

    measured, said = command("run", recipe, "--on", "inline")
    message = finished.rows("SELECT message FROM failure")[0][0]
    found, faults = command("verify", "-c", finished.folder / "corpus")
    command("verify", "--repair", "-c", finished.folder / "corpus")
    again, _ = command("run", recipe, "--on", "inline")

    assert measured == 5, said
    assert "synthgen verify --repair" in message
    assert (found, again) == (3, 0), faults
    finished.check_sound()


def test_a_catalog_of_a_later_version_is_left_alone(finished: "Studio", command: Command) -> None:
    with Catalog.create(finished.folder / "corpus") as catalog:
        catalog.lake.run("INSERT INTO migration VALUES (99, 'later', now())")

    code, said = command("run", finished.recipe(None), "--on", "inline")

    assert code == 3
    assert "has schema 99" in said
    assert "upgrade" in said


def test_a_second_job_on_one_corpus_is_refused_with_the_holders_name(finished: "Studio", command: Command) -> None:
    with Catalog.create(finished.folder / "corpus") as catalog, catalog.job("synthgen run other.toml"):
        code, said = command("run", finished.recipe(None), "--on", "inline")

    assert code == 3
    assert f"is being written by process {os.getpid()}" in said
    assert "`synthgen run other.toml`" in said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("left", [0, *(pytest.param(left, marks=pytest.mark.slow) for left in (700_000, 1_200_000))])
def test_a_full_disk_is_told_and_what_was_done_is_kept(
    studio: "Studio", command: Command, small_disk: Path, left: int
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - left))
    recipe = studio.recipe([f"text number {n}" * 10 for n in range(40)], corpus=str(small_disk / "corpus"))

    code, said = command("run", recipe, "--on", "inline")
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    again, words = command("run", recipe, "--on", "inline")

    assert code == 3, said
    assert "Traceback" not in said
    assert "free some space and run the same command again" in said
    assert again == 0, words
    studio.folder = small_disk
    studio.check_whole()
