"""Questions by speech and by text, and what training has cost: sums held against one sequence at a time."""

import json
from math import exp
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from catalogs.errors import DataLeak, TrainingError
from synthgen.cli import app
from training.evaluation.log_probs import log_probs
from training.evaluation.questions import Asking, Question, Reading, figures, questions_in
from training.interleaving.packing import Packable
from training.padding import IGNORED
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsrConfig

from ..conftest import train_on

LISTENER = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": {"hidden": 16}}


def test_log_probabilities_are_those_of_each_sequence_alone(lm: Any) -> None:
    rows = [Packable([0, *ids], [-1] * (len(ids) + 1), [IGNORED, *ids]) for ids in ([5, 9, 30], [7], [40, 41, 3, 8])]

    found = log_probs(lm.module, rows, torch.zeros(0, lm.width), context=10)

    for row, value in zip(rows, found, strict=True):
        probs = lm.module(torch.tensor([row.ids])).logits[0].log_softmax(-1)
        expected = sum(float(probs[n, token].detach()) for n, token in enumerate(row.ids[1:]))
        assert value == pytest.approx(expected, rel=1e-4)


def test_a_question_is_answered_alike_where_audio_says_what_its_text_says(lm: Any, make_utterances: Any) -> None:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=16)).build(lm, layers=1, width=12, seed=0)
    (utterance,) = make_utterances(["how late is it"])
    asking = Asking(asr.module.eval(), lm)
    words = lm.embedding(torch.tensor(lm.tokens("how late is it"))).detach()
    asking._slots = lambda _: words

    for answer in (0, 1):
        heard, read = asking.is_right(Question("how late is it", ("nine", "a cup of tea"), answer), utterance)
        assert heard is read


def test_a_question_that_is_read_is_one_text_with_what_stands_before_it(
    lm: Any, make_utterances: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=16)).build(lm, layers=1, width=12, seed=0)
    (utterance,) = make_utterances(["how late is it"])
    asking = Asking(asr.module.eval(), lm)
    texts: list[str] = []
    tokens = lm.tokens
    monkeypatch.setattr(type(lm), "tokens", lambda _, text: texts.append(text) or tokens(text))

    asking.is_right(Question("how late is it", ("nine", "ten"), 0), utterance)

    assert "Question: how late is it" in texts
    assert "how late is it" not in texts, "a tokenizer of subwords would let the space before it stand alone"


def test_figures_say_when_text_is_no_better_than_chance() -> None:
    questions = [Question(f"q{n // 2}", ("a", "b"), 0) for n in range(40)]

    good = figures(questions, [(n % 4 == 0, True) for n in range(40)], number=200)
    poor = figures(questions, [(True, n % 4 < 2) for n in range(40)], number=200)

    assert (good.num_questions, good.num_readings, good.chance) == (20, 40, 0.5)
    assert (good.speech.value, good.text.value, good.gap.value) == (0.25, 1.0, -0.75)
    assert good.readings[1] == Reading("q0", heard=False, read=True)
    assert sum(reading.heard for reading in good.readings) == 10
    assert good.is_above_chance
    assert not poor.is_above_chance


def test_the_commands_ask_and_weigh(corpus: Path, tmp_path: Path) -> None:
    trained = train_on("timed", tmp_path, corpus, "listener", LISTENER)
    told = [{"text": text, "choices": ["yes", "no"], "answer": 0} for text in ("good morning", "good night")]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(each) + "\n" for each in told))
    (tmp_path / "texts.txt").write_text("some text\nTurn on the light, please.\nmore of it\n")

    command = ["questions", str(trained), "untimed", str(tmp_path / "q.jsonl"), "-c", str(corpus)]
    asked = CliRunner().invoke(app, [*command, "--json"])
    shown = CliRunner().invoke(app, command)
    weighed = CliRunner().invoke(app, ["perplexity", str(trained), str(tmp_path / "texts.txt"), "--json"])

    assert asked.exit_code == 0, asked.output
    answered = json.loads(asked.stdout)
    assert (answered["chance"], answered["num_unread"]) == (0.5, 1)
    assert [reading["question"] for reading in answered["readings"]] == ["good morning"]
    assert "1 of 2 questions, 'good night' first, are read by no take of release 'untimed'" in shown.output
    assert "not asked, since no take reads them: 1 of the file's questions" in shown.output
    found = json.loads(weighed.stdout)
    assert found["before"] == pytest.approx(found["after"])
    assert (found["num_texts"], found["left_out"]) == (2, 1)
    assert 1 < found["before"] < exp(30)

    (tmp_path / "q.jsonl").write_text(json.dumps({"text": "How late is it, dear?", "choices": ["a", "b"], "answer": 0}))
    with pytest.raises(DataLeak, match=r"Freeze a release with --where that leaves these out$"):
        CliRunner().invoke(
            app, ["questions", str(trained), "timed", str(tmp_path / "q.jsonl"), "-c", str(corpus)],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip


def test_what_ends_no_line_of_a_file_is_part_of_its_question(tmp_path: Path) -> None:
    texts = ["line\u2028two?", "form\x85feed?", "three?"]
    told = [json.dumps({"text": text, "choices": ["b", "B"], "answer": 0}, ensure_ascii=False) for text in texts]
    (tmp_path / "q.jsonl").write_bytes("\r\n".join([*told, ""]).encode())

    found = [question.text for question in questions_in(tmp_path / "q.jsonl")]
    assert found == ["line two?", "form feed?", "three?"]


def test_questions_have_the_form_that_texts_have_in_a_corpus(tmp_path: Path) -> None:
    row = {"text": " Is it  the cafe\u0301? ", "choices": ["the\u00a0cafe\u0301", "no"], "answer": 0}
    (tmp_path / "q.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(row).encode())

    assert questions_in(tmp_path / "q.jsonl") == [Question("Is it the café?", ("the café", "no"), 0)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "question 1 is no JSON"),
        ('{"text": "a"}', "expected an object"),
        ('{"text": "a", "choices": ["b"], "answer": 0}', "two texts or more"),
        ('{"text": "a", "choices": ["b", "c"], "answer": 2}', "the place of a choice"),
        ('{"text": "a", "choices": ["b", "c"], "answer": true}', "the place of a choice"),
        ('{"text": "a", "choices": ["b", "c", " b "], "answer": 0}', "question 1: 'b' is a choice twice"),
        (
            '{"text": " ", "choices": ["b", "c"], "answer": 0}',
            "question 1: text and choices must be texts: the text is empty",
        ),
        ('{"text": 7, "choices": ["b", "c"], "answer": 0}', "the text is a number, not a string"),
        ('{"text": "a", "choices": ["b", "\\ud83d"], "answer": 0}', "half a character, U.D83D"),
        ('{"text": "a", "choices": ["b", null], "answer": 0}', "the text is missing, not a string"),
        ('{"text": "a", "choices": ["b", "c"], "answer": 0}\n' * 2, "question 2: 'a' is question 1 as well"),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(line)

    with pytest.raises(TrainingError, match=message):
        questions_in(tmp_path / "q.jsonl")
