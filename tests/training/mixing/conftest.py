"""Takes whose word times are known without anybody listening: evenly over their length, with silence between."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.records import Score
from catalogs.release import release_named
from curation.metrics.figures import values_of
from curation.metrics.timing import TimingConfig, describe
from curation.recognisers.timing import TimedWord
from training.members import Member, members_in

Produce = Callable[..., Path]
TEXTS = ["Turn on the light, please.", "My card ends in two.", "A cup of tea, and a cake.", "How late is it, dear?"]
SPARE = ["somebody else is here", "texts without any speech", "what is written is learned"]


@pytest.fixture(scope="session")
def corpus(produce: Produce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases "timed", with word times, and "untimed"; beside it a file of texts."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "spare.txt").write_text("\n".join([*SPARE, ""]))
    prompts = [{"text": TEXTS[0], "slots": {"device": "light"}}, *TEXTS[1:]]
    made = produce(folder, "timed", prompts=prompts, speakers=["anna"])
    with Catalog.create(made) as catalog, catalog.job("test"):
        members = members_in(catalog, release_named(catalog, "timed"), split=None)
        card = TimingConfig().card()
        takes.declare(catalog.lake, [card])
        scores = [Score(member.take_id, values_of(describe(words_of(member), timed_by="search"))) for member in members]
        catalog.commit(Done(scores={card: scores}))
    produce(folder, "untimed", prompts=["good morning"], speakers=["cora"])
    return made


def words_of(member: Member) -> list[TimedWord]:
    words = member.spoken.split()
    each_s = member.duration_s / len(words)
    return [TimedWord(word, n * each_s, (n + 0.7) * each_s, -0.1) for n, word in enumerate(words)]
