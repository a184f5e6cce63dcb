"""`synthgen time`: word times of real German takes by a CTC recogniser, beside what a voice or a search has timed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from catalogs import takes
from catalogs.catalog import Catalog, Done
from catalogs.errors import ReleaseError, TrainingError
from catalogs.pronunciations import spoken_tokens
from catalogs.records import Score
from catalogs.release import release_named
from curation.metrics.figures import values_of
from curation.metrics.timing import Timing, TimingConfig, describe
from curation.recognisers.timing import TimedWord
from synthgen.cli import app
from training.alphabet import ENGLISH
from training.interleaving.timings import timings_of
from training.members import members_in
from training.timing import release as module
from training.timing import timer
from training.timing.timer import CtcTimer, timer_of

from ..conftest import train_on

SAID = ("Mach bitte das Licht aus.", "Wie spät ist es?", "Größe 42, bitte!", "Was kostet der Käse – heute?")
TOO_MUCH = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung und so weiter"
UNREADABLE = "42"
TEXTS = (*SAID, TOO_MUCH, UNREADABLE)

GERMAN = {"method": "ctc", "alphabet": f"{ENGLISH}äöüß"}
ROWS = "SELECT * REPLACE (take_id::VARCHAR AS take_id) FROM score_timing ORDER BY take_id, version"

Time = Callable[..., Result]


@pytest.fixture(scope="module")
def trained(record: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trainings of one step: on the German letters of "gesagt", twice, on the Cyrillic ones, and a transducer."""
    folder = tmp_path_factory.mktemp("trained")
    record(folder, "gesagt", texts=SAID[:2], speaker="gerda", language="de")
    corpus = record(folder, "сказано", texts=["доброе утро"], speaker="anna", language="ru")
    train_on("gesagt", folder, corpus, "german", GERMAN)
    train_on("gesagt", folder, corpus, "other", GERMAN | {"dropout": 0.5}, layer=1)
    train_on("сказано", folder, corpus, "russian", {"method": "ctc", "alphabet": " абвгдеоруыт"})
    train_on(
        "gesagt", folder, corpus, "transducer", {"method": "transducer", "width": 16, "alphabet": f"{ENGLISH}äöüß"}
    )
    return folder


@pytest.fixture
def corpus(record: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release "real" of six takes of 0.8 s, two of which cannot be aligned."""
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    return record(tmp_path, "real", texts=TEXTS, speaker="gisela", language="de")


@pytest.fixture
def timed(trained: Path, corpus: Path) -> Time:
    def run(*words: str, by: str = "german", release: str = "real") -> Result:
        return CliRunner().invoke(app, ["time", release, "--by", str(trained / by), "-c", str(corpus), *words])

    return run


def rows_in(corpus: Path) -> list[dict[str, Any]]:
    with Catalog.open(corpus) as catalog:
        rows: list[dict[str, Any]] = catalog.lake.table(ROWS).to_pylist()
        return rows


def in_takes(corpus: Path) -> dict[str, tuple[Any, ...]]:
    with Catalog.open(corpus) as catalog:
        columns = "text, is_timed, timed_by, timer_id, len(timed_words)"
        return {text: rest for text, *rest in catalog.lake.rows(f"SELECT {columns} FROM takes ORDER BY text")}


def measured(corpus: Path, timings: dict[str, Timing]) -> None:
    """What `synthgen measure` has found in the takes of these texts; the flat table holds it."""
    card = TimingConfig().card()
    with Catalog.create(corpus) as catalog, catalog.job("test"):
        members = members_in(catalog, release_named(catalog, "real"), split=None)
        takes.declare(catalog.lake, [card])
        found = [Score(m.take_id, values_of(timings[m.text])) for m in members if m.text in timings]
        catalog.commit(Done(scores={card: found}))
        takes.flatten(catalog.lake)


def evenly(text: str, *, timed_by: Any) -> Timing:
    words = [TimedWord(word, n * 0.1, n * 0.1 + 0.05, -1.0) for n, word in enumerate(spoken_tokens(text))]
    return describe(words, timed_by=timed_by)


def test_takes_get_times_and_those_that_cannot_be_aligned_are_counted(timed: Time, corpus: Path) -> None:
    done = timed("--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["num_takes"], report["aligned"], report["timed_by"], report["untimed"]) == (6, 4, {"ctc": 4}, 2)
    assert (sorted(report["unaligned"].values()), report["tried_before"]) == ([1, 1], 0)
    with Catalog.open(corpus) as catalog:
        release = release_named(catalog, "real")
        found = timings_of(catalog, release)
        members = {m.take_id: m for m in members_in(catalog, release, split=None)}
    words = {members[take_id].text: timings.words(of=take_id) for take_id, timings in found.items()}
    assert {text: [word.text for word in own] for text, own in words.items()} == {
        SAID[0]: ["Mach", "bitte", "das", "Licht", "aus."],
        SAID[1]: ["Wie", "spät", "ist", "es?"],
        SAID[2]: ["Größe", "42,", "bitte!"],
        SAID[3]: ["Was", "kostet", "der", "Käse –", "heute?"],
    }
    said = [word for own in words.values() for word in own]
    assert all(word.start_s < word.end_s <= np.float32(0.8) and word.confidence < 0 for word in said)
    assert in_takes(corpus)[TOO_MUCH][:2] == in_takes(corpus)[UNREADABLE][:2] == [False, "ctc"]


def test_a_second_time_there_is_nothing_to_do(timed: Time, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed()
    rows = rows_in(corpus)
    monkeypatch.setattr(CtcTimer, "times", lambda *_: pytest.fail("timed again"))

    done = timed("--json")
    again = timed("--again", "--json")

    told = timed()

    reports = [json.loads(each.stdout) for each in (done, again)]
    assert [(report["aligned"], report["tried_before"]) for report in reports] == [(0, 2), (0, 2)]
    assert "2 takes it could not align before, and has not tried again" in told.stderr
    assert rows_in(corpus) == rows


def test_measuring_afterwards_leaves_it_as_it_is(timed: Time, corpus: Path) -> None:
    pytest.importorskip("hama")
    timed()
    rows = rows_in(corpus)

    done = CliRunner().invoke(app, ["measure", "-c", str(corpus), "--metric", "timing", "--on", "inline"])

    assert done.exit_code == 0, done.output
    assert rows_in(corpus) == rows


def test_a_killed_command_goes_on(
    timed: Time, corpus: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = CtcTimer.times
    heard: list[str] = []

    def killed_at_the_third(self: CtcTimer, members: Any) -> Any:
        if len(heard) == 2:
            raise KeyboardInterrupt
        heard.extend(member.take_id for member in members)
        return times(self, members)

    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "FLUSH_S", -1.0)
    monkeypatch.setattr(CtcTimer, "times", killed_at_the_third)
    timed()
    kept = rows_in(corpus)
    monkeypatch.setattr(CtcTimer, "times", times)

    done = timed("--json")

    assert {row["take_id"] for row in kept} == {*heard}
    rows = rows_in(corpus)
    assert len(rows) == 6
    assert [row for row in rows if row["take_id"] in heard] == kept
    assert json.loads(done.stdout)["aligned"] + sum(row["is_timed"] for row in kept) == 4


def test_what_others_have_timed_stays_and_what_they_have_not_is_replaced(timed: Time, corpus: Path) -> None:
    measured(
        corpus,
        {
            SAID[0]: evenly(SAID[0], timed_by="voice"),
            SAID[1]: evenly(SAID[1], timed_by="search"),
            SAID[2]: Timing(is_timed=False),
            SAID[3]: Timing(),
            TOO_MUCH: evenly(TOO_MUCH, timed_by="search"),
        },
    )
    before = {row["take_id"]: row for row in rows_in(corpus)}

    done = timed("--json")

    assert json.loads(done.stdout)["timed_by"] == {"ctc": 2, "search": 2, "voice": 1}
    known = {text: by for text, (_, by, *_) in in_takes(corpus).items()}
    by = ["voice", "search", "ctc", "ctc", "search", "ctc"]
    assert known == dict(zip(TEXTS, by, strict=True))
    rows = rows_in(corpus)
    assert len(rows) == 6
    others = [row for row in rows if row["timed_by"] != "ctc"]
    assert others == [before[row["take_id"]] for row in others]


def test_again_replaces_all_but_what_a_voice_has_timed_and_gives_nothing_up(timed: Time, corpus: Path) -> None:
    voices, searched = evenly(SAID[0], timed_by="voice"), [SAID[1], TOO_MUCH]
    measured(corpus, {SAID[0]: voices} | {text: evenly(text, timed_by="search") for text in searched})
    timed()

    done = timed("--again", "--json", by="other")

    report = json.loads(done.stdout)
    assert (report["aligned"], report["kept"], report["untimed"]) == (3, 1, 1)
    assert report["timed_by"] == {"ctc": 3, "search": 1, "voice": 1}
    found = in_takes(corpus)
    assert found[TOO_MUCH] == [True, "search", None, 4]
    assert found[SAID[0]][1:3] == ["voice", None]
    assert {found[text][2] for text in (*SAID[1:], UNREADABLE)} == {report["timer_id"]}
    assert len(rows_in(corpus)) == 6


def test_again_takes_what_the_same_recogniser_has_timed_in_another_way(
    timed: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads(timed("--json").stdout)
    monkeypatch.setattr(timer, "REVISION", timer.REVISION + 1)

    without, anew = json.loads(timed("--json").stdout), json.loads(timed("--again", "--json").stdout)

    assert (without["aligned"], anew["aligned"]) == (0, before["aligned"])
    assert anew["timer_id"] != before["timer_id"]


def test_what_a_voice_has_timed_waits_to_be_measured(timed: Time, corpus: Path) -> None:
    with Catalog.create(corpus) as catalog:
        own = "[{'start_s': 0.1, 'end_s': 0.2}]"
        catalog.lake.run(f"UPDATE take SET word_times = {own} WHERE prompt_id IN (SELECT id FROM prompt WHERE text IN "
                         f"('{UNREADABLE}', '{SAID[0]}'))")  # fmt: skip

    done = timed()

    assert done.exit_code == 0, done.output
    assert "1 takes have times of their voice: `synthgen measure" in done.stderr
    assert in_takes(corpus)[UNREADABLE][0] is None
    assert in_takes(corpus)[SAID[0]][:2] == [True, "ctc"]  # its voice has timed other words than it was to say


def test_a_corpus_that_an_earlier_version_has_measured_keeps_its_times(timed: Time, corpus: Path) -> None:
    card = TimingConfig().card()
    earlier = replace(card, version="earlier", columns=card.columns[:-1])
    with Catalog.create(corpus) as catalog, catalog.job("test"):
        (member, *_) = members_in(catalog, release_named(catalog, "real"), split=None)
        takes.declare(catalog.lake, [earlier])
        score = Score(member.take_id, values_of(evenly(member.text, timed_by="search"))[:-1])
        catalog.commit(Done(scores={earlier: [score]}))

    timed()

    rows = rows_in(corpus)
    assert {row["version"] for row in rows} == {"earlier"}
    assert [row["timed_by"] for row in rows].count("search") == 1
    assert in_takes(corpus)[member.text][:3] == [True, "search", None]
    assert len(rows) == 6


def test_company_makes_no_difference(trained: Path, corpus: Path) -> None:
    timer = timer_of(trained / "german")
    with Catalog.open(corpus) as catalog:
        members = members_in(catalog, release_named(catalog, "real"), split=None)

    together = timer.times(members)

    assert together == [timer.times([member])[0] for member in members]


def test_jstip_trains_on_what_was_timed(timed: Time, corpus: Path, tmp_path: Path) -> None:
    timed()
    objective = {"method": "jstip", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}}
    mixture = {"asr": 0.5, "interleaved": 0.5, "text": 0.0, "tokens": 300, "batch_tokens": 150}

    folder = train_on("real", tmp_path, corpus, "jstip", objective, mixture=mixture)

    assert (folder / "step-00000001").exists()


def test_a_take_without_audio_is_a_failure_and_the_others_are_timed(
    timed: Time, corpus: Path, record: Callable[..., Path], tmp_path: Path
) -> None:
    for path in (corpus / "audio").rglob("*.tar"):
        path.unlink()
    record(tmp_path, "more", texts=["Guten Morgen"], speaker="gisela", language="de")
    words = ["freeze", "both", "--where", "origin = 'real'", "-c", str(corpus)]
    assert CliRunner().invoke(app, words).exit_code == 0

    done = timed("--json", release="both")

    report = json.loads(done.stdout)
    assert done.exit_code == 5
    assert (report["aligned"], len(report["failures"]), report["untimed"]) == (1, 6, 6)
    with Catalog.open(corpus) as catalog:
        assert catalog.lake.rows("SELECT stage, count(*) FROM failure GROUP BY ALL ORDER BY ALL") == [("time", 6)]


@pytest.mark.parametrize(
    ("by", "words", "error", "message"),
    [
        ("transducer", [], TrainingError, "is of method 'transducer', which says nothing of frames: expected 'ctc'"),
        ("russian", [], TrainingError, "no text of release 'real' has a letter of these"),
        ("nothing", [], TrainingError, "there is no .*nothing"),
        ("german", ["--split", "test"], ReleaseError, "has no takes of split 'test'"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    timed: Time, corpus: Path, by: str, words: list[str], error: type[Exception], message: str
) -> None:
    done = timed(*words, by=by)

    assert isinstance(done.exception, error)
    with pytest.raises(error, match=message):
        raise done.exception
    with Catalog.open(corpus) as catalog:
        assert takes.families(catalog.lake) == []
