"""The verbs of the catalog, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

import catalogs.cli
import curation.verbs.selecting
from catalogs import flac
from catalogs.errors import SynthgenError

Run = Callable[..., Result]


@pytest.fixture
def corpus(template: Path, filled: Callable[[Path], None], tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(template, tmp_path / "corpus")
    filled(tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture
def run(corpus: Path) -> Run:
    app = typer.Typer()
    catalogs.cli.register(app)
    curation.verbs.selecting.register(app)

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(app, arguments, env={"SYNTHGEN_CORPUS": str(corpus)}, **options)

    return run


def told(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_sql_answers_in_every_format(run: Run, tmp_path: Path) -> None:
    question = "SELECT verdict, count(*) AS n FROM takes GROUP BY ALL ORDER BY 1 NULLS LAST"
    rows = [{"verdict": "drop", "n": 2}, {"verdict": "keep", "n": 10}, {"verdict": None, "n": 8}]

    assert told(run("sql", question, "--json")) == rows
    assert run("sql", question, "--format", "csv").stdout.splitlines() == ["verdict,n", "drop,2", "keep,10", ",8"]
    assert "(3 rows)" in run("sql", question).stdout
    assert told(run("sql", "-", "--json", input=question)) == rows
    saved = run("sql", question, "--output", str(tmp_path / "n.parquet"))
    assert (saved.exit_code, saved.stdout) == (0, "")
    assert (tmp_path / "n.parquet").exists()


@pytest.mark.parametrize(
    ("sql", "code"), [("SELECT wrr FROM takes", 2), ("DELETE FROM take", 3), ("FROM read_text('/etc/hostname')", 3)]
)
def test_sql_that_cannot_be_answered_has_an_exit_code(run: Run, sql: str, code: int) -> None:
    error = run("sql", sql).exception

    assert isinstance(error, SynthgenError)
    assert error.exit_code == code


def test_freeze_takes_what_was_kept_and_says_when_it_was_frozen_before(run: Run) -> None:
    first, again = told(run("freeze", "spring", "--json")), told(run("freeze", "spring", "--json"))

    assert (first["num_takes"], first["already_frozen"], again["already_frozen"]) == (10, False, True)
    assert again["id"] == first["id"]
    assert json.loads(first["made_by"])["where"] == "verdict = 'keep'"
    assert "spring: 10 takes" in run("releases").stdout
    assert json.loads(run("releases", "--json").stdout)["licences"] == ["CC0-1.0"]


def test_freeze_by_condition_order_and_limit(run: Run) -> None:
    frozen = told(run("freeze", "best", "--where", "wer < 1", "--order", "wer", "--limit", "3", "--json"))

    assert frozen["num_takes"] == 3


def test_a_release_is_exported(run: Run, tmp_path: Path) -> None:
    run("freeze", "spring")

    report = told(run("export", "spring", "--to", str(tmp_path / "out"), "--format", "jsonl", "--json"))

    assert report["num_takes"] == 10
    assert (tmp_path / "out" / "README.md").exists()


def test_the_corpus_is_exported_as_one_file(run: Run, tmp_path: Path) -> None:
    report = told(run("export", "--to", str(tmp_path / "corpus.duckdb"), "--format", "duckdb", "--json"))

    assert report["num_takes"] == 20
    code = """if True:
        import duckdb, sys
        file = duckdb.connect(sys.argv[1], read_only=True)
        print(file.sql("SELECT count(*), count(wer) FROM takes").fetchone())
        print(file.sql("SELECT comment FROM duckdb_columns() WHERE (table_name, column_name) = ('takes', 'peak_db')"))
    """
    shown = subprocess.run([sys.executable, "-c", code, report["to"]], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("(20, 10)")
    assert "highest sample [dB]" in shown.stdout
    assert [p.name for p in tmp_path.iterdir() if "duckdb" in p.name] == ["corpus.duckdb"]
    assert isinstance(run("export", "--to", report["to"], "--format", "duckdb").exception, SynthgenError)


def test_ingest_is_told_what_a_manifest_does_not_say_and_how_its_columns_are_called(run: Run, tmp_path: Path) -> None:
    (tmp_path / "1.flac").write_bytes(flac.encode(np.arange(4000, dtype=np.int16), 16_000))
    (tmp_path / "m.jsonl").write_text('{"sound": "1.flac", "said": "good morning"}')
    labels = ["--speaker", "ann", "--split", "dev", "--domain", "bank", "--text", "said", "--audio", "sound"]

    ingested = told(run("ingest", str(tmp_path / "m.jsonl"), *labels, "--json"))

    assert (ingested["added"], ingested["failed"]) == (1, 0)
    question = "SELECT text, voice, split, domain FROM takes WHERE origin = 'real'"
    row = {"text": "good morning", "voice": "human/ann", "split": "dev", "domain": "bank"}
    assert told(run("sql", question, "--json")) == [row]


@pytest.mark.parametrize("arguments", [["--format", "duckdb", "spring"], ["--format", "shar"]])
def test_an_export_without_its_release_is_told(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    error = run("export", "--to", str(tmp_path / "out"), *arguments).exception

    assert isinstance(error, SynthgenError)
    assert error.exit_code == 2


def test_verify_ends_with_a_code_that_tells(run: Run, corpus: Path) -> None:
    sound = told(run("verify", "--json"))
    (corpus / "audio" / "shard-000000.tar").unlink()

    broken, mended, again = run("verify"), run("verify", "--repair", "--json"), run("verify")

    assert (sound["exit_code"], sound["takes"], sound["problems"]) == (0, 20, [])
    assert (broken.exit_code, mended.exit_code, again.exit_code) == (3, 5, 0)
    assert "shard missing" in broken.stdout
    assert len(json.loads(mended.stdout)["problems"][0]["lost"]) == 20


def test_verify_and_freeze_make_no_corpus(run: Run, tmp_path: Path) -> None:
    for arguments in (["verify", "--repair"], ["freeze", "x"], ["sql", "SELECT 1"]):
        error = run(*arguments, "--corpus", str(tmp_path / "nowhere")).exception
        assert isinstance(error, SynthgenError)
        assert error.exit_code == 3
    assert not (tmp_path / "nowhere").exists()


def test_the_dictionary_tells_every_column(run: Run) -> None:
    rows = told(run("dictionary", "--json"))

    assert {"column": "wer", "unit": "", "better": "lower"}.items() <= next(
        r for r in rows if r["column"] == "wer"
    ).items()
    assert {"tail", "missed_slots"} <= {r["column"] for r in rows if r["family"] == "hypothesis"}
    assert "| wer | DOUBLE |" in run("dictionary").stdout


def test_models_are_listed(run: Run) -> None:
    rows = [json.loads(line) for line in run("models", "list", "--json").stdout.splitlines()]

    assert {"name", "licence", "sha256", "num_bytes", "cached"} <= rows[0].keys()


def test_importing_the_verbs_loads_nothing_heavy() -> None:
    code = "import sys, catalogs.cli; print(sorted({'duckdb', 'numpy', 'pyarrow', 'soundfile'} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
