from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.clerk import Clerk
from catalogs.ids import Id, content_id
from catalogs.records import Job, JobLine, Line, Prompt, VoiceCard
from catalogs.stage import Stream, inline
from synthgen.casting import Casting, CastingConfig, Part
from synthgen.recording import Recorder, recording_streams
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voice import Reading

JOB = content_id("job", "choir")
TEXTS = ["one", "two", "three", "four", "five", "six"]


@dataclass(frozen=True)
class ChoirConfig:
    """A voice whose samples depend on the company a line is read in."""

    batch: int = 4
    num_cpus: float = 2.0
    num_gpus: float = 0.25

    def cards(self) -> tuple[VoiceCard, ...]:
        card = VoiceCard.new(
            engine="choir", speaker="all", language="en", sample_rate_hz=16_000, checkpoint_sha256="",
            licence="CC0-1.0", consent="nobody's", batch_exact=False,
        )  # fmt: skip
        return (card,)

    def build(self) -> "Choir":
        return Choir()


class Choir:
    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        company = sum(len(line.text) for line in lines)
        return [Reading(np.full(100 + len(line.text), company / 100, np.float32), 16_000) for line in lines]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """A corpus with a job of six lines, cast in batches of four and two."""
    config = ChoirConfig()
    casting = Casting(CastingConfig(), [Part(config.cards()[0], config.batch)], Spoken(SpokenConfig()))
    prompts = [Prompt(Prompt.id_of(text, "en"), text, "en") for text in TEXTS]
    made = [line for prompt in prompts for line in casting.lines(prompt)] + list(casting.rest())
    lines = [line for line in made if isinstance(line, Line)]
    with Catalog.create(tmp_path / "corpus") as catalog:
        for rows in (
            prompts,
            lines,
            config.cards(),
            [Job(JOB, "choir", "{}")],
            [JobLine(JOB, line.id, position) for position, line in enumerate(lines)],
        ):
            catalog.add(rows)
        yield catalog


def streams(catalog: Catalog) -> list[Stream]:
    return recording_streams(catalog, JOB, [ChoirConfig()], workers=3)


def record(catalog: Catalog) -> int:
    """Record what is missing; gives how many lines that was."""
    with Clerk(catalog, catalog.begin_run(JOB, "record")) as clerk:
        outcomes = list(inline(streams(catalog), []))
        for outcome in outcomes:
            clerk.receive(outcome)
    return sum(outcome.items for outcome in outcomes)


def samples(catalog: Catalog) -> dict[Id, str]:
    return dict(catalog.lake.rows("SELECT line_id::VARCHAR, pcm_sha256 FROM take"))


def test_a_crew_is_what_its_voice_asks_for(catalog: Catalog) -> None:
    (stream,) = streams(catalog)

    crew = stream.crew
    assert (crew.name, crew.workers, crew.num_cpus, crew.num_gpus) == ("voice-0", 3, 2.0, 0.25)
    assert isinstance(crew.build(), Recorder)


def test_fixed_batches_stay_together(catalog: Catalog) -> None:
    (stream,) = streams(catalog)

    batches = [[(a.line.text, a.needed) for a in batch] for batch in stream.batches]

    assert sorted(len(batch) for batch in batches) == [2, 4]
    assert sorted(text for batch in batches for text, _ in batch) == sorted(TEXTS)


def test_a_line_recorded_later_keeps_the_company_it_was_cast_with(catalog: Catalog) -> None:
    record(catalog)
    before = samples(catalog)
    lost = catalog.lake.rows("SELECT id::VARCHAR FROM take ORDER BY id LIMIT 1")[0][0]
    takes.forget(catalog.lake, [lost])

    again = record(catalog)

    assert again == 1
    assert samples(catalog) == before


def test_the_company_of_a_missing_line_leaves_no_rows(catalog: Catalog) -> None:
    (stream,) = streams(catalog)
    batch = [replace(assignment, needed=number == 0) for number, assignment in enumerate(next(stream.batches))]

    clips, outcome = Recorder(ChoirConfig()).work(batch)

    assert (len(clips), len(outcome.recordings), outcome.items, outcome.failures) == (1, 1, 1, [])


def test_a_recorded_job_has_nothing_left(catalog: Catalog) -> None:
    assert record(catalog) == 6
    assert record(catalog) == 0
