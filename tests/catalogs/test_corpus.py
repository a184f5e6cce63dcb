"""A corpus on disk: one writer at a time, readable by all, wherever it lies."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs import corpus
from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.console import ask
from catalogs.errors import CatalogError, CorpusBusy, CorpusMissing, CorpusTooNew
from catalogs.lake import SQLITE, Lake

HOLDER = """
import sys
from pathlib import Path
from catalogs.corpus import job_lock
with job_lock(Path(sys.argv[1]), metadata="sqlite", command="synthgen run demo"):
    print("held", flush=True)
    sys.stdin.read()
"""

READER = """
import sys
from pathlib import Path
from catalogs.console import ask
print("asked", flush=True)
ask(Path(sys.argv[1]), sys.argv[2])
"""
NOBODY = """
import os, sys
from pathlib import Path
from catalogs.console import ask
corpus = Path(sys.argv[1])
ask(corpus, "FROM takes")  # what is imported on the way may lie where only root can read
for left in corpus.glob("catalog.sqlite-*"):
    left.unlink()
os.setgid(65534)
os.setuid(65534)
print(ask(corpus, "SELECT count(*) AS n FROM takes").to_pylist()[0]["n"])
"""


def test_a_second_job_is_refused_with_the_name_of_the_first(studio: Any) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, studio.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    with (
        pytest.raises(CorpusBusy, match=f"process {holder.pid} on .*`synthgen run demo`"),
        studio.catalog.job("second"),
    ):
        pass

    holder.kill()
    holder.wait()
    with studio.catalog.job("second"):
        assert json.loads((studio.folder / corpus.LOCK).read_text())["command"] == "second"


def test_a_corpus_of_a_later_version_is_refused_and_left_alone(studio: Any) -> None:
    studio.catalog.lake.run("INSERT INTO migration VALUES (999, 'later', NULL)")

    for opening in (Catalog.open, Catalog.create):
        with pytest.raises(CorpusTooNew, match="schema 999"):
            opening(studio.folder)


def test_a_corpus_can_be_moved(studio: Any, tmp_path: Path) -> None:
    take = studio.record(range(3))[0]
    studio.catalog.lake.close()

    moved = Path(shutil.move(studio.folder, tmp_path / "elsewhere"))

    with Catalog.create(moved) as catalog:
        assert catalog.count("takes") == 3
        assert len(catalog.audio.read(Place(take.shard, take.offset, take.num_bytes))) == take.num_bytes


def test_no_corpus_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusMissing, match="synthgen run"):
        Catalog.open(tmp_path)
    with pytest.raises(CorpusMissing, match=r"catalog\.sqlite"):
        Lake(tmp_path, read_only=True)


def test_settings_that_are_not_toml_are_told(studio: Any) -> None:
    (studio.folder / corpus.SETTINGS).write_text("metadata = sqlite")

    with pytest.raises(CatalogError, match="expected the line"):
        Catalog.open(studio.folder)


def test_a_corpus_keeps_its_metadata_where_it_was_made(studio: Any) -> None:
    with pytest.raises(CatalogError, match="name another folder"):
        Catalog.create(studio.folder, metadata_at="dbname=x")
    assert corpus.metadata_of(studio.folder) == SQLITE


def test_a_long_question_does_not_hold_up_a_job(studio: Any) -> None:
    studio.record(range(5))
    endless = "SELECT count(*) FROM take, range(1000000000000) AS r(i) WHERE hash(i) = 1"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, studio.folder, endless], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert reader.stdout is not None
        reader.stdout.readline()
        for number in range(3):
            studio.record(range(10 + number, 11 + number), shard=f"meanwhile{number}")
        assert reader.poll() is None
    finally:
        reader.kill()
        reader.wait()

    assert studio.catalog.count("take") == 8


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root, to become somebody without rights")
def test_a_corpus_without_write_permission_can_be_read(studio: Any) -> None:
    studio.record(range(3))
    studio.catalog.lake.close()
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        Path(folder).chmod(0o755)
        shutil.copytree(studio.folder, Path(folder) / "corpus")
        command = [sys.executable, "-c", NOBODY, str(Path(folder) / "corpus")]

        told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert told.stdout.strip() == "3", told.stderr


def test_a_reader_leaves_nothing_behind(studio: Any, make_studio: Callable[..., Any]) -> None:
    studio.record(range(3))
    before = sorted(p for p in studio.folder.rglob("*") if "sqlite" not in p.name)

    ask(studio.folder, "FROM takes")

    assert sorted(p for p in studio.folder.rglob("*") if "sqlite" not in p.name) == before
