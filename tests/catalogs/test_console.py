"""The console answers questions and does nothing else, whatever it is asked."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from catalogs.catalog import Catalog
from catalogs.console import Console, ask
from catalogs.errors import CorpusMissing, QueryRefused, UsageError
from catalogs.showing import format_of, save, show

WRITES = [
    "COPY take TO '{folder}/x.csv'",
    "COPY (SELECT 1) TO '{folder}/evil.parquet'",
    "ATTACH '{folder}/x.db' AS x",
    "DETACH corpus",
    "INSERT INTO take SELECT * FROM take",
    "DELETE FROM take",
    "UPDATE take SET id = NULL",
    "DROP TABLE take",
    "TRUNCATE take",
    "ALTER TABLE take ADD COLUMN x INTEGER",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE OR REPLACE VIEW takes AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "COMMENT ON TABLE take IS 'x'",
    "CALL ducklake_cleanup_old_files('corpus', cleanup_all => true)",
    "EXPLAIN ANALYZE DELETE FROM take",
    "EXPORT DATABASE '{folder}/e'",
    "CHECKPOINT corpus",
    "VACUUM",
    "BEGIN",
    "USE memory",
    "SET VARIABLE a = 1",
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "LOAD httpfs",
    "INSTALL httpfs",
    "PRAGMA enable_profiling",
    "PRAGMA database_list",
]
READS_ELSEWHERE = [
    "SELECT * FROM ducklake_cleanup_old_files('corpus', cleanup_all => true)",
    "SELECT * FROM ducklake_expire_snapshots('corpus', older_than => now())",
    "SELECT * FROM ducklake_merge_adjacent_files('corpus')",
    "FROM ducklake_snapshots('corpus')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('{folder}/x.csv')",
    "SELECT * FROM read_text('{folder}/corpus.toml')",
    "SELECT * FROM read_blob('{folder}/catalog.sqlite')",
    "SELECT * FROM read_parquet('{folder}/tables/**/*.parquet')",
    "SELECT * FROM parquet_metadata('{folder}/x.parquet')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '{folder}/x.csv'",
    'FROM "{folder}/x.csv"',
    'WITH "{folder}/x.csv" AS (SELECT 1) SELECT * FROM "{folder}/x.csv"',
    "DESCRIBE '/etc/passwd'",
    "SUMMARIZE '{folder}/x.csv'",
    "DESCRIBE SELECT * FROM read_csv('{folder}/x.csv')",
    "SELECT (SELECT count(*) FROM read_csv('{folder}/x.csv'))",
    "SELECT count(*) FROM take WHERE id IN (SELECT * FROM glob('*'))",
    "SELECT * FROM take, LATERAL (SELECT * FROM glob('*'))",
    "WITH a AS (SELECT * FROM glob('*')) SELECT * FROM a",
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 2 FROM glob('*')) SELECT * FROM a",
    "SELECT 1 UNION ALL SELECT 2 FROM glob('*')",
    "PIVOT (FROM glob('*')) ON file IN ('a') USING count(*)",
    "SELECT * FROM query('SELECT 42')",
    "SELECT * FROM query_table('take')",
    "SELECT * FROM json_execute_serialized_sql('{{}}')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT * FROM sqlite_scan('{folder}/catalog.sqlite', 'ducklake_metadata')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_settings",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM __ducklake_metadata_corpus.ducklake_data_file",
    "FROM memory.main.take",
    "FROM seq_scan('take')",
    "FROM arrow_scan(1, 2, 3)",
    "FROM histogram_values('take', 'id')",
    "SHOW DATABASES",
    "SHOW ALL TABLES",
    "SHOW VARIABLES",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x')",
    "SELECT current_setting('memory_limit')",
    "SELECT current_query()",
    "SELECT nextval('s')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(100)",
    "SELECT pg_sleep(1)",
    "SELECT add_parquet_key('a', 'b')",
    "SELECT system.main.getvariable('x')",
    "SELECT list_transform(['HOME'], lambda x: getenv(x))",
    "SELECT * FROM take ORDER BY getvariable('x')",
    "SELECT * FROM take LIMIT getvariable('x')",
    "SELECT count(*) FILTER (getvariable('x')) FROM take",
    "SELECT sum(1) OVER (ORDER BY getvariable('x')) FROM take",
    "SELECT sum(1) OVER w FROM take WINDOW w AS (PARTITION BY getvariable('x'))",
    "SELECT 1 FROM take GROUP BY getvariable('x')",
    "SELECT 1 FROM take QUALIFY getvariable('x')",
    "SELECT CASE WHEN true THEN getvariable('x') END",
    "VALUES (getvariable('x'))",
    "FROM take AT (VERSION => getvariable('x'))",
]
MISTAKES = [
    "",
    ";",
    "-- nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM take",
    "SELECT 1 /* ; */; -- x\nDROP TABLE take",
    "WITH x AS (INSERT INTO take SELECT * FROM take RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM take RETURNING *) SELECT * FROM x",
    "SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x), x",
    "SELECT $1",
    "SELECT ?",
    "SELEC 1",
    "PIVOT take ON origin USING count(*)",
    "IMPORT DATABASE '{folder}/e'",
    "SELECT 'a'::INTEGER",
    "FROM take AT (VERSION => 99999)",
]
QUESTIONS = [
    "FROM takes",
    "TABLE take",
    "SHOW TABLES",
    "DESCRIBE takes",
    "SUMMARIZE prompt",
    "SELECT * FROM (DESCRIBE takes)",
    "SELECT voice, avg(wer), count(*) FILTER (WHERE wer > 0.1) FROM takes GROUP BY ALL ORDER BY 2 NULLS LAST",
    "SELECT * EXCLUDE (text) REPLACE (round(wer, 2) AS wer) FROM takes USING SAMPLE 10%",
    "SELECT COLUMNS('.*_s') FROM takes",
    "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM takes) GROUP BY reason",
    "SELECT slots['n'], text[1:3], list_transform(reasons, lambda r: upper(r)), [x * 2 FOR x IN [1, 2]] FROM takes",
    "SELECT CASE WHEN wer > 1 THEN 'a' END, wer::INTEGER, coalesce(wer, 0), text LIKE 't%', text ~ 'x' FROM takes",
    "SELECT take.id FROM take JOIN prompt ON prompt.id = take.prompt_id ANTI JOIN verdict ON verdict.take_id = take.id",
    "SELECT row_number() OVER (PARTITION BY voice ORDER BY take_id) AS r FROM takes QUALIFY r = 1",
    "SELECT lag(wer) OVER w FROM takes WINDOW w AS (ORDER BY take_id)",
    "WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (FROM a) SELECT * FROM b UNION ALL SELECT * FROM a",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
    "WITH take AS (SELECT 1) SELECT * FROM take",
    "SELECT * FROM range(3) AS r(i), LATERAL (SELECT i + 1), (VALUES (1)) AS v(x)",
    "PIVOT takes ON voice IN ('tone/a') USING count(*) GROUP BY language",
    "SELECT median(audio_s), quantile_cont(audio_s, 0.9), histogram(audio_s), arg_max(text, audio_s) FROM takes",
    "SELECT date_trunc('day', now()), current_date, extract(year FROM now()), random(), uuid()",
    "SELECT text.upper().left(3), levenshtein(text, 'a'), regexp_extract(text, '[0-9]+') FROM takes",
    "SELECT json_extract('{{\"a\": 1}}', '$.a')",
    "SELECT text, count(*) FROM takes GROUP BY ROLLUP (text)",
    "SELECT DISTINCT snapshot_id FROM take",
    "SELECT * FROM corpus.takes",
    "SELECT * FROM corpus.main.Takes LIMIT 1;",
    "SELECT a.id FROM take AS a POSITIONAL JOIN take AS b",
]


@pytest.fixture(scope="module")
def folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with a file in it that nobody may read."""
    import shutil

    folder = tmp_path_factory.mktemp("console") / "corpus"
    shutil.copytree(template, folder)
    return folder


@pytest.fixture(scope="module")
def console(folder: Path, filled: Callable[[Path], None]) -> Iterator[Console]:
    filled(folder)
    (folder / "x.csv").write_text("a,b\n1,2\n")
    with Console(folder, timeout_s=20) as console:
        yield console


def fingerprint(folder: Path) -> str:
    """Everything under the corpus but SQLite's own shared memory."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".sqlite-shm")
    return hashlib.sha256(repr([(str(p), p.read_bytes()) for p in files]).encode()).hexdigest()


@pytest.mark.parametrize("sql", [*WRITES, *READS_ELSEWHERE])
def test_what_does_more_than_read_the_corpus_is_refused(console: Console, folder: Path, sql: str) -> None:
    before = fingerprint(folder)

    with pytest.raises((QueryRefused, UsageError)):
        console.ask(sql.format(folder=folder))

    assert fingerprint(folder) == before


@pytest.mark.parametrize("sql", MISTAKES)
def test_a_mistake_is_told_as_one(console: Console, folder: Path, sql: str) -> None:
    with pytest.raises(UsageError):
        console.ask(sql.format(folder=folder))


@pytest.mark.parametrize("sql", QUESTIONS)
def test_questions_of_every_shape_are_answered(console: Console, sql: str) -> None:
    assert console.ask(sql.replace("{{", "{").replace("}}", "}")).num_columns > 0


def test_an_unknown_column_is_told_with_the_nearest_and_its_place(console: Console) -> None:
    with pytest.raises(UsageError) as told:
        console.ask("SELECT voice, werr FROM takes")

    assert str(told.value).splitlines() == [
        'Referenced column "werr" not found in FROM clause; did you mean "wer"?',
        "LINE 1: SELECT voice, werr FROM takes",
        "                      ^",
    ]


@pytest.mark.parametrize(
    ("sql", "hint"),
    [("FROM tak", "did you mean take?"), ("SELECT medain(wer) FROM takes", "did you mean median?")],
)
def test_an_unknown_name_is_told_with_the_nearest(console: Console, sql: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint.replace("?", r"\?")):
        console.ask(sql)


def test_a_python_variable_is_no_table(console: Console) -> None:
    secret = console.ask("SELECT 1 AS x")
    assert secret.num_rows == 1

    with pytest.raises(UsageError, match="no table secret"):
        console.ask("FROM secret")


def test_a_query_that_takes_too_long_is_stopped(console: Console, folder: Path) -> None:
    with pytest.raises(QueryRefused, match=r"stopped after 0\.3 s"):
        ask(folder, "SELECT count(*) FROM range(10000000000) AS r(i) WHERE hash(i) = 1", timeout_s=0.3)


def test_the_session_is_locked_even_if_the_check_were_passed(console: Console, folder: Path) -> None:
    with Catalog.open(folder) as catalog:
        catalog.lake.lock_down()
        for sql in ("FROM read_text('/etc/hostname')", "SET memory_limit = '9GB'", "COPY (SELECT 1) TO '/tmp/x.csv'"):
            with pytest.raises(Exception, match=r"disabled|locked|refused"):
                catalog.lake.rows(sql)


def test_no_corpus_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusMissing, match="synthgen run"):
        ask(tmp_path, "SELECT 1")


def test_windows_never_lose_the_session(console: Console) -> None:
    for _ in range(60):
        assert console.ask("SELECT sum(num_samples) OVER () FROM takes LIMIT 2").num_rows == 2


@pytest.fixture(scope="module")
def answer(console: Console) -> Any:
    return console.ask(
        "SELECT i AS n, 'a,\"b\"' AS text, [1, 2] AS list, {'x': 1.5} AS struct, NULL AS nothing, "
        "'nan'::DOUBLE AS bad, "
        "MAP {'k': 'v'} AS map, i AS n, 10::HUGEINT AS big, DATE '2020-01-02' AS day FROM range(3) AS r(i)"
    )


def test_json_holds_plain_values_and_null_for_nan(answer: Any) -> None:
    rows = json.loads("\n".join(show(answer, "json")))

    assert rows[1] == {
        "n": 1, "text": 'a,"b"', "list": [1, 2], "struct": {"x": 1.5}, "nothing": None, "bad": None,
        "map": {"k": "v"}, "n_2": 1, "big": 10, "day": "2020-01-02",
    }  # fmt: skip
    assert [json.loads(line)["n"] for line in show(answer, "jsonl")] == [0, 1, 2]


def test_csv_quotes_and_writes_lists_as_json(answer: Any) -> None:
    header, first, *_ = show(answer, "csv")

    assert header == "n,text,list,struct,nothing,bad,map,n,big,day"
    assert first == '0,"a,""b""","[1, 2]","{""x"": 1.5}",,,"{""k"": ""v""}",0,10,2020-01-02'


def test_a_table_says_how_many_rows_it_leaves_out(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")

    lines = list(show(answer, "table", rows=2))

    assert lines[-1] == "(3 rows, 1 of them not shown: add LIMIT, or take all with --format csv)"
    assert len(lines) == 5


def test_a_result_is_saved_whole(answer: Any, tmp_path: Path) -> None:
    save(answer, tmp_path / "a.parquet", format_of(None, tmp_path / "a.parquet"))
    save(answer, tmp_path / "a.csv", "csv")

    assert pq.read_table(tmp_path / "a.parquet")["n_2"].to_pylist() == [0, 1, 2]
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.parquet"]


@pytest.mark.parametrize("name", ["xml", "TABLE", "exe"])
def test_an_unknown_format_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="choose one of table, csv, json, jsonl, parquet"):
        format_of(name, None)
