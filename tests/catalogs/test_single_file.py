"""A corpus as one DuckDB file."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalogs.catalog import Catalog
from catalogs.errors import UsageError
from catalogs.single_file import write_single_file

TABLES = ("line", "prompt", "take", "takes")


def test_all_tables_are_of_one_moment_while_a_job_writes(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.record(range(3))
    with Catalog.open(tmp_path / "corpus") as catalog:
        run, written = catalog.lake.run, []

        def run_beside_a_job(sql: str) -> int:
            done = run(sql)
            if sql.startswith("CREATE TABLE"):
                written.append(studio.record([100 + len(written)], shard=f"late-{len(written)}"))
            return done

        monkeypatch.setattr(catalog.lake, "run", run_beside_a_job)
        num_takes = write_single_file(catalog, tmp_path / "one.duckdb")

    assert len(written) > len(TABLES)
    with duckdb.connect(str(tmp_path / "one.duckdb"), read_only=True) as single:
        counts = {table: single.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES}
    assert counts == dict.fromkeys(TABLES, num_takes)


def test_a_file_that_is_there_is_refused_and_kept(studio: Any, tmp_path: Path) -> None:
    (tmp_path / "one.duckdb").write_text("mine")

    with pytest.raises(UsageError) as refused:
        write_single_file(studio.catalog, tmp_path / "one.duckdb")

    assert str(refused.value) == f"{tmp_path}/one.duckdb is there already; remove it, or name another file"
    assert (tmp_path / "one.duckdb").read_text() == "mine"


def test_an_export_that_fails_leaves_nothing(studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Catalog.open(tmp_path / "corpus") as catalog:
        rows = catalog.lake.rows

        def fail_in_the_middle(sql: str) -> list[tuple[Any, ...]]:
            if sql.startswith("CREATE TABLE single.takes"):
                raise KeyboardInterrupt
            return rows(sql)

        monkeypatch.setattr(catalog.lake, "rows", fail_in_the_middle)
        with pytest.raises(KeyboardInterrupt):
            write_single_file(catalog, tmp_path / "one.duckdb")

    assert [path.name for path in tmp_path.iterdir() if "duckdb" in path.name] == []
