"""A corpus made on the spot: real rows, real FLAC, no engine."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from catalogs import flac, takes
from catalogs.audio import ShardWriter
from catalogs.catalog import Catalog, Done
from catalogs.ids import content_id
from catalogs.lake import SQLITE
from catalogs.records import Line, MetricCard, Prompt, Score, ScoreColumn, Slot, Take, Verdict, VoiceCard

RATE_HZ = 8000
VOICE = VoiceCard.new(
    engine="tone",
    speaker="a",
    language="en",
    sample_rate_hz=RATE_HZ,
    checkpoint_sha256="",
    licence="CC0-1.0",
    consent="x",
)
LEVELS = MetricCard("levels", "1", (ScoreColumn("peak_db", "DOUBLE", "dB", "neither", "highest sample"),))
WORDS = MetricCard("words", "1", (ScoreColumn("wer", "DOUBLE", "", "lower", "word error rate"),), "base")


class Studio:
    """Writes takes into one corpus, as a job does."""

    LEVELS, WORDS, VOICE = LEVELS, WORDS, VOICE

    def __init__(self, folder: Path, *, metadata_at: str = SQLITE) -> None:
        self.folder = folder
        self.catalog = Catalog.create(folder, metadata_at=metadata_at)
        takes.declare(self.catalog.lake, [LEVELS, WORDS])
        self.catalog.add([VOICE])

    def lines(self, numbers: Sequence[int]) -> list[Line]:
        prompts = [
            Prompt(
                Prompt.id_of(f"text {n}", "en"),
                f"text {n}",
                "en",
                domain="bank",
                split="test" if n % 5 == 0 else None,
                slots=(Slot("n", str(n)),),
            )
            for n in numbers
        ]
        lines = [Line.new(prompt_id=p.id, voice_id=VOICE.id, text=p.text, normaliser="none") for p in prompts]
        self.catalog.add(prompts)
        self.catalog.add(lines)
        return lines

    def append(self, writer: ShardWriter, lines: Sequence[Line]) -> list[Take]:
        """Put the lines' audio into the open shard; nothing is committed."""
        samples = [self.samples(line) for line in lines]
        places = writer.append(
            [(Take.id_of_line(line.id), flac.encode(s, RATE_HZ)) for line, s in zip(lines, samples, strict=True)]
        )
        return [
            Take(
                Take.id_of_line(line.id), line.id, line.prompt_id, line.voice_id, "synthetic",
                place.shard, place.offset, place.num_bytes, flac.pcm_sha256(s), RATE_HZ, len(s),
            )
            for line, place, s in zip(lines, places, samples, strict=True)
        ]  # fmt: skip

    def record(self, numbers: Sequence[int], *, shard: str = "shard") -> list[Take]:
        """Record lines into a shard of their own, sealed and committed."""
        writer = self.catalog.audio.writer(shard)
        done = self.append(writer, self.lines(numbers))
        self.catalog.commit(Done(takes=done, shards=writer.seal()))
        return done

    def score(self, card: MetricCard, ids: Sequence[str], value: float) -> None:
        self.catalog.commit(Done(scores={card: [Score(take_id, (value,) * len(card.columns)) for take_id in ids]}))

    def judge(self, ids: Sequence[str], policy: str, decision: str = "keep") -> None:
        reasons = () if decision == "keep" else ("because",)
        self.catalog.commit(Done(verdicts=[Verdict(i, content_id("policy", policy), decision, reasons) for i in ids]))

    @staticmethod
    def samples(line: Line) -> np.ndarray:
        pitch_hz = 200 + int(hashlib.sha256(line.id.encode()).hexdigest()[:6], 16) % 2000
        return (8000 * np.sin(2 * np.pi * pitch_hz * np.arange(400) / RATE_HZ)).astype(np.int16)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty corpus, to be copied: making one takes longer."""
    folder = tmp_path_factory.mktemp("template") / "corpus"
    Studio(folder).catalog.lake.close()
    return folder


@pytest.fixture
def make_studio(template: Path) -> Iterator[Callable[[Path], Studio]]:
    made = []

    def make(folder: Path) -> Studio:
        shutil.copytree(template, folder)
        made.append(Studio(folder))
        return made[-1]

    yield make
    for studio in made:
        studio.catalog.lake.close()


@pytest.fixture
def studio(make_studio: Callable[[Path], Studio], tmp_path: Path) -> Studio:
    return make_studio(tmp_path / "corpus")


@pytest.fixture(scope="session")
def filled() -> Callable[[Path], None]:
    """Put twenty takes, some measured and judged, into an empty corpus."""

    def fill(folder: Path) -> None:
        studio = Studio(folder)
        ids = [take.id for take in studio.record(range(20))]
        studio.score(LEVELS, ids[:15], -1.5)
        studio.score(WORDS, ids[:10], 0.25)
        studio.judge(ids[:10], "p")
        studio.judge(ids[10:12], "p", "drop")
        studio.catalog.lake.close()

    return fill
