"""Interleaved sequences as rows of a corpus: what must hold of every set, whoever trains on it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs.catalog import Catalog
from catalogs.errors import InputError, ReleaseError, TrainingError, UsageError
from catalogs.hypotheses import hypotheses_dictionary
from catalogs.lake import Lake
from catalogs.progress import SILENT
from catalogs.records import Interleaving, SequenceUnit, Slot
from catalogs.release import release_named
from catalogs.sequences import interleaving_of
from synthgen.cli import app
from training.data import read_data
from training.interleaving import sequences
from training.interleaving.choosing import Choosing
from training.interleaving.sequences import InterleaveConfig, interleave_release
from training.interleaving.texts_alone import texts_alone
from training.interleaving.timings import timed_members
from training.interleaving.units import Segments
from training.interleaving.words import Word
from training.members import DataConfig
from training.mixing.mixer import Mixer
from training.mixing.mixture import MixtureConfig
from training.mixing.sources import sources_of

from .conftest import HELD_OUT, PROMPTS, STOP, Rows

CHOOSINGS = st.builds(
    Choosing,
    granularity=st.sampled_from(["word", "segment", "mixed"]),
    segments=st.builds(
        Segments,
        at=st.sampled_from(["silence", "silence+punctuation"]),
        silence_s=st.sampled_from([0.0, 0.2, 1.0]),
        max_s=st.sampled_from([0.4, 1.0, 6.0]),
    ),
    word_share=st.sampled_from([0.0, 0.5, 1.0]),
    confidence=st.sampled_from([None, 1.0]),
    least_confidence=st.sampled_from([None, -1.0]),
    entity_heard=st.sampled_from([None, 0.0, 1.0]),
)


def make(corpus: Path, **settings_of: Any) -> sequences.InterleaveReport:
    return interleave_release(corpus, InterleaveConfig("told", **settings_of), progress=SILENT)


def held(corpus: Path) -> tuple[int, int]:
    """How many sets and units there are."""
    with Catalog.open(corpus) as catalog:
        return catalog.count("interleaving"), catalog.count("unit")


def by_sequence(rows: list[dict[str, Any]]) -> dict[tuple[str, bool], list[dict[str, Any]]]:
    """The units of each take's sequences, in order."""
    takes = sorted(
        (row for row in rows if row["take_id"]), key=lambda r: (r["take_id"], r["heard_first"], r["unit_idx"])
    )
    return {key: list(units) for key, units in groupby(takes, key=lambda r: (r["take_id"], r["heard_first"]))}


def words_by_take(corpus: Path) -> dict[str, list[Word]]:
    with Catalog.open(corpus) as catalog:
        found = timed_members(catalog, release_named(catalog, "told"), split=None)
        return {member.take_id: list(words) for member, words in found if words is not None}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choosing=CHOOSINGS, seed=st.integers(0, 5))
def test_every_word_is_heard_or_read_once_and_the_end_is_read(
    corpus: Path, rows_of: Rows, choosing: Choosing, seed: int
) -> None:
    words = words_by_take(corpus)

    made = make(corpus, choosing=choosing, seed=seed).interleaving

    found = by_sequence(rows_of(made.id))
    assert len(found) == made.num_sequences
    for (take_id, _), units in found.items():
        assert [unit["unit_idx"] for unit in units] == list(range(len(units)))
        assert units[-1]["modality"] == "text"
        assert "speech" in {unit["modality"] for unit in units}
        assert " ".join(unit["text"] for unit in units) == " ".join(word.text for word in words[take_id])
        assert all(before["end_s"] <= after["start_s"] for before, after in pairwise(units))
        assert (units[0]["start_s"], units[-1]["end_s"]) == (words[take_id][0].start_s, words[take_id][-1].end_s)
        for unit in units:
            assert unit["end_s"] - unit["start_s"] <= choosing.segments.max_s or " " not in unit["text"]
            if choosing.least_confidence is not None and unit["confidence"] < choosing.least_confidence:
                assert unit["modality"] == "text"


@pytest.mark.parametrize("granularity", ["word", "segment", "mixed"])
def test_what_one_variant_hears_the_other_reads_but_for_the_last_unit(
    corpus: Path, rows_of: Rows, granularity: str
) -> None:
    choosing = Choosing(granularity, Segments(silence_s=0.02), least_confidence=-1.0)  # type: ignore[arg-type]

    found = by_sequence(rows_of(make(corpus, choosing=choosing).interleaving.id))

    pairs = [(found[take, True], found[take, False]) for take, is_first in found if is_first and (take, False) in found]
    assert len(pairs) >= 2
    for first, second in pairs:
        told = [
            [{k: v for k, v in unit.items() if k not in ("modality", "heard_first")} for unit in s]
            for s in (first, second)
        ]
        assert told[0] == told[1]
        for one, other in list(zip(first, second, strict=True))[:-1]:
            unsure = one["confidence"] < -1.0
            heard = {one["modality"], other["modality"]}
            assert heard == ({"text"} if unsure else {"speech", "text"})
    assert any(unit["confidence"] < -1.0 for first, _ in pairs for unit in first)


def test_rows_are_what_a_training_of_this_seed_hears_in_its_first_two_passes(corpus: Path, rows_of: Rows) -> None:
    config = MixtureConfig(asr=0.0, interleaved=1.0, choosing=Choosing(confidence=1.0))
    mixer = Mixer(
        sources_of(config, [read_data(DataConfig(str(corpus), "told", split=None))]),
        lambda _: 10, context=10, seed=7, epochs=2,
    )  # fmt: skip

    made = make(corpus, choosing=config.choosing, seed=7).interleaving

    drawn = {
        (draw.member.take_id, *((part.modality, part.text, part.start_s, part.end_s) for part in draw.parts or ()))
        for epoch in (0, 1)
        for draw, _ in mixer.plan(epoch)
    }
    kept = {
        (take_id, *((unit["modality"], unit["text"], unit["start_s"], unit["end_s"]) for unit in units))
        for (take_id, _), units in by_sequence(rows_of(made.id)).items()
    }
    assert kept == drawn


def test_words_are_those_of_the_written_text(corpus: Path, rows_of: Rows) -> None:
    made = make(corpus, choosing=Choosing(granularity="word")).interleaving

    texts = {unit["text"] for unit in rows_of(made.id)}

    assert {"$5,", "costs"} <= texts
    assert not texts & {"five", "dollars"}


def test_a_set_counts_what_is_in_it_and_what_is_not(corpus: Path, rows_of: Rows) -> None:
    report = make(corpus, split="train")

    made = report.interleaving
    with Catalog.open(corpus) as catalog:
        assert interleaving_of(catalog, made.id) == made
    assert (made.num_takes, made.num_untimed, made.num_texts) == (len(PROMPTS) - 2, 1, 0)
    assert json.loads(made.choosing) == json.loads(json.dumps(asdict(Choosing())))
    assert len(rows_of(made.id)) == report.num_added
    assert not [take_id for take_id, words in words_by_take(corpus).items()
                if len(words) == 1 and take_id in {row["take_id"] for row in rows_of(made.id)}]  # fmt: skip


def test_a_second_time_there_is_nothing_to_do(corpus: Path, rows_of: Rows) -> None:
    first = make(corpus, seed=11)

    again = make(corpus, seed=11)

    assert (again.interleaving, again.num_added) == (first.interleaving, 0)
    assert first.num_added == len(rows_of(first.interleaving.id)) > 0


def test_another_seed_split_setting_or_text_is_another_set(corpus: Path, texts: Path) -> None:
    asked: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"split": "train"},
        {"choosing": Choosing(word_share=0.4)},
        {"texts": str(texts)},
        {"texts": str(texts), "language": "de"},
    ]

    ids = [make(corpus, **each).interleaving.id for each in asked]

    assert len(set(ids)) == len(asked)


class Killed(BaseException):
    """The end of a process."""


@contextmanager
def killed_at_insert(number: int) -> Iterator[None]:
    seen, insert = 0, Lake.insert

    def dying(self: Lake, table: str, rows: pa.Table, *, where: str = "") -> int:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed
        return insert(self, table, rows, where=where)

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(Lake, "insert", dying)
        yield


def test_killed_anywhere_the_same_command_completes_the_set(
    corpus: Path, texts: Path, rows_of: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequences, "BATCH", 2)
    asked: dict[str, Any] = {"texts": str(texts), "choosing": Choosing(granularity="word")}
    whole = make(corpus, seed=20, **asked)
    wanted = [{**row, "interleaving_id": None} for row in rows_of(whole.interleaving.id)]

    left_to_do: list[int] = []
    for number in (1, 3, 5, 6):
        with killed_at_insert(number):
            make(corpus, seed=20 + number, **asked)
        with Catalog.open(corpus) as catalog:
            left = catalog.lake.rows("SELECT count(*) FROM interleaving WHERE seed = $seed", seed=20 + number)[0][0]
        made = make(corpus, seed=20 + number, **asked)

        found = [{**row, "interleaving_id": None} for row in rows_of(made.interleaving.id)]
        assert left == 0
        left_to_do.append(made.num_added)
        assert found == wanted
        assert replace(made.interleaving, id="", seed=0) == replace(whole.interleaving, id="", seed=0)
    assert left_to_do == sorted(left_to_do, reverse=True)
    assert (left_to_do[0], left_to_do[-1]) == (whole.num_added, 0)


@pytest.mark.parametrize("change", [
    "UPDATE score_timing SET word_ends_s = list_transform(word_ends_s, x -> x - 0.0001)",
    "UPDATE score_timing SET is_timed = false WHERE take_id = (SELECT max(take_id) FROM score_timing WHERE is_timed)",
])  # fmt: skip
def test_a_set_is_not_kept_if_word_times_change_while_it_is_made(
    corpus_to_change: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def changing(*args: Any, **more: Any) -> Iterator[Any]:
        yield from timed_members(*args, **more)
        monkeypatch.setattr(sequences, "timed_members", timed_members)
        with Catalog.create(corpus_to_change) as catalog:
            assert catalog.lake.run(change)

    monkeypatch.setattr(sequences, "timed_members", changing)
    before = held(corpus_to_change)
    with pytest.raises(TrainingError, match="word times of release 'told' changed meanwhile"):
        make(corpus_to_change, seed=77)

    assert held(corpus_to_change) == before
    again = make(corpus_to_change, seed=77)
    assert again.num_added > 0
    assert again.interleaving.num_sequences <= 2 * again.interleaving.num_takes


def test_a_set_is_not_kept_if_its_texts_change_while_it_is_made(
    corpus_to_change: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "domain.txt"
    file.write_text("see you at nine")

    def changing(*args: Any, **more: Any) -> Iterator[Any]:
        file.write_text("see you at ten")
        return texts_alone(*args, **more)

    monkeypatch.setattr(sequences, "texts_alone", changing)
    before = held(corpus_to_change)
    with pytest.raises(TrainingError, match=r"the texts of .*domain.txt changed meanwhile"):
        make(corpus_to_change, seed=77, texts=str(file))

    assert held(corpus_to_change) == before


def test_a_set_is_not_kept_if_units_of_it_are_removed_while_it_is_made(
    corpus_to_change: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = sequences._add_takes

    def removed(catalog: Catalog, *args: Any, **more: Any) -> tuple[int, int]:
        counts = add(catalog, *args, **more)
        catalog.lake.run("DELETE FROM unit WHERE unit_idx = 0")
        return counts

    with monkeypatch.context() as patch:
        patch.setattr(sequences, "_add_takes", removed)
        with pytest.raises(TrainingError, match="were removed meanwhile"):
            make(corpus_to_change, seed=78)

    with Catalog.open(corpus_to_change) as catalog:
        assert not catalog.lake.rows("SELECT id FROM interleaving WHERE seed = 78")


def test_texts_alone_are_one_unit_each_and_held_out_ones_stay_out(corpus: Path, texts: Path, rows_of: Rows) -> None:
    made = make(corpus, texts=str(texts)).interleaving

    alone = [row for row in rows_of(made.id) if row["take_id"] is None]

    assert (made.num_texts, made.num_held_out) == (2, 1)
    assert {row["text"] for row in alone} == {"take aspirin twice a day", "see you at nine"}
    told = {
        (r["unit_idx"], r["unit_type"], r["modality"], r["heard_first"], r["start_s"], r["confidence"]) for r in alone
    }
    assert told == {(0, "text", "text", False, None, None)}
    with Catalog.open(corpus) as catalog:
        known = dict(catalog.lake.rows("SELECT id::VARCHAR, text FROM prompt ORDER BY id"))
    assert {row["prompt_id"]: row["text"] for row in alone}.items() <= known.items()


def test_texts_of_a_release_are_those_that_no_split_holds_out(corpus: Path, rows_of: Rows) -> None:
    made = make(corpus, texts="told").interleaving

    alone = [row["text"] for row in rows_of(made.id) if row["take_id"] is None]

    assert sorted(alone) == sorted(prompt["text"] for prompt in PROMPTS if prompt["text"] != HELD_OUT)
    assert made.num_held_out == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_a_held_out_take_says_is_no_text_alone(corpus: Path, rows_of: Rows, tmp_path: Path, language: str) -> None:
    file = tmp_path / "domain.txt"
    said = [HELD_OUT, HELD_OUT.upper(), HELD_OUT.replace(",", "").rstrip("."), f"{HELD_OUT}..", "Somebody may."]
    file.write_text("\n".join(said))

    made = make(corpus, split="train", texts=str(file), language=language).interleaving

    assert (made.num_texts, made.num_held_out) == (1, 4)
    assert [row["text"] for row in rows_of(made.id) if row["take_id"] is None] == ["Somebody may."]


def test_what_a_held_out_take_of_another_release_says_is_no_text_alone(
    corpus_to_change: Path, rows_of: Rows, produce: Callable[..., Path]
) -> None:
    again = [{"text": "See you at nine."}, {"text": "SEE you, at nine", "split": "test"}, {"text": "At ten"}]
    produce(corpus_to_change.parent, "again", prompts=again, speakers=["anna"])

    made = make(corpus_to_change.parent / "corpus", texts="again").interleaving

    assert (made.num_texts, made.num_held_out) == (1, 2)


@pytest.mark.parametrize("name", ["./again.txt", "again"])
def test_a_file_and_a_release_are_told_apart(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "again.txt").write_text("of a file")
    (tmp_path / "told").mkdir()

    if name == "again":
        with pytest.raises(ReleaseError, match="no release 'again'"):
            make(corpus, texts=name)
        (tmp_path / name).write_text("of a file")
        with pytest.raises(ReleaseError, match=r"for the file or folder give \./again"):
            make(corpus, texts=name)
    else:
        assert make(corpus, texts=name).interleaving.num_texts == 1
    assert make(corpus, texts="told").interleaving.num_texts == len(PROMPTS) - 1


def test_a_name_of_a_file_and_of_a_release_is_refused(
    corpus_to_change: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("UPDATE release SET name = 'menus.txt' WHERE name = 'untimed'")
    of_release = make(corpus_to_change, texts="menus.txt").interleaving
    (tmp_path / "menus.txt").write_text("one\ntwo\nthree")

    with pytest.raises(UsageError, match=r"--texts menus.txt is the file /.*/menus.txt and a release of"):
        make(corpus_to_change, texts="menus.txt")

    assert (of_release.num_texts, make(corpus_to_change, texts="./menus.txt").interleaving.num_texts) == (1, 3)


@pytest.mark.parametrize(
    "choosing",
    [
        Choosing("word", entity_heard=1.0),
        Choosing("word", entity_heard=0.0),
        Choosing("word", least_confidence=-0.05),
        Choosing("segment", Segments(silence_s=0.02), confidence=3.0),
    ],
)
def test_no_two_sequences_of_a_take_are_the_same(corpus: Path, choosing: Choosing) -> None:
    config, num = InterleaveConfig("told", choosing=choosing), 0
    with Catalog.open(corpus) as catalog:
        for member, words in timed_members(catalog, release_named(catalog, "told"), split=None):
            named = replace(member, labels=replace(member.labels, entities=(Slot("all", member.text),)))
            for seed in range(5):
                found = [
                    tuple(part.modality for part in parts)
                    for _, parts in sequences.sequences_of(named, words or [], replace(config, seed=seed))
                ]
                assert len(set(found)) == len(found)
                num += len(found)
    assert num > 0 or choosing.least_confidence is not None or choosing.entity_heard == 0.0


def test_entities_are_heard_if_that_is_asked_for(corpus: Path, rows_of: Rows) -> None:
    made = make(corpus, choosing=Choosing(granularity="word", entity_heard=1.0)).interleaving

    heard = {row["modality"] for row in rows_of(made.id) if row["text"] == "$5,"}

    assert heard == {"speech"}


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"split": "nowhere"}, ReleaseError, "no takes of split 'nowhere'; known: "),
        ({"split": "test", "release": "silent"}, ReleaseError, "no release 'silent'"),
        ({"texts": "nothing.txt"}, InputError, "nothing.txt"),
        ({"texts": "nothing"}, ReleaseError, "no release 'nothing'"),
        ({"release": "untimed"}, TrainingError, "--metric timing"),
    ],
)
def test_what_cannot_be_made_is_said(corpus: Path, asked: dict[str, Any], error: type, message: str) -> None:
    config = InterleaveConfig(**{"release": "told", **asked})

    with pytest.raises(error, match=message):
        interleave_release(corpus, config, progress=SILENT)


def test_a_corpus_without_the_family_timing_says_how_to_get_it(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning"], speakers=["cora"])

    with pytest.raises(TrainingError, match="--metric timing"):
        make(corpus)


def test_a_corpus_of_schema_9_gets_the_tables(corpus_to_change: Path) -> None:
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("DROP TABLE interleaving")
        catalog.lake.run("DROP TABLE unit")
        catalog.lake.run("DELETE FROM migration WHERE version >= 10")

    made = make(corpus_to_change)

    with Catalog.open(corpus_to_change) as catalog:
        assert (catalog.count("interleaving"), catalog.count("unit")) == (1, made.num_added)


def test_every_column_is_explained(corpus: Path) -> None:
    with Catalog.open(corpus) as catalog:
        rows = hypotheses_dictionary(catalog.lake).to_pylist()

    for table, record in (("interleaving", Interleaving), ("unit", SequenceUnit)):
        explained = [row["column"] for row in rows if row["family"] == table]
        assert explained == list(record.__dataclass_fields__)


def test_the_verb_says_what_was_made_and_what_was_left_out(corpus: Path) -> None:
    words = [
        "interleave",
        "told",
        "-c",
        str(corpus),
        "-o",
        "granularity=segment",
        "-o",
        "segments.max_s=2",
        "--seed",
        "3",
    ]

    done = CliRunner().invoke(app, words)
    again = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)

    assert done.exit_code == 0, done.output
    made = again["interleaving"]
    assert f"{made['id']}: {made['num_sequences']} sequences of {made['num_takes']} takes" in done.output
    assert "left out: 1 takes without word times" in done.output
    assert (again["num_added"], again["exported"]) == (0, None)
    assert json.loads(made["choosing"])["segments"]["max_s"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "granularity=letter"], "granularity = 'letter'"),
        (["-o", "segments.max=3"], "did you mean 'max_s'"),
        (["--use", "any"], "expected 'research' or 'commercial'"),
        (["--seed", str(2**63)], "9223372036854775807"),
    ],
)
def test_mistakes_of_the_command_are_named(corpus: Path, words: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["interleave", "told", "-c", str(corpus), *words])

    assert message in str(done.exception) + done.output


def test_takes_of_one_word_are_in_no_sequence(corpus: Path, rows_of: Rows) -> None:
    made = make(corpus).interleaving

    assert STOP not in {row["text"] for row in rows_of(made.id)}


def test_units_are_asked_for_in_sql_by_set(corpus: Path) -> None:
    make(corpus, choosing=Choosing(granularity="word"))

    sql = (
        "SELECT unit_type, modality, count(*), avg(end_s - start_s) FROM unit "
        "JOIN interleaving ON interleaving.id = interleaving_id GROUP BY ALL ORDER BY ALL"
    )
    done = CliRunner().invoke(app, ["sql", "-c", str(corpus), sql, "--json"])

    assert done.exit_code == 0, repr(done.exception)
    assert {"unit_type": "word", "modality": "speech"}.items() <= json.loads(done.stdout)[-2].items()
