"""Word times on their way: measured, stored as lists, and read back for a release."""

import json

import pytest

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.progress import Progress
from catalogs.release import release_named
from curation.production import Production
from curation.recipe import parse_recipe
from training.interleaving.timings import timings_of

TEXTS = ["Turn on the light, please.", "My card ends in 42."]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """One corpus of espeak takes with word times, and one of the same takes without."""
    pytest.importorskip("hama")
    folder = tmp_path_factory.mktemp("timings")
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return {name: made(folder, name, family) for name, family in (("timed", "timing"), ("untimed", "levels"))}


def made(folder, name: str, family: str):
    table = {
        "name": name,
        "corpus": str(folder / name),
        "prompts": [{"path": "texts.jsonl"}],
        "voices": [{"engine": "espeak", "speakers": ["en-us"]}],
        "metrics": [{"family": family}],
        "fleet": {"on": "inline"},
    }
    job = parse_recipe(table, folder=folder, source="test")
    with Catalog.create(job.corpus) as catalog, catalog.job("test"):
        run_id = catalog.begin_run(job.job_id, "test")
        Production(job, catalog, run_id=run_id, progress=Progress(quiet=True)).run()
    return job.corpus


def test_times_of_a_release_are_read_back_as_they_were_measured(corpora) -> None:
    with Catalog.open(corpora["timed"]) as catalog:
        found = timings_of(catalog, release_named(catalog, "timed"))
        spoken = dict(catalog.lake.rows("SELECT take_id::VARCHAR, spoken FROM takes ORDER BY take_id"))

    assert {take_id: " ".join(timings.timed_words) for take_id, timings in found.items()} == spoken
    for timings in found.values():
        words = timings.words()
        assert all(word.end_s > word.start_s and word.confidence <= 0 for word in words)


def test_a_release_without_times_says_how_to_get_them(corpora) -> None:
    with Catalog.open(corpora["untimed"]) as catalog, pytest.raises(TrainingError, match="--metric timing"):
        timings_of(catalog, release_named(catalog, "untimed"))
