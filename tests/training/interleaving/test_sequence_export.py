"""A data set of interleaved sequences, read back as another trainer reads it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from catalogs import flac
from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.errors import AudioError, ReleaseError, UsageError
from catalogs.export.sequences import export_sequences
from catalogs.progress import SILENT
from catalogs.records import Interleaving
from catalogs.release import release_named
from synthgen.cli import app
from training.interleaving.choosing import Choosing, Part
from training.interleaving.sequences import InterleaveConfig, interleave_release
from training.interleaving.spans import pieces_of
from training.interleaving.units import Segments
from training.members import RATE_HZ, members_in, waves_of

from .conftest import HELD_OUT, Rows

CHOOSING = Choosing("mixed", Segments(silence_s=0.02, max_s=0.8))


def made_of(corpus: Path, texts: Path | None = None, **more: Any) -> Interleaving:
    config = InterleaveConfig("told", choosing=CHOOSING, texts=texts and str(texts), **more)
    return interleave_release(corpus, config, progress=SILENT).interleaving


def exported(corpus: Path, made: Interleaving, to: Path, **more: Any) -> list[dict[str, Any]]:
    with Catalog.open(corpus) as catalog:
        export_sequences(catalog, made, to=to, **more)
    return [row for file in sorted(to.glob("data/*.parquet")) for row in pq.read_table(file).to_pylist()]


def samples_of(corpus: Path, take_id: str) -> tuple[np.ndarray, int]:
    with Catalog.open(corpus) as catalog:
        (place,) = catalog.lake.rows('SELECT shard, "offset", num_bytes FROM take WHERE id = $id::UUID', id=take_id)
        return flac.decode(catalog.audio.read(Place(*place)))


def test_a_sequence_is_its_units_and_no_take_of_a_test_is_there(
    corpus: Path, texts: Path, rows_of: Rows, tmp_path: Path
) -> None:
    made = made_of(corpus, texts)

    found = exported(corpus, made, tmp_path / "set")

    columns = ("modality", "text", "start_s", "end_s")
    units = [
        (row["take_id"], row["prompt_id"], row["heard_first"], *(unit[column] for column in columns))
        for row in found
        for unit in row["units"]
    ]
    with Catalog.open(corpus) as catalog:
        texts_of = dict(catalog.lake.rows("SELECT take_id::VARCHAR, text FROM takes ORDER BY take_id"))
        prompts = dict(catalog.lake.rows("SELECT take_id::VARCHAR, prompt_id::VARCHAR FROM takes ORDER BY take_id"))
    wanted = [
        (row["take_id"], row["prompt_id"] or prompts[row["take_id"]], row["heard_first"], *(row[c] for c in columns))
        for row in rows_of(made.id)
        if texts_of.get(row["take_id"]) != HELD_OUT
    ]
    assert len(found) < made.num_sequences
    assert sorted(units, key=str) == sorted(wanted, key=str)
    assert len({row["sequence_id"] for row in found}) == len(found)
    for row in found:
        assert row["units"][-1]["modality"] == "text"
        assert row["text"] == texts_of.get(row["take_id"], row["units"][-1]["text"])
        assert (row["language"], row["voice"], row["licence"]) == (
            ("en", "tone/anna", "CC0-1.0") if row["take_id"] else ("en", None, None)
        )
    assert {row["domain"] for row in found} == {"shopping", "health", None}


def test_what_is_heard_is_the_take_from_start_to_end_and_nothing_of_what_is_read(corpus: Path, tmp_path: Path) -> None:
    found = exported(corpus, made_of(corpus), tmp_path / "set")

    heard = [(row, unit) for row in found for unit in row["units"] if unit["modality"] == "speech"]
    assert heard
    assert all(unit["audio"] is None for row in found for unit in row["units"] if unit["modality"] == "text")
    for row, unit in heard:
        take, rate_hz = samples_of(corpus, row["take_id"])
        piece, own_hz = flac.decode(unit["audio"]["bytes"])
        start, stop = round(unit["start_s"] * rate_hz), round(unit["end_s"] * rate_hz)
        assert own_hz == rate_hz
        assert len(piece) == stop - start
        assert np.array_equal(piece[: len(take) - start], take[start:stop])
        assert not piece[len(take) - start :].any()
    for row in found:
        moments = [(unit["start_s"], unit["end_s"], unit["modality"]) for unit in row["units"]]
        read = [(start, end) for start, end, modality in moments if modality == "text"]
        assert not [
            (a, b) for a, b, m in moments if m == "speech" for start, end in read if a < end - 1e-9 and start < b - 1e-9
        ]


def test_a_training_hears_the_same_pieces(corpus: Path, tmp_path: Path) -> None:
    found = exported(corpus, made_of(corpus), tmp_path / "set")
    with Catalog.open(corpus) as catalog:
        members = {m.take_id: m for m in members_in(catalog, release_named(catalog, "told"), split=None)}

    for row in found:
        (wave,) = waves_of([members[row["take_id"]]])
        parts = [Part(u["modality"], u["text"], u["start_s"], u["end_s"], 0, 0) for u in row["units"]]
        ours = [flac.decode(u["audio"]["bytes"]) for u in row["units"] if u["audio"]]
        assert {rate_hz for _, rate_hz in ours} == {RATE_HZ}
        for piece, theirs in zip(ours, pieces_of(wave, parts), strict=True):
            assert np.array_equal(piece[0].astype(np.float32) / 32768, theirs)


def test_the_same_set_gives_the_same_bytes_in_files_of_the_size_asked_for(
    corpus: Path, texts: Path, tmp_path: Path
) -> None:
    made = made_of(corpus, texts)
    rows = [exported(corpus, made_of(corpus, texts), tmp_path / name, shard_size=4) for name in ("one", "two")]

    files = [
        sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*") if p.is_file()) for n in ("one", "two")
    ]
    assert rows[0] == rows[1]
    assert files[0] == files[1]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files[0])
    data = [file.name for file in files[0] if file.suffix == ".parquet"]
    assert data == [f"train-{number:05d}-of-{len(data):05d}.parquet" for number in range(-(-len(rows[0]) // 4))]
    assert rows[0] == exported(corpus, made, tmp_path / "whole")
    for line in (tmp_path / "one" / "SHA256SUMS").read_text().splitlines():
        sha256, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == sha256


def test_the_hub_library_knows_the_types(corpus: Path, texts: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = exported(corpus, made_of(corpus, texts), tmp_path / "set")

    loaded = datasets.Dataset.from_parquet(
        str(tmp_path / "set" / "data" / "*.parquet"), cache_dir=str(tmp_path / "cache")
    )

    assert isinstance(loaded.features["units"].feature["audio"], datasets.Audio)
    plain = loaded.cast_column(
        "units", datasets.List({**loaded.features["units"].feature, "audio": datasets.Audio(decode=False)})
    )
    assert [row["sequence_id"] for row in plain] == [row["sequence_id"] for row in rows]
    assert [u["audio"] and u["audio"]["bytes"] for r in plain for u in r["units"]] == [
        u["audio"] and u["audio"]["bytes"] for r in rows for u in r["units"]
    ]


def test_texts_alone_need_no_takes(corpus: Path, texts: Path, tmp_path: Path) -> None:
    rows = exported(corpus, made_of(corpus, texts, split="test"), tmp_path / "set")

    assert [(row["take_id"], row["unit_type"], row["text"]) for row in rows] == [
        (None, "text", text) for text in (rows[0]["text"], rows[1]["text"])
    ]
    assert {row["text"] for row in rows} == {"take aspirin twice a day", "see you at nine"}


def test_a_text_alone_that_a_held_out_take_says_stays_out(corpus_to_change: Path, texts: Path, tmp_path: Path) -> None:
    made = made_of(corpus_to_change, texts)
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("UPDATE prompt SET text = $text WHERE text = 'see you at nine'", text=HELD_OUT.upper())

    rows = exported(corpus_to_change, made, tmp_path / "set")

    assert [row["text"] for row in rows if row["take_id"] is None] == ["take aspirin twice a day"]


@pytest.mark.parametrize(
    ("change", "use", "message"),
    [
        (
            "licence = 'CC-BY-NC-4.0'",
            "commercial",
            r"for commercial use: \d by tone/anna \(CC-BY-NC-4.0 is",
        ),
        ("consent = 'withdrawn'", "research", "not for research use"),
    ],
)
def test_what_a_voice_does_not_allow_is_refused(
    corpus_to_change: Path, tmp_path: Path, change: str, use: str, message: str
) -> None:
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run(f"UPDATE voice SET {change}")

    with pytest.raises(ReleaseError, match=message):
        exported(corpus_to_change, made_of(corpus_to_change), tmp_path / "set", use=use)

    assert not (tmp_path / "set").exists()


def test_nothing_is_written_of_held_out_takes_alone(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no sequence is to be exported; 2 are of held-out takes or texts"):
        exported(corpus, made_of(corpus, split="test"), tmp_path / "set")


def test_a_folder_that_is_there_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(UsageError, match="is not empty, and holds no export"):
        exported(corpus, made_of(corpus), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_times_of_another_take_are_found_out(corpus_to_change: Path, tmp_path: Path) -> None:
    made = made_of(corpus_to_change)
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("UPDATE unit SET start_s = start_s + 900, end_s = end_s + 900")

    with pytest.raises(AudioError, match=r"a unit of it begins at 900\.\d+ s"):
        exported(corpus_to_change, made, tmp_path / "set")


def test_the_verb_writes_a_data_set_with_a_card(corpus: Path, texts: Path, tmp_path: Path) -> None:
    words = ["interleave", "told", "-c", str(corpus), "--texts", str(texts), "--to", str(tmp_path / "set")]

    done = CliRunner().invoke(app, [*words, "--json"])

    assert done.exit_code == 0, repr(done.exception)
    found = json.loads(done.stdout)["exported"]
    rows = pq.read_table(next((tmp_path / "set" / "data").iterdir())).num_rows
    assert (found["num_sequences"], found["num_texts"]) == (rows, 2)
    assert found["num_held_out"] == 2
    assert f"{rows} sequences, 2 of them texts alone" in (tmp_path / "set" / "README.md").read_text()
    assert "tone/anna" in (tmp_path / "set" / "NOTICE").read_text()
    again = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["exported"]
    assert again == {**found, "was_there": True}


def test_another_export_is_told_of(corpus: Path, tmp_path: Path) -> None:
    made = made_of(corpus)
    exported(corpus, made, tmp_path / "set")

    with pytest.raises(UsageError, match=r"already holds release told as format sequences, set .*; choose another"):
        exported(corpus, made_of(corpus, seed=8), tmp_path / "set")
    (tmp_path / "set" / "NOTICE").unlink()
    with pytest.raises(UsageError, match="not all of it any more"):
        exported(corpus, made, tmp_path / "set")


def test_the_notice_has_the_consent_of_every_voice_once(corpus_to_change: Path, tmp_path: Path) -> None:
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("UPDATE voice SET consent = 'for this study', licence = 'CC-BY-4.0'")
    rows = exported(corpus_to_change, made_of(corpus_to_change), tmp_path / "set")

    num_takes = len({row["take_id"] for row in rows})
    told = (tmp_path / "set" / "NOTICE").read_text()
    assert f"tone/anna: {num_takes} takes, synthetic\n    consent: for this study" in told
    assert f"| CC-BY-4.0 | {num_takes} |" in (tmp_path / "set" / "README.md").read_text()


@pytest.mark.parametrize("use", ["research", "commercial"])
def test_nothing_is_made_if_it_cannot_be_exported(corpus_to_change: Path, tmp_path: Path, use: str) -> None:
    (tmp_path / "set").mkdir()
    if use == "research":
        (tmp_path / "set" / "mine").write_text("mine")
    with Catalog.create(corpus_to_change) as catalog:
        catalog.lake.run("UPDATE voice SET licence = 'CC-BY-NC-4.0'")
        before = catalog.count("unit")
    words = ["interleave", "told", "-c", str(corpus_to_change), "--seed", "99", "--to", str(tmp_path / "set")]

    done = CliRunner().invoke(app, [*words, "--use", use])

    assert isinstance(done.exception, UsageError if use == "research" else ReleaseError)
    with Catalog.open(corpus_to_change) as catalog:
        assert catalog.count("unit") == before
