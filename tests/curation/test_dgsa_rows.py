import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.errors import CatalogError, UsageError
from catalogs.ids import content_id
from catalogs.ingest.speech import human_voice
from catalogs.records import (
    Line,
    MetricCard,
    Prompt,
    Score,
    ScoreColumn,
    Take,
    Verdict,
    VoiceCard,
)
from catalogs.rows import scores_to_arrow
from curation.dgsa.config import DgsaConfig
from curation.dgsa.pairs import EXPRESSIVITY, STABILITY, preferences_of
from curation.dgsa.rows import dgsa_takes, note_preferences, synthetic_share
from curation.verbs import dgsa
from synthgen.voices.kokoro import KokoroConfig

CONFIG = DgsaConfig()


def test_a_corpus_that_was_not_measured_says_what_it_lacks(catalog) -> None:
    with pytest.raises(CatalogError, match="wer and f0_sd_st"):
        dgsa_takes(catalog, CONFIG)


def test_an_empty_corpus_has_no_synthetic_share(tmp_path) -> None:
    with Catalog.create(tmp_path / "corpus") as empty:
        assert synthetic_share(empty) is None


FIGURES = MetricCard(
    "figures",
    "1",
    (ScoreColumn("wer", "DOUBLE", "", "lower", "-"), ScoreColumn("f0_sd_st", "DOUBLE", "", "higher", "-")),
)
TEXT = "see you at nine"
PROMPT = Prompt(Prompt.id_of(TEXT, "en"), TEXT, "en")


def recorded(catalog: Catalog, voice: VoiceCard, wer: float | None, spread: float | None, **how) -> str:
    """Add a take of two seconds, or of a human eight, with its figures and a verdict of keep; gives its id."""
    is_real = voice.engine == "human"
    line = Line.new(prompt_id=PROMPT.id, voice_id=voice.id, text=TEXT, normaliser="none", **how)
    made = Take(
        id=Take.id_of_line(line.id), line_id=None if is_real else line.id, prompt_id=PROMPT.id, voice_id=voice.id,
        origin="real" if is_real else "synthetic", shard="none.tar", offset=0, num_bytes=0, pcm_sha256="",
        sample_rate_hz=16_000, num_samples=16_000 * (8 if is_real else 2),
    )  # fmt: skip
    if not is_real:
        catalog.add([line])
    catalog.add([made])
    catalog.add([Verdict(made.id, content_id("policy", "test"), "keep", ())])
    catalog.lake.insert(takes.score_table(FIGURES), scores_to_arrow(FIGURES, [Score(made.id, (wer, spread))]))
    return made.id


@pytest.fixture
def corpus(tmp_path):
    """An empty corpus that knows one text, and may have word errors and pitch."""
    with Catalog.create(tmp_path / "corpus") as made:
        takes.declare(made.lake, [FIGURES])
        made.add([PROMPT])
        yield made


def test_a_corpus_gives_its_pairs_and_gives_them_once(corpus) -> None:
    anna, bela = KokoroConfig(speakers=("jf_gongitsune", "jf_tebukuro")).cards()
    corpus.add([anna, bela])
    own = recorded(corpus, anna, 0.0, 2.6)
    lively = recorded(corpus, anna, 0.3, 3.0, style="jf_alpha")
    flat = recorded(corpus, anna, 0.1, 2.0, style="jf_nezumi")
    recorded(corpus, anna, 0.0, 9.0, timbre="jf_tebukuro")
    recorded(corpus, bela, 0.0, 9.0)

    first = note_preferences(corpus, CONFIG)
    note_preferences(corpus, CONFIG)

    assert {(p.winner, p.loser, p.objective) for p in first.pairs} == {
        (own, lively, STABILITY),
        (lively, flat, EXPRESSIVITY),
    }
    assert corpus.lake.rows("SELECT count(*) FROM preference") == [(2,)]


def test_a_real_reading_counts_only_for_the_voice_that_speaks_as_its_speaker(corpus) -> None:
    (anna,) = KokoroConfig(speakers=("jf_gongitsune",)).cards()
    human = human_voice("anna", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="given")
    corpus.add([anna, human])
    lively = recorded(corpus, anna, 0.3, 3.0, style="jf_alpha")
    real = recorded(corpus, human, 0.2, 2.0)

    as_anna = replace(CONFIG, real={"kokoro/jf_gongitsune": "human/anna"})

    assert preferences_of(dgsa_takes(corpus, CONFIG), CONFIG, iteration=1) == []
    assert [(p.winner, p.loser) for p in note_preferences(corpus, as_anna).pairs] == [(real, lively)]
    assert synthetic_share(corpus) == pytest.approx(2 / 10)


def test_a_take_that_was_not_measured_is_left_out_and_told_until_it_is(corpus) -> None:
    (anna,) = KokoroConfig(speakers=("jf_gongitsune",)).cards()
    corpus.add([anna])
    clean = recorded(corpus, anna, 0.0, 2.0)
    unheard = recorded(corpus, anna, None, 9.0, style="jf_alpha")
    flat = recorded(corpus, anna, 0.1, None, style="jf_nezumi")
    told = "SELECT subject_id::VARCHAR, error, message FROM failure WHERE stage = 'dgsa' ORDER BY message"

    first = note_preferences(corpus, CONFIG)
    before = corpus.lake.rows(told)
    corpus.lake.run("UPDATE score_figures SET wer = 0.3 WHERE take_id = $id::UUID", id=unheard)
    second = note_preferences(corpus, CONFIG)

    assert first.pairs == ()
    assert before == [
        (flat, "unmeasured", "f0_sd_st missing: in no pair for expressivity"),
        (unheard, "unmeasured", "wer missing: in no pair"),
    ]
    assert [(p.winner, p.loser, p.objective) for p in second.pairs] == [(clean, unheard, STABILITY)]
    assert corpus.lake.rows(told) == before[:1]


def test_a_human_counts_for_every_voice_that_speaks_as_that_human(corpus) -> None:
    voices = KokoroConfig(speakers=("jf_gongitsune", "jf_tebukuro")).cards()
    human = human_voice("anna", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="given")
    corpus.add([*voices, human])
    flat = {recorded(corpus, voice, 0.1, 2.0, style="jf_nezumi") for voice in voices}
    real = recorded(corpus, human, 0.2, 2.0)

    found = note_preferences(corpus, replace(CONFIG, real={voice.name: "human/anna" for voice in voices}))

    assert {(p.winner, p.loser) for p in found.pairs} == {(real, loser) for loser in flat}


def test_the_verb_tells_pairs_and_weights(tmp_path) -> None:
    app = typer.Typer()
    dgsa.register(app)
    app.command("other")(lambda: None)
    folder = tmp_path / "corpus"
    (anna,) = KokoroConfig(speakers=("jf_gongitsune",)).cards()
    with Catalog.create(folder) as made:
        takes.declare(made.lake, [FIGURES])
        made.add([PROMPT])
        made.add([anna])
        recorded(made, anna, 0.3, 3.0, style="jf_alpha")
        recorded(made, anna, 0.1, 2.0, style="jf_nezumi")

    told = CliRunner().invoke(app, ["dgsa", "-c", str(folder), "--share", "0.8", "--json"], catch_exceptions=False)
    refused = [
        CliRunner().invoke(app, ["dgsa", "-c", str(folder), *words]).exception
        for words in (["--share", "8"], ["--threshold", "1"], ["--below", "nothing"], ["--real", "anna"])
    ]

    assert json.loads(told.stdout) == {
        "synthetic_share": 0.8,
        "pairs": {"stability": 1, "expressivity": 1},
        "weights": {"stability": pytest.approx(0.4), "expressivity": pytest.approx(0.6)},
        "left_out": 0,
    }
    assert [isinstance(error, UsageError) for error in refused] == [True] * 4
    assert "VOICE=HUMAN" in str(refused[-1])
