"""Takes beside the mean of their voice, as the console answers for them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from catalogs import takes
from catalogs.about_voice import VIEW, about_voice_dictionary
from catalogs.catalog import Catalog
from catalogs.console import ask
from catalogs.errors import UsageError
from catalogs.ids import content_id
from catalogs.records import Line, MetricCard, Prompt, Score, ScoreColumn, Take, Value, VoiceCard
from catalogs.rows import scores_to_arrow
from catalogs.single_file import write_single_file


def family(name: str, *columns: str) -> MetricCard:
    return MetricCard(name, "1", tuple(ScoreColumn(c, "DOUBLE", "", "neither", c) for c in columns))


PROSODY = family("prosody", "f0_median_hz", "f0_sd_st", "energy_sd_db")
PACE = family("pace", "chars_per_s")
TEXT = Prompt(Prompt.id_of("good morning", "en"), "good morning", "en")


def voice(speaker: str) -> VoiceCard:
    return VoiceCard.new(
        engine="tone", speaker=speaker, language="en", sample_rate_hz=16_000, checkpoint_sha256="", licence="CC0-1.0",
        consent="nobody's voice", temperature="noise",
    )  # fmt: skip


def record(catalog: Catalog, speaker: str, seed: int, scores: Mapping[MetricCard, tuple[Value, ...]]) -> str:
    """Add a take by a speaker, without audio, with its figures; gives its id."""
    card = voice(speaker)
    line = Line.new(prompt_id=TEXT.id, voice_id=card.id, text=TEXT.text, normaliser="none", temperature=1.0 + seed)
    take = Take(
        id=Take.id_of_line(line.id), line_id=line.id, prompt_id=TEXT.id, voice_id=card.id, origin="synthetic",
        shard="none.tar", offset=0, num_bytes=0, pcm_sha256=content_id(speaker, seed), sample_rate_hz=16_000,
        num_samples=16_000,
    )  # fmt: skip
    for rows in ([TEXT], [card], [line], [take]):
        catalog.add(rows)
    for metric, values in scores.items():
        catalog.lake.insert(takes.score_table(metric), scores_to_arrow(metric, [Score(take.id, values)]))
    return take.id


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A low, steady voice and a high, lively one, three takes each; the last of the first is silent."""
    folder = tmp_path_factory.mktemp("voices") / "corpus"
    with Catalog.create(folder) as catalog:
        takes.declare(catalog.lake, [PROSODY, PACE])
        for seed, (prosody, rate) in enumerate(
            [((100.0, 1.0, 6.0), 10.0), ((200.0, 2.0, 8.0), 30.0), ((None, None, None), None)]
        ):
            record(catalog, "low", seed, {PROSODY: prosody, PACE: (rate,)})
        for seed, spread in enumerate([5.0, 6.0, float("nan")]):
            record(catalog, "high", seed, {PROSODY: (300.0, spread, 9.0), PACE: (12.0,)})
    return folder


def test_each_figure_is_what_it_is_beyond_the_mean_of_its_voice(corpus: Path) -> None:
    rows = ask(corpus, f"FROM {VIEW} WHERE voice = 'tone/low' ORDER BY f0_sd_about_voice_st NULLS LAST").to_pylist()

    figures = [
        "f0_median_about_voice_st",
        "f0_sd_about_voice_st",
        "energy_sd_about_voice_db",
        "rate_about_voice",
    ]
    assert [[row[name] for name in figures] for row in rows] == [
        pytest.approx([-6.0, -0.5, -1.0, 0.5]),
        pytest.approx([6.0, 0.5, 1.0, 1.5]),
        [None] * 4,
    ]
    assert {row["takes_of_voice"] for row in rows} == {3}


def test_a_prosody_vector_about_its_voice_is_what_it_is_beyond_the_mean(tmp_path: Path) -> None:
    vectors = MetricCard("vectors", "1", (ScoreColumn("prosody_vector", "FLOAT[]", "", "neither", "vector"),))
    with Catalog.create(tmp_path / "corpus") as catalog:
        takes.declare(catalog.lake, [vectors])
        given = {"low": [(1.0, 2.0), (3.0, -2.0), None], "high": [(9.0, 9.0)], "silent": [None]}
        for speaker, rows in given.items():
            for seed, row in enumerate(rows):
                record(catalog, speaker, seed, {vectors: (row,)})

    found = ask(
        tmp_path / "corpus", f"SELECT voice, prosody_vector_about_voice AS x FROM {VIEW} ORDER BY ALL"
    ).to_pylist()

    assert [(row["voice"], row["x"]) for row in found] == [
        ("tone/high", [0.0, 0.0]),
        ("tone/low", [-1.0, 2.0]),
        ("tone/low", [1.0, -2.0]),
        ("tone/low", None),
        ("tone/silent", None),
    ]


def test_a_take_that_is_lively_for_its_voice_is_found_whatever_the_voice(corpus: Path) -> None:
    sql = """
        SELECT takes.voice, takes.f0_sd_st
        FROM prosody_about_voice JOIN takes USING (take_id)
        WHERE f0_sd_about_voice_st > 0.4
        ORDER BY ALL
    """

    assert [tuple(row.values()) for row in ask(corpus, sql).to_pylist()] == [("tone/high", 6.0), ("tone/low", 2.0)]


def test_a_figure_that_is_not_a_number_spoils_no_mean(corpus: Path) -> None:
    rows = ask(corpus, f"SELECT f0_sd_about_voice_st AS x FROM {VIEW} WHERE voice = 'tone/high' ORDER BY x").to_pylist()

    assert [row["x"] for row in rows] == [-0.5, 0.5, None]


def test_it_has_every_take_once_before_and_after_flattening(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as catalog:
        takes.declare(catalog.lake, [PROSODY, PACE])
        first = record(catalog, "low", 0, {PROSODY: (100.0, 1.0, 6.0)})
        takes.flatten(catalog.lake)
        second = record(catalog, "low", 1, {PROSODY: (100.0, 3.0, 6.0)})

        for _ in range(2):
            rows = catalog.lake.rows(f"SELECT take_id::VARCHAR, f0_sd_about_voice_st FROM {VIEW} ORDER BY 2")
            takes.flatten(catalog.lake)

            assert rows == [(first, -1.0), (second, 1.0)]


def test_a_corpus_has_the_columns_that_it_was_measured_for(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as catalog:
        takes.declare(catalog.lake, [PACE])
        early = [name for name, *_ in catalog.lake.rows(f"DESCRIBE {VIEW}")]
        takes.declare(catalog.lake, [PROSODY])
        later = [name for name, *_ in catalog.lake.rows(f"DESCRIBE {VIEW}")]

    assert early == ["take_id", "prompt_id", "voice_id", "voice", "takes_of_voice", "rate_about_voice"]
    assert set(early) < set(later)
    assert "f0_sd_about_voice_st" in later


def test_a_corpus_without_any_of_them_says_there_is_no_such_table(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as catalog:
        takes.declare(catalog.lake, [family("words", "wer")])

    with pytest.raises(UsageError, match="there is no table prosody_about_voice"):
        ask(tmp_path / "corpus", f"FROM {VIEW}")
    assert about_voice_dictionary({"wer"}).num_rows == 0


def test_every_column_of_its_own_has_a_meaning(corpus: Path) -> None:
    described = [row["column_name"] for row in ask(corpus, f"DESCRIBE {VIEW}").to_pylist()]

    rows = about_voice_dictionary({"f0_median_hz", "f0_sd_st", "energy_sd_db", "chars_per_s"}).to_pylist()

    assert [row["column"] for row in rows] == described[4:]
    assert all(row["meaning"] and row["family"] == VIEW for row in rows)


def test_it_is_a_table_of_the_single_file_with_its_meanings(corpus: Path, tmp_path: Path) -> None:
    import duckdb

    with Catalog.open(corpus) as catalog:
        write_single_file(catalog, tmp_path / "one.duckdb")

    with duckdb.connect(str(tmp_path / "one.duckdb"), read_only=True) as single:
        assert single.execute(f"SELECT count(*) FROM {VIEW}").fetchall() == [(6,)]
        sql = f"SELECT comment FROM duckdb_columns() WHERE table_name = '{VIEW}' AND column_name = 'rate_about_voice'"
        assert "faster" in single.execute(sql).fetchall()[0][0]
