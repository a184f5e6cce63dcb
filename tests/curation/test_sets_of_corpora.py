"""Figures of sets out of a corpus in which somebody real reads the same texts, as the verb tells them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.ids import content_id
from catalogs.ingest.speech import human_voice
from catalogs.records import Job, JobLine, Line, MetricCard, Prompt, Score, ScoreColumn, Take
from synthgen.cli import app
from synthgen.voices.tone import ToneConfig

WORDS = MetricCard("words", "1", (ScoreColumn("cer", "DOUBLE", "ratio", "lower", "character errors"),))
TEXTS = [f"{'a longer ' if number % 2 else ''}text of number {number}" for number in range(30)]

Add = Callable[..., None]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus with a job, in which each text was read by a machine and by somebody real."""
    with Catalog.create(tmp_path / "corpus") as catalog:
        machine = replace(ToneConfig().cards()[0], tokens="letters")
        human = human_voice("anna", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="given")
        job = Job(content_id("job", "read"), "read", "{}")
        takes.declare(catalog.lake, [WORDS])
        catalog.add([machine, human])
        catalog.add([job])
        made: list[Take] = []
        for place, text in enumerate(TEXTS):
            prompt = Prompt(Prompt.id_of(text, "en"), text, "en")
            line = Line.new(prompt_id=prompt.id, voice_id=machine.id, text=text, normaliser="none")
            catalog.add([prompt])
            catalog.add([line])
            catalog.add([JobLine(job.id, line.id, place)])
            for voice, line_id in ((machine, line.id), (human, None)):
                made.append(take_of(prompt.id, voice.id, line_id))
        cer = {None: 0.02}
        scores = [Score(take.id, (cer.get(take.line_id, 0.1 if n % 4 else 0.5),)) for n, take in enumerate(made)]
        catalog.commit(Done(takes=made, scores={WORDS: scores}))
    return tmp_path / "corpus"


def take_of(prompt_id: str, voice_id: str, line_id: str | None) -> Take:
    origin: Any = "synthetic" if line_id else "real"
    take_id = Take.id_of_line(line_id) if line_id else content_id("take", prompt_id)
    codes = (0, 1, 2, 3) * 4 if line_id else None
    return Take(take_id, line_id, prompt_id, voice_id, origin, "s", 0, 1, take_id, 16_000, 16_000, tokens=codes)


def described(corpus: Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["set", "-c", str(corpus), "--job", "read", "--json"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_character_errors_of_a_job_are_those_that_real_speech_has_not(corpus: Path) -> None:
    lengths = [len(text) for text in TEXTS]
    errors = sum((0.1 if place % 2 else 0.5) * length for place, length in enumerate(lengths))

    found = described(corpus)["calibrated_cer:en"]

    assert found["value"] == pytest.approx(errors / sum(lengths) - 0.02)
    assert found["num_items"] == 30
    with Catalog.open(corpus) as catalog:
        stored = catalog.lake.rows("SELECT value FROM set_score WHERE metric = 'calibrated_cer:en'")
    assert stored == [(found["value"],)]


def test_the_codes_of_a_job_have_an_entropy_that_real_takes_have_not(corpus: Path) -> None:
    found = described(corpus)

    assert found["code_entropy:letters"]["value"] == pytest.approx(2.0, abs=0.01)
    assert found["code_entropy:letters"]["num_items"] == 30
    assert found["code_repetition:letters"]["value"] == 0
