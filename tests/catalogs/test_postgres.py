"""Several jobs write one corpus on a real Postgres server: no take twice, none lost."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalogs import takes
from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.console import ask
from catalogs.errors import QueryRefused
from catalogs.verify import verify


def server_tool(name: str) -> str | None:
    """A program of the Postgres server, which Debian keeps out of the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else shutil.which(name)


pytestmark = pytest.mark.skipif(
    server_tool("initdb") is None or server_tool("pg_ctl") is None, reason="the Postgres server is not installed"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def as_postgres(*command: str) -> None:
    """The server refuses to run as root."""
    become = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*become, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own folders are closed to other users
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    as_postgres(str(server_tool("initdb")), "-D", str(data), "-A", "trust", "-U", "studio", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    as_postgres(str(server_tool("pg_ctl")), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"dbname=postgres host=127.0.0.1 port={port} user=studio"
    finally:
        as_postgres(str(server_tool("pg_ctl")), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def database(dsn: str, request: pytest.FixtureRequest) -> str:
    """A new database for every test."""
    import psycopg

    name = f"corpus_{abs(hash(request.node.name))}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return dsn.replace("dbname=postgres", f"dbname={name}")


JOB = """
import random, runpy, sys, time
from pathlib import Path
tests, folder, dsn, who = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
Studio = runpy.run_path(str(tests / "conftest.py"))["Studio"]
from catalogs.catalog import Done
from catalogs.records import Score, Take
studio = Studio(folder, metadata_at=dsn)
with studio.catalog.job(who):
    lines = studio.lines(range(60))
    known = {str(row[0]) for row in studio.catalog.lake.rows("SELECT line_id FROM take")}
    missing = [line for line in lines if line.id not in known]
    print("planned", flush=True)
    sys.stdin.readline()
    random.Random(who).shuffle(missing)
    writer = studio.catalog.audio.writer(who, shard_takes=20)
    for start in range(0, len(missing), 6):
        takes = studio.append(writer, missing[start : start + 6])
        scores = {studio.LEVELS: [Score(take.id, (-1.0,)) for take in takes]}
        studio.catalog.commit(Done(takes=takes, scores=scores, shards=writer.seal(if_full=True)))
    studio.catalog.commit(Done(shards=writer.seal()))
    studio.catalog.tidy()
"""


def start_job(folder: Path, database: str, who: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", JOB, str(Path(__file__).parent), str(folder), database, who]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_corpus_is_written_where_it_has_its_metadata(database: str, tmp_path: Path) -> None:
    Catalog.create(tmp_path / "corpus", metadata_at=database).lake.close()

    with Catalog.create(tmp_path / "corpus") as again:
        assert again.metadata_at == database
        assert again.count("takes") == 0


def test_two_jobs_at_once_record_every_line_once(database: str, tmp_path: Path) -> None:
    jobs = [start_job(tmp_path / "corpus", database, who) for who in ("one", "two", "three")]
    for job in jobs:
        assert job.stdout is not None
        assert job.stdout.readline() == "planned\n", job.communicate()[1]
    for job in jobs:
        assert job.stdin is not None
        job.stdin.write("go\n")
        job.stdin.flush()
    ended = [job.communicate() for job in jobs]

    assert [job.returncode for job in jobs] == [0, 0, 0], ended
    with Catalog.open(tmp_path / "corpus") as catalog:
        count = catalog.lake.rows("SELECT count(*), count(DISTINCT id), count(DISTINCT line_id) FROM take")
        assert count == [(60, 60, 60)]
        for table in ("prompt", "line", "takes", "score_levels"):
            assert catalog.count(table) == 60
        assert catalog.count("voice") == 1
        report = verify(catalog, deep=True)
        assert report.problems == [], report.text()
        writers = catalog.lake.rows("SELECT count(DISTINCT split_part(shard, '-', 1)) FROM take")
        assert writers[0][0] > 1


def test_a_corpus_on_postgres_is_asked_and_locked_like_any_other(
    database: str, tmp_path: Path, make_postgres_studio: Any
) -> None:
    studio = make_postgres_studio(tmp_path / "corpus", database)
    studio.record(range(4))

    assert ask(tmp_path / "corpus", "SELECT count(*) AS n FROM takes").to_pylist() == [{"n": 4}]
    for sql in ("SELECT * FROM postgres_query('corpus', 'SELECT 1')", "FROM read_text('/etc/hostname')"):
        with pytest.raises(QueryRefused):
            ask(tmp_path / "corpus", sql)


def test_what_a_neighbour_has_done_meanwhile_is_not_written_again(
    database: str, tmp_path: Path, make_postgres_studio: Any
) -> None:
    here = make_postgres_studio(tmp_path / "corpus", database)
    there = make_postgres_studio(tmp_path / "corpus", database)
    first = here.record([1], shard="here")
    there.record([2, 3], shard="there")

    writer = here.catalog.audio.writer("again")
    again = here.append(writer, here.lines([1, 2, 3, 4]))
    here.catalog.commit(Done(takes=again[1:], shards=writer.seal()))
    there.record([4, 5], shard="late")

    rows = here.catalog.lake.rows(
        'SELECT prompt.text, shard, "offset", num_bytes FROM take JOIN prompt ON prompt.id = prompt_id'
    )
    assert sorted((text, shard.split("-")[0]) for text, shard, *_ in rows) == [
        ("text 1", "here"), ("text 2", "there"), ("text 3", "there"), ("text 4", "again"), ("text 5", "late"),
    ]  # fmt: skip
    assert all(here.catalog.audio.read(Place(shard, offset, size)) for _, shard, offset, size in rows)
    assert first[0].shard == "here-000000.tar"


def test_flattening_by_one_job_is_seen_by_the_other(database: str, tmp_path: Path, make_postgres_studio: Any) -> None:
    here = make_postgres_studio(tmp_path / "corpus", database)
    there = make_postgres_studio(tmp_path / "corpus", database)
    here.record(range(4), shard="here")
    takes.flatten(here.catalog.lake)

    there.record(range(4, 6), shard="there")
    takes.flatten(there.catalog.lake)
    here.score(here.LEVELS, [row[0] for row in here.catalog.lake.rows("SELECT id::VARCHAR FROM take")], -1.0)

    assert there.catalog.lake.rows("SELECT count(*), count(peak_db) FROM takes") == [(6, 6)]


@pytest.fixture
def make_postgres_studio() -> Iterator[Any]:
    import runpy

    studio_class = runpy.run_path(str(Path(__file__).parent / "conftest.py"))["Studio"]
    made: list[Any] = []

    def make(folder: Path, database: str) -> Any:
        made.append(studio_class(folder, metadata_at=database))
        return made[-1]

    yield make
    for studio in made:
        studio.catalog.lake.close()
