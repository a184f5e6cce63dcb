"""Real speech in a corpus: every take under the terms it came with."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.errors import CatalogError, ReleaseError
from catalogs.export import ExportConfig, Use, export
from catalogs.ingest import SpeechSource
from catalogs.ingest.speakers import add_voices, human_voices
from catalogs.ingest.storing import Ingested, ingest_speech
from catalogs.records import Take
from catalogs.release import freeze, members, select

RATE_HZ = 16_000


def corpus_of(folder: Path, rows: Sequence[Mapping[str, object]], *, seed: int) -> Path:
    """A manifest of these rows, each with its own tenth of a second of noise."""
    folder.mkdir()
    for number, row in enumerate(rows):
        samples = np.random.default_rng([seed, number]).integers(-9000, 9000, RATE_HZ // 10).astype(np.int16)
        soundfile.write(folder / f"{number}.wav", samples, RATE_HZ)
        with (folder / "manifest.jsonl").open("a") as file:
            file.write(json.dumps({"audio": f"{number}.wav", "text": f"text {number}"} | row) + "\n")
    return folder


def ingest(catalog: Catalog, folder: Path, **said: Any) -> Ingested:
    run_id = catalog.begin_run(None, "synthgen ingest")
    return ingest_speech(catalog, SpeechSource(str(folder), **said), run_id)


def asked(catalog: Catalog, sql: str) -> list[tuple[Any, ...]]:
    return catalog.lake.rows(sql)


def exported(catalog: Catalog, where: str, *, to: Path, use: Use) -> list[Path]:
    release = freeze(catalog, to.name, take_ids=select(catalog.folder, where=where), made_by=where)
    export(members(catalog, release), release, to=to, config=ExportConfig("jsonl", intended_use=use))
    return list(to.iterdir())


def failures(catalog: Catalog) -> list[tuple[str, str]]:
    return asked(catalog, "SELECT error, message FROM failure ORDER BY message")


def test_takes_without_a_speaker_stay_under_the_terms_of_their_own_corpus(studio: Any, tmp_path: Path) -> None:
    free, bound = (corpus_of(tmp_path / name, [{}, {}], seed=seed) for seed, name in enumerate(("free", "bound")))

    ingest(studio.catalog, free, licence="CC0-1.0", consent="given")
    ingest(studio.catalog, bound, licence="CC-BY-NC-4.0", consent="given")

    licences = "SELECT voice, licence, count(*) FROM takes GROUP BY ALL ORDER BY licence"
    assert asked(studio.catalog, licences) == [("human/unknown", "CC-BY-NC-4.0", 2), ("human/unknown", "CC0-1.0", 2)]
    with pytest.raises(ReleaseError, match=r"2 by human/unknown \(CC-BY-NC-4.0 is non-commercial\)"):
        exported(studio.catalog, "true", to=tmp_path / "all", use="commercial")
    assert exported(studio.catalog, "licence = 'CC0-1.0'", to=tmp_path / "sold", use="commercial")


def test_a_manifest_may_give_one_speaker_two_licences(studio: Any, tmp_path: Path) -> None:
    rows = [{"speaker": "ann", "license": licence} for licence in ("CC0-1.0", "CC-BY-NC-4.0")]

    ingest(studio.catalog, corpus_of(tmp_path / "c", rows, seed=0))

    assert asked(studio.catalog, "SELECT text, voice, licence FROM takes ORDER BY text") == [
        ("text 0", "human/ann", "CC0-1.0"),
        ("text 1", "human/ann", "CC-BY-NC-4.0"),
    ]


@pytest.mark.parametrize(
    ("consent", "use"), [("withdrawn", "research"), ("withdrawn", "commercial"), ("research only", "commercial")]
)
def test_an_export_refuses_what_a_speaker_has_not_agreed_to(
    studio: Any, tmp_path: Path, consent: str, use: Use
) -> None:
    ingest(studio.catalog, corpus_of(tmp_path / "a", [{}], seed=0), licence="CC0-1.0", consent="given")
    ingest(studio.catalog, corpus_of(tmp_path / "b", [{}], seed=1), licence="CC0-1.0", consent=consent)

    with pytest.raises(ReleaseError, match=f"1 by human/unknown .*{consent}"):
        exported(studio.catalog, "true", to=tmp_path / "out", use=use)


@pytest.mark.parametrize("said", [{"licence": "CC-BY-NC-4.0"}, {"consent": "withdrawn"}])
def test_a_recording_that_is_there_on_other_terms_is_a_failure_that_says_so(
    studio: Any, tmp_path: Path, said: dict[str, str]
) -> None:
    folder = corpus_of(tmp_path / "c", [{}, {}], seed=0)
    terms = {"licence": "CC0-1.0", "consent": "given"}
    ingest(studio.catalog, folder, **terms)

    again = ingest(studio.catalog, folder, **terms | said)

    assert (again.added, again.known, again.failed) == (0, 0, 2)
    assert studio.catalog.count("takes") == 2
    error, message = failures(studio.catalog)[0]
    assert error == "other-terms"
    assert message.startswith(f"{folder}/manifest.jsonl:1: ")
    assert "stored under CC0-1.0 (consent: given)" in message


def test_what_an_earlier_version_ingested_is_recognised(studio: Any, tmp_path: Path) -> None:
    folder = corpus_of(tmp_path / "c", [{}, {}], seed=0)
    ingest(studio.catalog, folder, licence="CC0-1.0")
    as_earlier(studio.catalog)
    before = asked(studio.catalog, "SELECT id FROM take ORDER BY id")

    again = ingest(studio.catalog, folder, licence="CC0-1.0")

    assert (again.added, again.known, again.failed) == (0, 2, 0)
    assert asked(studio.catalog, "SELECT id FROM take ORDER BY id") == before
    assert studio.catalog.count("voice") == 2
    more = ingest(studio.catalog, corpus_of(tmp_path / "d", [{}], seed=1), licence="CC-BY-NC-4.0")
    assert (more.added, studio.catalog.count("voice")) == (1, 3)
    assert asked(studio.catalog, "SELECT licence, count(*) FROM takes GROUP BY ALL ORDER BY 1") == [
        ("CC-BY-NC-4.0", 1),
        ("CC0-1.0", 2),
    ]


def as_earlier(catalog: Catalog) -> None:
    """Give the only human voice the id that does not cover its terms, and its takes theirs."""
    (card,) = human_voices(catalog)
    for take_id, prompt_id, pcm in asked(catalog, "SELECT id, prompt_id::VARCHAR, pcm_sha256 FROM take ORDER BY id"):
        catalog.lake.run(
            "UPDATE take SET id = $new::UUID, voice_id = $voice::UUID WHERE id = $old",
            new=Take.id_of_recording(prompt_id, card.base_id, pcm), voice=card.base_id, old=take_id,
        )  # fmt: skip
    catalog.lake.run("UPDATE voice SET id = $new::UUID WHERE id = $old::UUID", new=card.base_id, old=card.id)
    takes.reset(catalog.lake)


def test_two_ingests_at_once_keep_their_terms_apart(studio: Any, tmp_path: Path) -> None:
    folders = [corpus_of(tmp_path / name, [{}], seed=seed) for seed, name in enumerate("ab")]
    shutil.copytree(studio.folder, tmp_path / "other")

    ingest(studio.catalog, folders[0], licence="CC0-1.0")
    with Catalog.create(tmp_path / "other") as other:  # which does not see what the first has added
        ingest(other, folders[1], licence="CC-BY-NC-4.0")
        (theirs,) = asked(other, "SELECT id FROM voice WHERE engine = 'human'")

    assert theirs not in asked(studio.catalog, "SELECT id FROM voice")


@pytest.mark.parametrize("change", [{"licence": "CC-BY-NC-4.0"}, {"consent": "withdrawn"}])
def test_a_machine_voice_on_other_terms_than_before_is_an_error(studio: Any, change: dict[str, str]) -> None:
    add_voices(studio.catalog, [studio.VOICE])

    with pytest.raises(CatalogError, match=r"tone/a is in .* under CC0-1.0 \(consent: x\), and now under"):
        add_voices(studio.catalog, [replace(studio.VOICE, **change)])

    assert asked(studio.catalog, "SELECT licence, consent FROM voice") == [("CC0-1.0", "x")]


def test_each_speaker_of_a_sentence_keeps_the_split_of_the_row(studio: Any, tmp_path: Path) -> None:
    said = [("ann", "train"), ("bob", "test")]
    rows = [{"text": text, "speaker": who, "split": split} for who, split in said for text in ("yes", "no")]

    ingested = ingest(studio.catalog, corpus_of(tmp_path / "c", rows, seed=0))

    splits = "SELECT speaker, split, count(*) FROM takes GROUP BY ALL ORDER BY speaker"
    assert (ingested.added, ingested.failed) == (4, 0)
    assert asked(studio.catalog, splits) == [("ann", "train", 2), ("bob", "test", 2)]
    takes.flatten(studio.catalog.lake)
    assert asked(studio.catalog, splits) == [("ann", "train", 2), ("bob", "test", 2)]
    release = freeze(studio.catalog, "r", take_ids=select(studio.folder, where="true"), made_by="true")
    assert {(item.voice.speaker, item.split) for item in members(studio.catalog, release)} == set(said)


def test_a_recording_whose_split_was_corrected_moves_when_it_is_ingested_again(studio: Any, tmp_path: Path) -> None:
    folder = corpus_of(tmp_path / "c", [{"split": "train"}, {"split": "train"}], seed=0)
    ingest(studio.catalog, folder)
    takes.flatten(studio.catalog.lake)
    manifest = folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("train", "test", 1))

    again, third = (ingest(studio.catalog, folder) for _ in range(2))

    assert (again.known, again.moved, third.moved) == (2, 1, 0)
    assert "known 2 (1 of them moved to another split)" in again.text()
    assert asked(studio.catalog, "SELECT text, split FROM takes ORDER BY text") == [
        ("text 0", "test"),
        ("text 1", "train"),
    ]


def test_labels_that_are_not_stored_are_told_and_the_recording_is_kept(studio: Any, tmp_path: Path) -> None:
    rows = [
        {"text": "tea", "speaker": "ann"},
        {"text": "tea", "speaker": "bob", "intent": "order", "slots": {"drink": "tea"}},
        {"text": "tea", "speaker": "eve", "intent": "offer", "slots": {"drink": "tea"}},
    ]

    ingested = ingest(studio.catalog, corpus_of(tmp_path / "c", rows, seed=0))

    assert (ingested.added, ingested.failed) == (3, 1)
    assert asked(studio.catalog, "SELECT DISTINCT intent, slots FROM takes") == [("order", {"drink": "tea"})]
    ((error, message),) = failures(studio.catalog)
    assert error == "other-labels"
    assert "manifest.jsonl:3: the recording is kept, but the text 'tea' is stored with intent 'order', not 'offer'" in (
        message
    )


def test_a_corpus_of_schema_5_gets_splits_of_takes(studio: Any, tmp_path: Path) -> None:
    studio.record(range(6))
    takes.flatten(studio.catalog.lake)
    before = asked(studio.catalog, "SELECT take_id, split FROM takes ORDER BY take_id")
    lake = studio.catalog.lake
    lake.run("DROP VIEW IF EXISTS prosody_about_voice")
    lake.run("CREATE OR REPLACE VIEW takes AS SELECT take.id AS take_id FROM take")
    lake.run("ALTER TABLE take DROP COLUMN split")
    lake.run("DELETE FROM migration WHERE version >= 6")
    lake.close()

    with Catalog.open(studio.folder) as catalog:
        assert asked(catalog, "SELECT take_id, split FROM takes ORDER BY take_id") == before
    with Catalog.create(studio.folder) as catalog:
        ingest(catalog, corpus_of(tmp_path / "c", [{"text": "text 0", "split": "train"}], seed=0))
        assert asked(catalog, "SELECT DISTINCT origin, split FROM takes WHERE text = 'text 0' ORDER BY 1") == [
            ("real", "train"),
            ("synthetic", "test"),
        ]
