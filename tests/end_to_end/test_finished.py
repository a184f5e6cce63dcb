"""A job that is finished, run again: it says what it has come to, and touches nothing."""

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

WORDS = ["pay", "send", "block", "open", "play", "stop", "where", "balance", "card", "music"]


def rows_by_table(studio: "Studio") -> dict[str, int]:
    with studio.catalog() as catalog:
        tables = catalog.lake.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'corpus'")
        return {name: catalog.count(name) for (name,) in tables}


def test_a_finished_job_adds_one_run_and_never_starts_ray(studio: "Studio") -> None:
    recipe = studio.recipe(metrics=["levels", "pace"])
    first = studio.run("run", recipe, "--on", "inline")
    before = rows_by_table(studio)

    second = studio.run("run", recipe, IMPORTED_TO=str(studio.folder / "imported"))

    imported = (studio.folder / "imported").read_text().splitlines()
    assert (first.code, second.code) == (0, 0), second.err
    assert second.out == first.out
    assert rows_by_table(studio) == before | {"run": before["run"] + 1}
    assert "synthgen.fleet" in imported
    assert not {"ray", "torch", "onnxruntime"} & set(imported)


@pytest.mark.slow
def test_a_hundred_thousand_finished_lines_are_told_in_ten_seconds(studio: "Studio") -> None:
    texts = [f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} number {n}" for n in range(50_000)]
    voice = {"engine": "tone", "speakers": ["a", "b"], "duration_s_per_char": 0.005}
    recipe = studio.recipe(texts, voices=[voice], metrics=[])
    assert studio.run("run", recipe, "--on", "inline", timeout_s=280).code == 0

    began = time.monotonic()
    second = studio.run("run", recipe)
    took_s = time.monotonic() - began

    assert "takes 100,000" in second.out
    assert took_s < 10
