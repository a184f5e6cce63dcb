"""The catalog: does a commit stay as fast as the first, and how fast is a question over a million takes.

    python -m benchmarks.catalog --commits 500 --takes 1000000

The second is held against one JSON line a take, read with pandas; above `MOST_LINES` that does not fit into memory, and
our figure stands alone.
"""

import argparse
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.table import Row, markdown
from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.records import MetricCard, Prompt, Score, ScoreColumn, Take, VoiceCard

TAKES_PER_COMMIT = 2000
MOST_LINES = 2_000_000
VOICES = [
    VoiceCard.new(
        engine="tone",
        speaker=f"speaker{n}",
        language="en",
        sample_rate_hz=16000,
        checkpoint_sha256="",
        licence="CC0-1.0",
        consent="none needed",
    )
    for n in range(8)
]
CARDS = [
    MetricCard(family, "1", tuple(ScoreColumn(f"{family}_{n}", "DOUBLE", "", "neither", "a figure") for n in range(4)))
    for family in ("levels", "pace", "prosody", "speaker", "quality", "words")
]
QUESTION = """
    SELECT voice, count(*) AS n, avg(words_0) AS words, avg(prosody_1) AS prosody
    FROM takes WHERE words_0 < 0.5 AND prosody_1 > 0.25 GROUP BY voice ORDER BY voice
"""


def commits(number: int) -> list[Row]:
    """Commit 2,000 takes and six families ``number`` times: the first tenth against the last."""
    rng = np.random.default_rng(7)
    spent_s: list[float] = []
    with _corpus() as catalog:
        prompt_id = catalog.lake.rows("SELECT id::VARCHAR FROM prompt")[0][0]
        for _ in range(number):
            done = Done(takes=_takes(rng, prompt_id))
            for card in CARDS:
                done.scores[card] = [Score(take.id, tuple(rng.random(4).tolist())) for take in done.takes]
            began = time.perf_counter()
            catalog.commit(done)
            spent_s.append(time.perf_counter() - began)
    tenth = max(1, number // 10)
    first_s, last_s = mean(spent_s[:tenth]), mean(spent_s[-tenth:])
    what = f"commit of {TAKES_PER_COMMIT:,} takes × 6 families, last tenth of {number}"
    return [
        Row(what, _ms(last_s), _ms(first_s), first_s / last_s),
        Row("the same, median", _ms(median(spent_s[-tenth:])), _ms(median(spent_s[:tenth]))),
    ]


def question(number: int) -> list[Row]:
    """Filter and group by over two families of ``number`` takes: flat, with a tail, and as JSON lines in pandas."""
    with _corpus() as catalog:
        _fill(catalog, number)
        takes.flatten(catalog.lake)
        flat_s = _best(lambda: catalog.lake.table(QUESTION))
        rng = np.random.default_rng(8)
        tail = _takes(rng, catalog.lake.rows("SELECT id::VARCHAR FROM prompt")[0][0])
        catalog.commit(Done(takes=tail, scores={CARDS[5]: [Score(take.id, (0.1, 0.1, 0.1, 0.1)) for take in tail]}))
        tail_s = _best(lambda: catalog.lake.table(QUESTION))
        pandas_s = _pandas_s(catalog) if number <= MOST_LINES else None
    spent = (
        (f"filter and group by over two families, {number:,} takes", flat_s),
        (f"the same, {len(tail):,} takes after the flat table", tail_s),
    )
    if pandas_s is None:
        return [Row(what, _ms(ours_s), "") for what, ours_s in spent]
    return [Row(what, _ms(ours_s), _ms(pandas_s), pandas_s / ours_s) for what, ours_s in spent]


def _pandas_s(catalog: Catalog) -> float:
    """What the same question takes when every take is a JSON line."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "takes.jsonl"
        with lines.open("w") as file:
            for batch in catalog.lake.table("SELECT voice, text, COLUMNS('.*_[0-3]') FROM takes").to_batches():
                file.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())
        return _best(lambda: _with_pandas(lines), times=1)


def _with_pandas(lines: Path) -> pd.DataFrame:
    frame = pd.read_json(lines, lines=True)
    chosen = frame[(frame.words_0 < 0.5) & (frame.prosody_1 > 0.25)]
    return chosen.groupby("voice").agg(n=("words_0", "size"), words=("words_0", "mean"), prosody=("prosody_1", "mean"))


@contextmanager
def _corpus() -> Iterator[Catalog]:
    with tempfile.TemporaryDirectory() as folder, Catalog.create(Path(folder)) as catalog:
        takes.declare(catalog.lake, CARDS)
        catalog.add([Prompt(Prompt.id_of("hello", "en"), "hello", "en")])
        catalog.add(VOICES)
        yield catalog


def _takes(rng: np.random.Generator, prompt_id: str) -> list[Take]:
    ids = [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(TAKES_PER_COMMIT)]
    return [
        Take(
            id=take_id,
            line_id=take_id,
            prompt_id=prompt_id,
            voice_id=VOICES[number % len(VOICES)].id,
            origin="synthetic",
            shard="shard-000000.tar",
            offset=512 * number,
            num_bytes=60_000,
            pcm_sha256=take_id * 2,
            sample_rate_hz=16000,
            num_samples=48_000,
        )
        for number, take_id in enumerate(ids)
    ]


def _fill(catalog: Catalog, number: int) -> None:
    """Rows in bulk, a hundred thousand at a time."""
    rng = np.random.default_rng(7)
    prompt_id = catalog.lake.rows("SELECT id::VARCHAR FROM prompt")[0][0]
    for start in range(0, number, 100_000):
        size = min(100_000, number - start)
        ids = pa.array([str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(size)])
        table = {
            "id": ids,
            "line_id": ids,
            "prompt_id": pa.repeat(prompt_id, size),
            "voice_id": pa.array([VOICES[n % len(VOICES)].id for n in range(size)]),
            "origin": pa.repeat("synthetic", size),
            "shard": pa.repeat("shard-000000.tar", size),
            "offset": pa.array(np.arange(size) * 512),
            "num_bytes": pa.repeat(60_000, size),
            "pcm_sha256": ids,
            "sample_rate_hz": pa.repeat(16_000, size),
            "num_samples": pa.array(rng.integers(16_000, 160_000, size)),
        }
        with catalog.lake.transaction():
            catalog.lake.insert("take", pa.table(table))
            for card in CARDS:
                scores = {column.name: pa.array(rng.random(size)) for column in card.columns}
                rows = pa.table({"take_id": ids, "version": pa.repeat("1", size), **scores})
                catalog.lake.insert(takes.score_table(card), rows)


def _best(action: Callable[[], object], *, times: int = 5) -> float:
    spent_s = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        spent_s.append(time.perf_counter() - began)
    return min(spent_s)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def measure(*, number_of_commits: int = 200, number_of_takes: int = 1_000_000) -> str:
    """Both tables, as Markdown."""
    return "\n".join(
        [
            markdown("Commits", "first tenth", commits(number_of_commits)),
            markdown("Questions", "JSON lines in pandas", question(number_of_takes)),
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--takes", type=int, default=1_000_000)
    asked = parser.parse_args()
    print(measure(number_of_commits=asked.commits, number_of_takes=asked.takes))
