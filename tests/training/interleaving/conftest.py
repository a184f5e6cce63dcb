"""A corpus of hummed takes whose word times are made up: evenly over the take, now and then after a silence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.ids import Id
from catalogs.records import Score
from catalogs.release import release_named
from curation.metrics.figures import values_of
from curation.metrics.timing import Timing, TimingConfig, describe
from curation.recognisers.timing import TimedWord
from training.members import Member, members_in

Rows = Callable[[Id], list[dict[str, Any]]]

COSTS, STOP, HELD_OUT = "It costs $5, and that is all, my dear.", "Stop.", "Nobody may learn from this one, ever."
UNTIMED = "The words of this one were not found."
PROMPTS: list[dict[str, Any]] = [
    {"text": COSTS, "slots": {"price": "$5"}, "domain": "shopping"},
    {"text": "Turn on the light, please."},
    {"text": "The road ran down to the river and then along it to the mill and on"},
    {"text": "Two words."},
    {"text": STOP},
    {"text": UNTIMED},
    {"text": HELD_OUT, "split": "test"},
]


@pytest.fixture(scope="session")
def corpus(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release "told", with word times for all but one of its takes, and "untimed", without any."""
    folder = tmp_path_factory.mktemp("interleaved")
    made = produce(folder, "told", prompts=PROMPTS, speakers=["anna"])
    with Catalog.create(made) as catalog, catalog.job("test"):
        members = members_in(catalog, release_named(catalog, "told"), split=None)
        card = TimingConfig().card()
        takes.declare(catalog.lake, [card])
        catalog.commit(Done(scores={card: [Score(member.take_id, values_of(timing_of(member))) for member in members]}))
    produce(folder, "untimed", prompts=["good morning"], speakers=["cora"])
    return made


@pytest.fixture
def corpus_to_change(corpus: Path, tmp_path: Path) -> Path:
    """A corpus like it, to be changed."""
    return Path(shutil.copytree(corpus, tmp_path / "corpus"))


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of texts, one of which is held out."""
    rows = [
        {"text": "take aspirin twice a day", "domain": "health"},
        {"text": "see you at nine"},
        {"text": "what a test asks", "split": "test"},
    ]
    file = tmp_path_factory.mktemp("texts") / "domain.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def rows_of(corpus: Path) -> Rows:
    """The units of a set, in an order that is always the same."""

    def read(interleaving_id: Id) -> list[dict[str, Any]]:
        sql = (
            "SELECT * REPLACE (take_id::VARCHAR AS take_id, prompt_id::VARCHAR AS prompt_id) FROM unit "
            "WHERE interleaving_id = $id::UUID ORDER BY take_id, prompt_id, heard_first, unit_idx"
        )
        with Catalog.open(corpus) as catalog:
            found: list[dict[str, Any]] = catalog.lake.table(sql, id=interleaving_id).to_pylist()
        return found

    return read


def timing_of(member: Member) -> Timing:
    """Each third word follows a silence, and each eighth is badly timed."""
    if member.text == UNTIMED:
        return Timing(is_timed=False)
    words = member.spoken.split()
    each_s = member.duration_s / len(words)
    return describe(
        [
            TimedWord(word, (n + (0.7 if n % 3 == 0 else 0.0)) * each_s, (n + 1) * each_s, -2.0 if n % 8 == 5 else -0.1)
            for n, word in enumerate(words)
        ],
        timed_by="search",
    )
