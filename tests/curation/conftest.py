from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.ids import content_id
from catalogs.ingest import PromptSource
from catalogs.lake import Lake
from catalogs.progress import Progress
from catalogs.records import Line, MetricCard, Score, ScoreColumn
from catalogs.signal import to_float32, to_int16
from catalogs.verify import verify
from curation.production import Production
from curation.recipe import Recipe
from synthgen.fleet import FleetConfig
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.tone import ToneConfig

MakeClip: TypeAlias = Callable[..., Clip]
MakeRecipe: TypeAlias = Callable[..., Recipe]
Produce: TypeAlias = Callable[..., Production]
RowsOf: TypeAlias = Callable[[Catalog], dict[str, set[str]]]
KilledRun: TypeAlias = Callable[[int], AbstractContextManager[None]]

OF_A_JOB = ("line", "take", "job_line", "line_group", "round", "verdict", "preference", "set_score", "release_item")


class Killed(BaseException):
    """What a killed process does not live to see."""


@pytest.fixture(scope="session")
def make_clip() -> MakeClip:
    """Makes a clip of samples, which are quantised to int16 as a take's are."""

    def make(
        samples: NDArray[np.float32],
        *,
        rate_hz: int = 16_000,
        text: str = "good morning to you all",
        language: str = "en",
    ) -> Clip:
        stored = to_float32(to_int16(samples.astype(np.float32)))
        take_id = content_id("take", text, rate_hz, stored.tobytes().hex())
        return Clip(take_id, content_id("voice", "test"), stored, rate_hz, text, text, language)

    return make


@pytest.fixture(scope="session")
def say(make_clip: MakeClip) -> MakeClip:
    """Makes a clip of a text read by an espeak voice, at 22.05 kHz."""

    def read(text: str, *, speaker: str = "en-us", rate: int = 150) -> Clip:
        config = EspeakConfig(speakers=(speaker,), rate=rate)
        line = Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none")
        reading = config.build().speak([line])[0]
        return make_clip(reading.samples, rate_hz=reading.sample_rate_hz, text=text, language=speaker.partition("-")[0])

    return read


@dataclass(frozen=True)
class CharsConfig:
    """A metric family without a model: how many characters a take was to speak."""

    version: str = "1"

    def card(self) -> MetricCard:
        return MetricCard("chars", self.version, (ScoreColumn("num_chars", "INTEGER", "", "neither", "length"),))

    def build(self) -> "Chars":
        return Chars()


class Chars:
    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        return [Score(clip.take_id, (len(clip.spoken),)) for clip in clips]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A corpus that the tests of a module share: every test has jobs, and by its name a voice, of its own.

    When they are done, every take of theirs must be found where its row says, and be what it says.
    """
    with Catalog.create(tmp_path_factory.mktemp("corpus")) as catalog:
        yield catalog
        assert verify(catalog, deep=True).problems == []


@pytest.fixture
def make_recipe(tmp_path: Path, catalog: Catalog, request: pytest.FixtureRequest) -> MakeRecipe:
    """Makes a recipe of some texts, a tone voice named after the test, and the metric `num_chars`, with no Ray."""

    def make(texts: Sequence[str], **changes: Any) -> Recipe:
        path = tmp_path / f"{content_id('texts', list(texts))}.txt"
        path.write_text("\n".join(texts), encoding="utf-8")
        recipe = Recipe(
            name=request.node.name,
            prompts=(PromptSource(str(path)),),
            voices=(ToneConfig(speakers=(request.node.name,), duration_s_per_char=0.001),),
            metrics=(CharsConfig(),),
            corpus=catalog.folder,
            fleet=FleetConfig(on="inline", workers=1),
        )
        return replace(recipe, **changes)

    return make


@pytest.fixture
def produce(catalog: Catalog) -> Produce:
    """Opens a job for work: in the shared corpus, or in another."""

    def start(recipe: Recipe, *, corpus: Catalog = catalog) -> Production:
        run_id = corpus.begin_run(recipe.job_id, "synthgen run toy")
        return Production(recipe, corpus, run_id=run_id, progress=Progress(quiet=True))

    return start


@pytest.fixture
def rows_of() -> RowsOf:
    """Gives the rows of a job's tables, shards and moments aside."""

    def read(catalog: Catalog) -> dict[str, set[str]]:
        left_out = {"take": 'EXCLUDE (shard, "offset")'}
        return {
            table: {str(row) for row in catalog.lake.rows(f"SELECT * {left_out.get(table, '')} FROM {table}")}
            for table in OF_A_JOB
        }

    return read


@pytest.fixture
def killed_at_insert(monkeypatch: pytest.MonkeyPatch) -> KilledRun:
    """Makes the process die when it is about to insert rows for the Nth time, if it gets so far."""

    @contextmanager
    def dying_at(number: int) -> Iterator[None]:
        seen = 0
        insert = Lake.insert

        def dying(self: Lake, table: str, rows: pa.Table, *, where: str = "") -> int:
            nonlocal seen
            seen += 1
            if seen == number:
                raise Killed
            return insert(self, table, rows, where=where)

        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(Lake, "insert", dying)
            yield

    return dying_at
