"""What the gates cannot see: sizes, borders, and what is promised of every entry point and every query."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalogs", "synthgen", "curation", "training")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
QUERIES = sorted((ROOT / "catalogs" / "sql" / "queries").glob("*.sql"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 6

PROCESS_BORDER = "catalogs/stage.py"
HEAVY = {"torch", "torchaudio", "torchcodec", "transformers", "TTS", "onnx", "onnxruntime", "faster_whisper", "ray"}
HEAVY_CORNERS = ("synthgen/voices/neural/", "synthgen/fleet/", "curation/preference.py", "training/")
"""Where modules may import heavy libraries at their top, because nobody imports these modules at theirs."""

LIGHT = ("training/cli.py", "training/evaluation/verbs.py", "training/timing/verbs.py")
"""The parts of such corners that the command line imports."""

LONG_FILES = ("catalogs/records.py",)
"""The vocabulary of the studio, one class a word, is read as one."""

WITHOUT_ORDER = dict.fromkeys(("joined", "tail"), "a body of the view `takes`, which whoever asks it orders") | {
    "prosody_about_voice": "the body of that view, which whoever asks it orders",
    "replay_takes": "a table that other queries sum up",
    "within": "a condition",
}

MANY_PARAMETERS = ("cli.py", "verbs.py", "records.py")
"""The parameters of a verb are its options, those of a record its fields."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.lineno} {node.name}", node


def test_the_layers_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_a_reader_holds() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in FILES}

    too_long = {name: length for name, length in lengths.items() if length > MAX_FILE_LINES}
    assert {name: length for name, length in too_long.items() if name not in LONG_FILES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {name: (node.end_lineno or node.lineno) - node.lineno + 1 for name, node in functions()}

    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


def test_no_function_takes_more_than_a_reader_keeps_apart() -> None:
    counts = {
        name: len([a for a in (*node.args.args, *node.args.kwonlyargs) if a.arg not in {"self", "cls"}])
        for name, node in functions()
        if not name.partition(":")[0].endswith(MANY_PARAMETERS) and not name.startswith("curation/verbs/")
    }

    assert {name: count for name, count in counts.items() if count > MAX_PARAMETERS} == {}


def test_product_code_asserts_nothing() -> None:
    found = [name for name, tree in TREES.items() if any(isinstance(node, ast.Assert) for node in ast.walk(tree))]

    assert found == []


def test_whatever_is_caught_is_named_or_raised_again_but_at_the_process_border() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and catches_everything(node) and not isinstance(node.body[-1], ast.Raise)
    ]

    assert [place.partition(":")[0] for place in found] == [PROCESS_BORDER], found


def test_heavy_libraries_are_imported_where_they_are_built() -> None:
    found = [
        f"{name} imports {module}"
        for name, tree in TREES.items()
        if not name.startswith(HEAVY_CORNERS) or name.startswith(LIGHT)
        for module in imported_at_top(tree)
        if module.partition(".")[0] in HEAVY
    ]

    assert found == []


def test_modules_that_import_heavy_libraries_are_themselves_imported_late() -> None:
    heavy = {
        name.removesuffix(".py").replace("/", ".")
        for name, tree in TREES.items()
        if any(module.partition(".")[0] in HEAVY for module in imported_at_top(tree))
    }

    found = [
        f"{name} imports {module}"
        for name, tree in TREES.items()
        if not name.startswith(HEAVY_CORNERS) or name.startswith(LIGHT) or name.endswith("__init__.py")
        for module in imported_at_top(tree)
        if module in heavy
    ]

    assert found == []


def test_describing_what_is_registered_loads_no_model_library() -> None:
    code = (
        "import sys\n"
        "from importlib.metadata import entry_points\n"
        "import curation.production, curation.planning, curation.reading, catalogs.export, catalogs.ingest.storing\n"
        "for group in ('synthgen.voices', 'synthgen.metrics', 'synthgen.encoders', 'synthgen.language_models'):\n"
        "    for point in entry_points(group=group): point.load()\n"
        f"print([name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_says_what_its_rows_are_and_gives_several_in_order(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")

    first = sql.splitlines()[0]
    is_single = re.match(r"-- (One row:|The row of one|How many|The number of|The last|Adds the|Takes back)", first)
    assert re.match(r"-- [A-Z].*", first)
    assert is_single or "ORDER BY" in outermost(sql) or path.stem in WITHOUT_ORDER


def outermost(sql: str) -> str:
    """A query without what stands in brackets."""
    shorter = re.sub(r"\([^()]*\)", "", sql)
    return sql if shorter == sql else outermost(shorter)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "catalogs" / "sql" / "schema").glob("*.sql")), ids=lambda path: path.stem
)
def test_a_migration_begins_with_what_it_is_for(path: Path) -> None:
    assert re.match(r"-- [A-Z]", path.read_text(encoding="utf-8"))
    assert re.match(r"\d{4}_[a-z_]+", path.stem)


def test_every_query_is_asked_by_somebody() -> None:
    strings = {
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert [path.stem for path in QUERIES if path.stem not in strings] == []


def test_duckdb_is_spoken_to_in_one_place() -> None:
    found = [name for name, tree in TREES.items() if "duckdb" in {m.partition(".")[0] for m in imported(tree)}]

    assert found == ["catalogs/lake.py"]


def test_tests_are_modules_of_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_two_test_files_have_the_same_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("group", PYPROJECT["project"]["entry-points"])
def test_what_is_registered_is_what_is_installed(group: str) -> None:
    declared = PYPROJECT["project"]["entry-points"][group]

    installed = {point.name: point.value for point in entry_points(group=group)}

    assert {name: installed.get(name) for name in declared} == declared


@pytest.mark.parametrize("name", PYPROJECT["project"]["entry-points"]["synthgen.voices"])
def test_a_registered_voice_is_a_configuration_that_describes_and_builds(name: str) -> None:
    config = load("synthgen.voices", name)

    assert is_frozen(config)
    assert {"cards", "build"} <= public(config)
    assert [field.default for field in fields(config) if field.name == "engine"] == [name]


@pytest.mark.parametrize("name", PYPROJECT["project"]["entry-points"]["synthgen.metrics"])
def test_a_registered_metric_is_a_configuration_that_describes_and_builds(name: str) -> None:
    config = load("synthgen.metrics", name)

    assert is_frozen(config)
    assert {"card", "build"} <= public(config)
    assert config().card().family == name


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def imported_at_top(tree: ast.Module) -> list[str]:
    """The modules that are imported when this one is; not those for type checkers alone."""
    body = [node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))]
    return imported(ast.Module([node for node in body if not isinstance(node, Function | ast.ClassDef)], []))


def imported(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def load(group: str, name: str) -> Any:
    (point,) = entry_points(group=group, name=name)
    return point.load()


def is_frozen(config: Any) -> bool:
    parameters = getattr(config, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def public(config: Any) -> set[str]:
    return {name for name in dir(config) if not name.startswith("_") and callable(getattr(config, name))}
