"""Evaluation from checkpoint to catalog, by the commands that people give."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import PreTrainedTokenizerFast
from typer.testing import CliRunner, Result

from catalogs.catalog import Catalog
from catalogs.console import ask
from catalogs.errors import DataLeak, EngineError, SynthgenError, TrainingError
from catalogs.progress import Progress
from catalogs.records import Line
from catalogs.release import release_named
from catalogs.signal import resample
from catalogs.text import compare
from synthgen.cli import app
from synthgen.voices.espeak import EspeakConfig
from training import checkpoint
from training.answering import Answer
from training.checkpoint import Position
from training.evaluation import hearing
from training.evaluation.naming import recogniser_named
from training.evaluation.trained import TrainedRecogniser
from training.members import Member, members_in
from training.probing.activations import listener_of

from .conftest import tiny_lm, train_on, train_on_told

TOLD = ("good morning", "see you at nine", "lights off please", "a large tea", "what is due today", "pay my bill")
ORDERS = [
    {"text": "one small latte", "domain": "coffee", "slots": {"size": "small", "drink": "latte"}},
    {"text": "a double mocha please", "domain": "coffee", "slots": {"shots": "double"}},
    {"text": "is it raining", "domain": "weather"},
]

LISTENER = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 32}}

Evaluate = Callable[..., Result]


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with "told", to train on, and "orders", by others; trainings on "told"; features kept beside them."""
    folder = tmp_path_factory.mktemp("evaluated")
    corpus = produce(folder, "told", prompts=TOLD, speakers=["anna", "bela"])
    produce(folder, "orders", prompts=ORDERS, speakers=["cora", "dina"])
    produce(folder, "mixed", prompts=["Good morning!", "where is the station"], speakers=["cora", "dina"])
    train_on_told(folder, corpus, "ctc", {"method": "ctc"})
    train_on_told(folder, corpus, "transducer", {"method": "transducer", "width": 16})
    train_on_told(folder, corpus, "listener", LISTENER)
    train_on_told(folder, corpus, "warm", LISTENER | {"method": "warm_start"})
    return folder


@pytest.fixture
def evaluate(studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))

    def run(name: str, *words: str, release: str = "orders") -> Result:
        corpus = str(studio / "corpus")
        return CliRunner().invoke(app, ["evaluate", str(studio / name), release, "-c", corpus, "--json", *words])

    return run


def hypotheses(studio: Path, name: str) -> list[dict[str, Any]]:
    sql = (
        "SELECT hypothesis.* REPLACE (take_id::VARCHAR AS take_id), takes.voice, release.name AS release "
        "FROM hypothesis "
        "JOIN evaluation ON evaluation.id = hypothesis.evaluation_id JOIN takes USING (take_id) "
        f"JOIN release ON release.id = evaluation.release_id WHERE recogniser LIKE '{name}@%' ORDER BY take_id"
    )
    rows: list[dict[str, Any]] = ask(studio / "corpus", sql).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("name", "words"), [("ctc", []), ("transducer", []), ("listener", []), ("listener", ["--beams", "2"])]
)
def test_a_recogniser_is_evaluated_on_what_it_has_not_heard(evaluate: Evaluate, name: str, words: list[str]) -> None:
    done = evaluate(name, "--by", "domain,voice", *words)

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    (system,) = report["systems"]
    every, *slices = system["subsets"]
    figures = {figure["name"]: figure for figure in every["figures"]}
    assert (report["num_takes"], report["left_out"]) == (6, 0)
    assert (every["num_groups"], every["unit"], system["is_guarded"]) == (2, "speakers", True)
    assert {"wer", "cer", "insertions", "deletions", "substitutions", "slot_recall", "length_ratio"} <= figures.keys()
    assert "entity_recall" not in figures
    assert all(figure["low"] is figure["high"] is None for figure in every["figures"])
    of_domains = {subset["name"]: subset["num_utterances"] for subset in slices}
    assert of_domains == {"domain=coffee": 4, "domain=weather": 2, "voice=tone/cora": 3, "voice=tone/dina": 3}


def test_hypotheses_are_rows_that_join_with_their_release(evaluate: Evaluate, studio: Path) -> None:
    evaluate("ctc")

    rows = hypotheses(studio, "ctc")
    assert len(rows) == 6
    assert {row["release"] for row in rows} == {"orders"}
    assert {row["voice"] for row in rows} == {"tone/cora", "tone/dina"}
    assert sorted(row["num_slots"] for row in rows) == [0, 0, 1, 1, 2, 2]
    assert all(len(row["missed_slots"]) <= row["num_slots"] for row in rows)


def test_what_was_heard_is_not_heard_again_and_a_killed_evaluation_goes_on(
    studio: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = studio / "listener"
    heard: list[str] = []
    transcribe = TrainedRecogniser.transcribe

    def killed_at_the_third(self: Any, members: Any) -> Any:
        if len(heard) == 2:
            raise KeyboardInterrupt
        heard.extend(member.take_id for member in members)
        return transcribe(self, members)

    monkeypatch.setattr(hearing, "BATCH_S", 0.1)
    monkeypatch.setattr(hearing, "FLUSH_S", -1.0)
    monkeypatch.setattr(TrainedRecogniser, "transcribe", killed_at_the_third)
    words = ["evaluate", str(listener), "orders", "-c", str(studio / "corpus"), "--beams", "3"]
    CliRunner().invoke(app, words)
    monkeypatch.setattr(TrainedRecogniser, "transcribe", transcribe)
    of_three = [row for row in hypotheses(studio, "listener") if row["take_id"] in heard]

    again = CliRunner().invoke(app, words)
    monkeypatch.setattr(TrainedRecogniser, "transcribe", lambda *_: pytest.fail("heard again"))
    last = CliRunner().invoke(app, words)

    assert len(heard) == 2 <= len(of_three)
    assert (again.exit_code, last.exit_code) == (0, 0)
    assert again.stdout == last.stdout
    counts = ask(studio / "corpus", "SELECT evaluation_id, count(*) AS n FROM hypothesis GROUP BY 1 ORDER BY 1")
    assert set(counts["n"].to_pylist()) == {6}


def test_several_evaluate_on_a_corpus_at_once_and_beside_a_job_that_writes_it(
    studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    corpus = studio / "corpus"
    call = "from synthgen.cli import main; main()"
    words = [sys.executable, "-c", call, "evaluate", studio / "listener", "orders", "-c", corpus, "--json"]
    with Catalog.create(corpus) as catalog, catalog.job("synthgen run"):
        asked = [subprocess.Popen([*words, "--beams", beams], stdout=subprocess.PIPE, text=True) for beams in "565"]
        reports = [json.loads(process.communicate(timeout=300)[0]) for process in asked]

    evaluations = [report["systems"][0]["evaluation_id"] for report in reports]
    assert evaluations[0] == evaluations[2] != evaluations[1]
    for evaluation_id in set(evaluations):
        counts = "SELECT count(*) AS n, count(DISTINCT take_id) AS takes FROM hypothesis"
        assert ask(corpus, f"{counts} WHERE evaluation_id = '{evaluation_id}'").to_pylist() == [{"n": 6, "takes": 6}]


def test_two_recognisers_are_compared_on_the_same_utterances(evaluate: Evaluate, studio: Path) -> None:
    done = evaluate("ctc", "--against", str(studio / "listener"))

    found = json.loads(done.stdout)["comparison"]
    assert found["num_utterances"] == 6
    wer = found["contrasts"][0]
    assert wer["name"] == "wer"
    assert wer["difference"]["value"] == pytest.approx(wer["first"] - wer["second"])
    assert 0 < wer["p"] <= 1
    assert found["matched_pairs"]["num_segments"] > 0


def test_what_training_has_had_is_refused_or_left_out_as_asked(evaluate: Evaluate) -> None:
    refused = evaluate("ctc", release="mixed")
    done = evaluate("ctc", "--only-unseen", release="mixed")
    nothing = evaluate("ctc", "--only-unseen", release="told")

    assert isinstance(refused.exception, DataLeak)
    assert "2 of the 4 takes" in str(refused.exception)
    report = json.loads(done.stdout)
    assert (report["num_takes"], report["left_out"]) == (2, 2)
    assert "all 12 takes" in str(nothing.exception)


def test_the_baseline_hears_english_and_refuses_what_is_none(members: list[Member]) -> None:
    config = EspeakConfig(speakers=("en-us",), rate=140)
    line = Line.new(
        prompt_id="p", voice_id=config.cards()[0].id, text="Please turn on the kitchen light.", normaliser="none"
    )
    (reading,) = config.build().speak([line])
    baseline = recogniser_named("whisper-tiny-en")

    (answer,) = baseline.hear({"a": resample(reading.samples, from_hz=reading.sample_rate_hz, to_hz=16_000)})

    assert compare(line.text, answer.text, language="en").words.wer < 0.4
    with pytest.raises(EngineError, match="knows English alone"):
        baseline.prepare([replace(members[0], language="de")], Progress(quiet=True))


def test_people_are_told_in_words(studio: Path, evaluate: Evaluate) -> None:
    words = ["evaluate", str(studio / "ctc"), "orders", "-c", str(studio / "corpus"), "--by", "domain"]

    done = CliRunner().invoke(app, [*words, "--against", str(studio / "ctc")])

    assert done.exit_code == 0, done.output
    assert "too few speakers (2) for an interval, which takes 5" in done.stdout
    assert "no p can be less than 0.5" in done.stdout
    assert "domain=coffee" in done.stdout
    assert "z = +0.00, p = 1.0000" in done.stdout


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("warm", [], "makes no recogniser"),
        ("ctc", ["--beams", "4"], "not by 4 beams"),
        ("transducer", ["--beams", "4"], "not by 4 beams"),
        ("gone", [], "there is no"),
        ("ctc", ["--by", "domian"], "did you mean 'domain'"),
        ("ctc", ["--split", "devel"], "no takes of split 'devel'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(evaluate: Evaluate, name: str, words: list[str], message: str) -> None:
    done = evaluate(name, *words)

    assert isinstance(done.exception, SynthgenError)
    assert message in str(done.exception)


def test_a_synthesiser_of_latents_is_no_recogniser(evaluate: Evaluate, studio: Path) -> None:
    table = {"method": "lasyn_fixed", "guide_from": str(studio / "ctc"), "synthesiser": {"filters": 16}}
    provenance = checkpoint.load(studio / "ctc").provenance
    recipe = provenance["recipe"] | {"objective": table}
    checkpoint.save(
        studio / "fixed", Position(1), trained={}, optimizer=None, provenance=provenance | {"recipe": recipe}
    )

    for done in (evaluate("fixed"), CliRunner().invoke(app, ["transcribe", str(studio / "fixed"), "a.wav"])):
        assert isinstance(done.exception, TrainingError)
        assert "of method 'lasyn_fixed', which makes latents of texts and no recogniser" in str(done.exception)


def test_takes_whose_audio_is_damaged_are_failures_of_their_own(
    produce: Callable[..., Path], studio: Path, tmp_path: Path, evaluate: Evaluate
) -> None:
    corpus = produce(tmp_path, "broken", prompts=["one tea", "two cakes", "three of them"], speakers=["cora", "dina"])
    with Catalog.open(corpus) as catalog:
        members = members_in(catalog, release_named(catalog, "broken"), split=None)
    place = members[1].place
    assert place is not None
    (shard,) = corpus.rglob(place.shard)
    whole = shard.read_bytes()
    shard.write_bytes(whole[: place.offset] + bytes(place.num_bytes) + whole[place.offset + place.num_bytes :])

    damaged = evaluate("ctc", "-c", str(corpus), release="broken")
    shard.write_bytes(whole)
    mended = evaluate("ctc", "-c", str(corpus), release="broken")

    (system,) = json.loads(damaged.stdout)["systems"]
    (failure,) = system["failures"]
    assert damaged.exit_code == 5
    assert system["subsets"][0]["num_utterances"] == len(members) - 1
    assert failure["subject_id"] == members[1].take_id
    assert f"take {members[1].take_id} of {corpus}: the FLAC data is damaged" in failure["message"]
    assert mended.exit_code == 0


def test_another_language_model_in_the_same_folder_is_noticed(
    studio: Path, tmp_path: Path, evaluate: Evaluate, tokenizer: PreTrainedTokenizerFast
) -> None:
    speaks = {"name": "causal_lm", "checkpoint": str(tmp_path / "lm")}
    module = tiny_lm(len(tokenizer))
    module.save_pretrained(tmp_path / "lm")
    tokenizer.save_pretrained(tmp_path / "lm")
    train_on_told(studio, studio / "corpus", "speaks", LISTENER | {"language_model": speaks})
    before = evaluate("speaks")

    with torch.no_grad():
        module.lm_head.weight.mul_(-1)
    module.save_pretrained(tmp_path / "lm")

    again = CliRunner().invoke(app, ["transcribe", str(studio / "speaks"), "a.wav"])
    assert before.exit_code == 0
    for error in (evaluate("speaks").exception, again.exception):
        assert isinstance(error, TrainingError)
        assert "other files than objective.language_model.checkpoint of its recipe now names" in str(error)
    with pytest.raises(TrainingError, match="other files than objective"):
        listener_of(checkpoint.load(studio / "speaks"))
    before_it = str(studio / "speaks")
    of_it = LISTENER | {"language_model": speaks}
    with pytest.raises(TrainingError, match=r"^objective\.projector_from: .* other files than objective"):
        train_on("told", studio, studio / "corpus", "on", of_it | {"projector_from": before_it})
    with pytest.raises(TrainingError, match=r"^start_from: .* other files than objective"):
        train_on("told", studio, studio / "corpus", "further", of_it, start_from=before_it)


def test_what_is_heard_in_a_file_is_one_line(studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    monkeypatch.setattr(
        TrainedRecogniser,
        "hear",
        lambda _, waves: [Answer(name, "two\nlines,\tone", 4, hit_limit=False) for name in waves],
    )

    plain, as_json = (
        CliRunner().invoke(app, ["transcribe", str(studio / "ctc"), str(tmp_path / "a.wav"), *words])
        for words in ([], ["--json"])
    )

    assert plain.stdout == f"{tmp_path / 'a.wav'}\ttwo lines, one\n"
    assert json.loads(as_json.stdout)["text"] == "two\nlines,\tone"


def test_files_of_any_rate_are_transcribed_and_those_that_are_none_are_named(
    studio: Path, tmp_path: Path, evaluate: Evaluate
) -> None:
    wave = np.sin(np.arange(44_100) / 20).astype(np.float32)
    soundfile.write(tmp_path / "stereo.wav", np.stack([wave, wave], axis=1), 44_100)
    soundfile.write(tmp_path / "telephone.flac", wave[:8000], 8000)
    (tmp_path / "none.wav").write_text("nothing")
    names = ["stereo.wav", "none.wav", "telephone.flac", "nowhere.wav", "."]

    done = CliRunner().invoke(app, ["transcribe", str(studio / "ctc"), *(str(tmp_path / n) for n in names), "--json"])

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 5
    assert [Path(row["audio"]).name for row in rows] == ["stereo.wav", "telephone.flac"]
    assert all(isinstance(row["text"], str) for row in rows)
    assert "none.wav cannot be read as sound" in done.stderr
    assert f"there is no file {tmp_path / 'nowhere.wav'}" in done.stderr
    assert f"{tmp_path} is a folder, not a sound file" in done.stderr
