"""Word times on their way: measured, stored as lists, and read back for a release."""

import json

import pytest
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.release import release_named
from synthgen.cli import app
from training.interleaving.timings import timings_of

TEXTS = ["Turn on the light, please.", "My card ends in 42."]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory, produce):
    """One corpus of espeak takes with word times, and one of the same takes without."""
    pytest.importorskip("hama")
    return {
        name: produce(
            tmp_path_factory.mktemp(name), name, prompts=TEXTS, speakers=["en-us"], engine="espeak", family=family
        )
        for name, family in (("timed", "timing"), ("untimed", "levels"))
    }


def test_times_of_a_release_are_read_back_as_they_were_measured(corpora) -> None:
    with Catalog.open(corpora["timed"]) as catalog:
        found = timings_of(catalog, release_named(catalog, "timed"))
        spoken = dict(catalog.lake.rows("SELECT take_id::VARCHAR, spoken FROM takes ORDER BY take_id"))

    assert {take_id: " ".join(timings.timed_words) for take_id, timings in found.items()} == spoken
    for take_id, timings in found.items():
        words = timings.words(of=take_id)
        assert all(word.end_s > word.start_s and word.confidence <= 0 for word in words)


def test_a_release_without_times_says_how_to_get_them(corpora) -> None:
    with Catalog.open(corpora["untimed"]) as catalog, pytest.raises(TrainingError, match="--metric timing"):
        timings_of(catalog, release_named(catalog, "untimed"))


def test_a_release_that_was_timed_in_vain_is_not_sent_there_again(tmp_path, produce) -> None:
    corpus = produce(tmp_path, "tones", prompts=TEXTS, speakers=["anna"])
    measure = ["measure", "-c", str(corpus), "--metric", "timing", "--on", "inline", "--json"]

    before, after = (CliRunner().invoke(app, measure) for _ in range(2))

    found = [json.loads(done.stdout)["measured"] for done in (before, after)]
    assert found == [[{"family": "timing", "scored": count, "failed": 0}] for count in (2, 0)]
    with Catalog.open(corpus) as catalog, pytest.raises(TrainingError, match="in 2 of them none were found: check"):
        timings_of(catalog, release_named(catalog, "tones"))
