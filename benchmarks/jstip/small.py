"""Corpora that are hummed, and a start of two steps: they mean nothing, and try the script in a minute.

The hum has no words to be found. Its word times are written down as if they were as long as each other.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.corpora import produce, write
from benchmarks.jstip.trainings import BASE, GENERAL, ORDERS
from benchmarks.slam_asr.orders import orders
from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.progress import Progress
from catalogs.records import Score
from catalogs.release import release_named
from curation.metrics.figures import values_of
from curation.metrics.timing import TimingConfig, describe
from curation.recipe import parse_recipe
from curation.recognisers.timing import TimedWord
from training.members import Member, members_in
from training.recipe import parse_recipe as parse_training
from training.session import train

TEXTS: Mapping[str, list[str]] = {
    "general": ["turn on the light", "how late is it now", "play some music", "what is due today", "stop the clock"],
    "long": ["the road ran down to the river and then along it to the mill", "she read the letter twice and put it by"],
}
NUM_ORDERS, NUM_TESTED = 6, 3
_STEPS = 2

ROWS = (BASE, "text-mixed", "made", "made-words", "pairs-mixed")
"""Rows that have all kinds of data between them; the others differ from these by their shares alone."""

TRAINING: Mapping[str, Any] = {
    "encoder": {"name": "tiny"},
    "objective": {
        "method": "jstip",
        "language_model": {"name": "tiny", "lora": {"r": 2}},
        "projector": {"hidden": 32},
        "context": 512,
    },
    "mixture": {"batch_tokens": 400, "choosing": {"segments": {"max_s": 0.5}}},
    "loop": {"epochs": 4, "log_every": 1, "save_every": 1, "keep": 1},
}
"""Tables that take the place of those of the recipe."""

SLOTS: Mapping[str, Any] = {
    "encoder": TRAINING["encoder"],
    "objective": {"method": "lasyn_fixed", "synthesiser": {"filters": 8, "layers": 2, "frames_per_phone": 1}},
    "loop": {"steps": _STEPS, "epochs": 4, "log_every": 1, "save_every": 1},
}

VOICES: Mapping[str, Any] = {
    "voices": [{"engine": "tone", "speakers": ["test-1", "test-2"]}],
    "fleet": {"on": "inline"},
}


def prepare(asr: Path) -> Path:
    """Make the corpora of other experiments, with their releases and word times, and the start; gives its folder."""
    asr.mkdir(parents=True, exist_ok=True)
    made_up = list(islice(orders(NUM_ORDERS + NUM_TESTED, seed=1), NUM_ORDERS + NUM_TESTED))
    rows = {name: [{"text": text} for text in texts] for name, texts in TEXTS.items()}
    _hum(asr, ORDERS, made_up[:NUM_ORDERS], ["one", "two"])
    _hum(asr, "test", made_up[NUM_ORDERS:], ["three", "four"])
    for name, texts in rows.items():
        _hum(asr, name, texts, ["one", "two"])
    for name in (*GENERAL, ORDERS):
        _time(asr / name, name)
    return _start(asr)


def _hum(asr: Path, name: str, rows: list[dict[str, Any]], speakers: list[str]) -> None:
    write(asr / f"{name}.jsonl", rows)
    table = {
        "name": name,
        "corpus": str(asr / name),
        "prompts": [{"path": str((asr / f"{name}.jsonl").resolve())}],
        "voices": [{"engine": "tone", "speakers": speakers}],
        "metrics": ["levels"],
        "casting": {"voices_per_prompt": 1},
        "fleet": {"on": "inline"},
    }
    produce(parse_recipe(table, folder=Path(), source=name))


def _time(corpus: Path, release: str) -> None:
    card = TimingConfig().card()
    with Catalog.create(corpus) as catalog, catalog.job("benchmarks"):
        takes.declare(catalog.lake, [card])
        timed = catalog.lake.rows("SELECT count(*) FROM takes WHERE is_timed")[0][0]
        if not timed:
            members = members_in(catalog, release_named(catalog, release), split=None)
            scores = [
                Score(member.take_id, values_of(describe(_evenly(member), timed_by="search"))) for member in members
            ]
            catalog.commit(Done(scores={card: scores}))


def _evenly(member: Member) -> list[TimedWord]:
    words = member.spoken.split()
    each_s = member.duration_s / len(words)
    return [TimedWord(word, place * each_s, (place + 0.9) * each_s, -0.1) for place, word in enumerate(words)]


def _start(asr: Path) -> Path:
    folder = asr / "models" / "elsewhere"
    table = {
        "name": folder.name,
        "folder": str(folder),
        "data": [{"corpus": str(asr / name), "release": name} for name in GENERAL],
        "encoder": TRAINING["encoder"],
        "objective": {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}},
        "loop": {"steps": _STEPS, "epochs": 4, "threads": 1, "log_every": 1, "save_every": 1},
    }
    train(parse_training(table, source="small"), progress=Progress())
    return folder
