import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.flac import decode, pcm_sha256
from catalogs.verify import verify

HERE = Path(__file__).parent

TEXTS = [f"{word} number {n}" for n, word in enumerate(["pay", "send", "block", "open", "play", "stop"] * 10)]


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass
class Studio:
    """A folder in which recipes are run, each command in a process of its own, as a user would."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def recipe(self, texts: Sequence[str] | bytes | None = TEXTS, **tables: Any) -> Path:
        """Write recipe.toml, and prompts.txt with the texts; the tone voice reads them, ten milliseconds a letter."""
        if isinstance(texts, bytes):
            (self.folder / "prompts.txt").write_bytes(texts)
        elif texts is not None:
            (self.folder / "prompts.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        tone = {"engine": "tone", "duration_s_per_char": 0.01}
        usual = {"name": "job", "corpus": str(self.folder / "corpus"), "prompts": [{"path": "prompts.txt"}]}
        usual |= {"voices": [tone], "metrics": ["levels"]}
        path = self.folder / "recipe.toml"
        path.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in (usual | tables).items()))
        return path

    def command(self, *words: str | Path) -> list[str]:
        """The command line of `synthgen WORDS`."""
        return [sys.executable, str(HERE / "launch.py"), *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command: the plug-in can be imported."""
        return os.environ | {"PYTHONPATH": str(HERE / "plugin"), "OMP_NUM_THREADS": "1"} | self.env | more

    def run(self, *words: str | Path, timeout_s: float = 120, **env: str) -> Ended:
        """Run `synthgen WORDS` to its end."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment(**env),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def catalog(self) -> Catalog:
        """The corpus, for reading."""
        return Catalog.open(self.folder / "corpus")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query on the corpus answers."""
        with self.catalog() as catalog:
            return catalog.lake.rows(sql)

    def release_id(self) -> str:
        """The id of the only release."""
        ((release_id,),) = self.rows("SELECT id::VARCHAR FROM release")
        return str(release_id)

    def check_sound(self) -> None:
        """No line has two takes, and every take row has its very samples."""
        with self.catalog() as catalog:
            rows = catalog.lake.rows(
                'SELECT id::VARCHAR, line_id, shard, "offset", num_bytes, pcm_sha256, num_samples FROM take ORDER BY id'
            )
            assert len({row[0] for row in rows}) == len(rows) == len({row[1] for row in rows})
            for take_id, _, shard, offset, num_bytes, sha256, num_samples in rows:
                pcm, _ = decode(catalog.audio.read(Place(shard, offset, num_bytes)))
                assert (pcm_sha256(pcm), len(pcm)) == (sha256, num_samples), take_id
            assert [problem.text() for problem in verify(catalog, deep=True).problems] == []

    def check_whole(self) -> None:
        """Moreover, every line of every job has a take or a failure, and nothing is left lying about."""
        self.check_sound()
        taken, failed = "SELECT line_id FROM take", "SELECT subject_id FROM failure WHERE stage = 'record'"
        with self.catalog() as catalog:
            assert catalog.lake.rows(f"SELECT line_id FROM job_line EXCEPT ({taken} UNION {failed})") == []
            assert catalog.lake.rows(f"{taken} INTERSECT {failed}") == []
            assert catalog.lake.rows("SELECT count(*) - count(DISTINCT subject_id) FROM failure") == [(0,)]
        assert not list((self.folder / "corpus" / "audio").glob("*.part"))
        assert not list((self.folder / "corpus" / ".tmp").rglob("*.parquet"))


MakeStudio: TypeAlias = Callable[[str], Studio]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture(scope="module")
def make_studio(tmp_path_factory: pytest.TempPathFactory) -> MakeStudio:
    """Makes studios of the same recipes in folders of their own."""
    return lambda name: Studio(tmp_path_factory.mktemp(name))


def _toml(value: Any) -> str:
    """A value as TOML on one line: JSON with equals signs, for tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
