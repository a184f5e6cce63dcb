"""The JSTIP experiment: what its rows are given, what they are asked, its tables, and all of it on hums."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.errors import Errors, misspelt_of, on_common_takes
from benchmarks.jstip.__main__ import main
from benchmarks.jstip.data import HELD_OUT, HERE, QUESTIONS, SPOKEN, biomedical, read
from benchmarks.jstip.gaps import change
from benchmarks.jstip.measuring import Measured, _answered, measured_of
from benchmarks.jstip.small import VOICES
from benchmarks.jstip.telling import START, answers, table
from benchmarks.jstip.trainings import BASE, ROWS, STARTS, Experiment, table_of
from benchmarks.kept import kept
from catalogs.catalog import Catalog
from catalogs.config import read_toml
from catalogs.ids import content_id
from catalogs.release import release_named
from training import checkpoint
from training.answering import Answer
from training.checkpoint import Position
from training.evaluation.figures import Figure, subsets
from training.evaluation.perplexity import Perplexity
from training.evaluation.questions import Answered, Question, figures, questions_in
from training.evaluation.references import references_of
from training.evaluation.resampling import Interval
from training.evaluation.scoring import score
from training.mixing.mixture import MixtureConfig
from training.recipe import parse_recipe

DISEASES = ("chest pain", "severe nausea", "a mild fever", "renal failure", "acute stroke", "chronic cough")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of texts as the experiment is given one."""
    folder = tmp_path / "texts"
    folder.mkdir()
    rows = [
        {
            "text": f"Patients who had {disease} were treated with Aspirin.",
            "entities": [{"type": "Disease", "value": disease}, {"type": "Chemical", "value": "Aspirin"}],
        }
        for disease in DISEASES
    ]
    (folder / "bc5cdr_ner_train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [{"text": f"It was {word} when they came back to the old house."} for word in ("late", "dark", "cold")]
    (folder / "ljspeech_text.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    return folder


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("start", STARTS)
def test_every_row_has_equal_steps_of_equal_tokens(start: str, name: str) -> None:
    recipe = read_toml(HERE / "recipes" / f"{STARTS[start].recipe}.toml")
    experiment = Experiment(Path("asr"), Path("work"), STARTS[start], 100, 2, recipe, {})

    asked = parse_recipe(table_of(experiment, name, 0), source=name)

    assert isinstance(asked.mixture, MixtureConfig)
    assert (asked.mixture.tokens, asked.loop.steps, asked.loop.threads) == (100_000, 100, 2)
    assert {str(each) for each in asked.data} >= {"release 'general' of asr/general", "release 'long' of asr/long"}
    has_orders = any(kind in name for kind in ("pairs", "text", "made"))
    assert len(asked.data) == len(STARTS[start].heard) + has_orders
    if start == "synthetic":
        assert asked.mixture.asr_shares is not None
        has_pairs = ROWS[name].has_pairs
        assert asked.mixture.asr_shares.get("orders", 0) == pytest.approx(0.2 * has_pairs)
        assert asked.mixture.asr_shares["raw"] == pytest.approx(0.5 * (1 - 0.2 * has_pairs))
        beside = sum(asked.mixture.share(kind) > 0 for kind in ("interleaved", "text", "made_asr", "made_interleaved"))
        assert asked.mixture.asr == pytest.approx(1 - 0.2 * beside)
    assert {str(each) for each in asked.data} >= {
        f"release {release!r} of asr/{corpus}" for corpus, release in STARTS[start].heard.items()
    }


def test_words_of_orders_are_timed_for_rows_that_interleave_them_alone() -> None:
    start = STARTS["synthetic"]

    assert start.to_time(["asr", "pairs", "words", "text"]) == start.heard
    assert start.to_time(["asr", "pairs-mixed"]) == {**start.heard, "orders": "orders"}


def test_biomedical_sentences_can_be_read_in_one_way(texts: Path) -> None:
    path = texts / "bc5cdr_ner_train.jsonl"
    good = json.loads(path.read_text().splitlines()[0])
    bad = ["Doses of 10 mg aspirin gave them severe nausea.", "Aspirin (ASA) gave them a very severe nausea.",
           "Many who had AMI were treated with Aspirin.", "Patients with L dopa had severe nausea."]  # fmt: skip
    rows = [good, *({**good, "text": text} for text in bad), {**good, "entities": good["entities"][:1]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    (found,) = biomedical(path)

    assert found["text"] == "patients who had chest pain were treated with aspirin"
    assert [entity["value"] for entity in found["entities"]] == ["chest pain", "aspirin"]


def test_questions_have_one_right_answer_of_four_in_every_place() -> None:
    found = questions_in(HERE / QUESTIONS)

    assert len({question.text for question in found}) == 60
    assert all(len(set(question.choices)) == 4 for question in found)
    assert np.bincount([question.answer for question in found]).tolist() == [15, 15, 15, 15]


def errors(counts: Sequence[float], takes: str = "pqrst") -> Errors:
    number = len(counts)
    return Errors(list(takes)[:number], np.array(counts), np.full(number, 10.0), list("abcde")[:number])


def test_rows_are_compared_on_what_all_have_heard() -> None:
    found = on_common_takes({"one": errors([1, 2, 3, 4]), "other": errors([5, 6], takes="pr")})

    assert [row.takes for row in found.values()] == [["p", "r"], ["p", "r"]]
    assert found["one"].errors.tolist() == [1, 3]


def test_values_that_are_misspelt_are_those_of_the_figure_of_an_evaluation(tmp_path: Path) -> None:
    order = {"text": "A 12 ounce Latte, please.", "slots": {"size": "twelve ounce", "drink": "latte"}}
    (tmp_path / QUESTIONS).write_text(json.dumps(order) + '\n{"text": "good morning"}\n')
    read(QUESTIONS.removesuffix(".jsonl"), tmp_path, VOICES)
    heard = {"one": "a twelve ounce Latte", "two": "A 12 ounce latte"}
    found: dict[str, list[Figure]] = {}
    with Catalog.create(tmp_path / SPOKEN) as catalog:
        references = references_of(catalog, release_named(catalog, "questions"), split=None)
        for name, text in heard.items():
            id_ = content_id("evaluation", name)
            rows = [score(id_, each, Answer(each.member.take_id, text, 0, hit_limit=False)) for each in references]
            catalog.add(rows)
            found[id_] = list(subsets(references, rows, number=50)[0].figures)

    misspelt = misspelt_of(tmp_path / SPOKEN, list(found), of="slots")

    figures = [figure.value for each in found.values() for figure in each if figure.name == "slot_error"]
    assert figures == [0.0, 0.5]
    assert misspelt.words.sum() == 2
    assert misspelt.errors.sum() / misspelt.words.sum() == np.mean(figures)
    assert len(misspelt.takes) == len(references) == 2
    assert misspelt_of(tmp_path / SPOKEN, list(found), of="entities").words.sum() == 0


def test_rows_are_held_against_the_base_and_the_start_is_not() -> None:
    words = {START: errors([9] * 5), BASE: errors([4] * 5), "mixed": errors([2] * 5)}

    misspelt = {START: errors([9] * 5), BASE: errors([8] * 5), "mixed": errors([6] * 5)}

    told = table(words, words, misspelt, of="slots")

    assert told[0].count("slots missed") == told[0].count("slot error") == 1
    assert [[cell.strip() for cell in line.split("|")[4:7:2]] for line in told[2:]] == [
        ["", ""], ["", ""], ["+50.0% (+50.0% to +50.0%)", "+25.0% (+25.0% to +25.0%)"]
    ]  # fmt: skip
    assert told[4].startswith("| + interleaved, mixed | 20.0% (20.0% to 20.0%) |")
    assert told[4].split("|")[5].strip() == "60.0% (60.0% to 60.0%)"


def answered(heard: Sequence[bool], read: Sequence[bool], *, is_above_chance: bool = True) -> Answered:
    """Answers to as many questions; their chance is what guessing comes to if that is not above it."""
    questions = [Question(f"question {n}", ("a", "b", "c", "d"), 0) for n in range(len(heard))]
    found = figures(questions, list(zip(heard, read, strict=True)), number=500)
    return replace(found, is_above_chance=is_above_chance)


def of(found: Answered) -> Measured:
    return Measured("", "", found, Perplexity(10.0, 12.0, 200, 5000, 0))


HALF, MOST, ALL = [True, False] * 20, [True, True, True, False] * 10, [True] * 40


def test_a_gap_is_claimed_only_above_chance() -> None:
    known, unknown = of(answered(HALF, ALL)), of(answered(HALF, ALL, is_above_chance=False))

    told = answers({"asr": [known], "text": [known, unknown], "mixed": [known, known]})

    gaps = [line.split("|")[5].strip() for line in told[2:]]
    assert gaps[0].startswith("-50.0% (")
    assert gaps[1:] == ["not claimed", "-50.0% (-50.0% to -50.0%)"]


def test_a_gap_is_held_against_that_of_the_base_on_the_same_questions() -> None:
    base, nearer, unknown = answered(HALF, ALL), answered(MOST, ALL), answered(MOST, ALL, is_above_chance=False)

    told = answers({START: [of(nearer)], BASE: [of(base)], "mixed": [of(nearer)], "text": [of(unknown)]})

    changes = [line.split("|")[6].strip() for line in told[2:]]
    assert [each.split(" ")[0] for each in changes] == ["+25.0%", "", "+25.0%", "not"]


def test_the_change_of_a_gap_is_paired_by_questions() -> None:
    base, nearer = answered(HALF, ALL), answered(MOST, ALL)

    paired, same, two = change([nearer], [base]), change([base], [base]), change([nearer, base], [base])

    assert paired is not None
    assert paired.low is not None
    assert paired.high is not None
    assert paired.value == 0.25
    wide = [each.gap.high - each.gap.low for each in (base, nearer) if each.gap.high and each.gap.low]
    assert 0 < paired.low < 0.25 < paired.high
    assert paired.high - paired.low < sum(width**2 for width in wide) ** 0.5, "narrower than if they were apart"
    assert same == Interval(0.0, 0.0, 0.0)
    assert two is not None
    assert two.value == 0.125
    assert change([answered(HALF, ALL, is_above_chance=False)], [base]) is None
    with pytest.raises(ValueError, match="39 readings against 40"):
        change([answered(HALF[1:], ALL[1:])], [base])


def test_what_is_kept_of_answers_is_read_back(tmp_path: Path) -> None:
    found = answered(HALF, MOST)

    read = kept(tmp_path / "row.json", content_id("answers"), lambda: {"answered": asdict(found)})

    assert _answered(read["answered"]) == found


@pytest.mark.parametrize("start", STARTS)
def test_a_small_run_has_no_other_start(start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--texts", str(tmp_path), "--work", str(tmp_path / "work"), "--small", "--start", start])

    assert f"--start {start} with --small: a small run makes its own start" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_all_of_it_runs_and_goes_on(
    texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    command = ["--texts", str(texts), "--work", str(tmp_path / "work"), "--small", "--threads", "1", "text-mixed"]

    main(command)
    first = capsys.readouterr().out
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.safetensors")}
    main(command)

    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.safetensors")} == made
    assert first.count("| + text + interleaved, mixed |") == 3


def test_measures_are_of_weights_and_of_readings(tmp_path: Path) -> None:
    def read_by(speaker: str) -> Path:
        work = tmp_path / speaker
        work.mkdir()
        (work / QUESTIONS).write_text('{"text": "how late is it", "choices": ["one", "two"], "answer": 0}\n')
        (work / HELD_OUT).write_text("a text\n")
        read(QUESTIONS.removesuffix(".jsonl"), work, {**VOICES, "voices": [{"engine": "tone", "speakers": [speaker]}]})
        return work

    def trained_to(value: float) -> Path:
        tensors = {"a": torch.full((2,), value)}
        checkpoint.write(tmp_path / "row" / "step-1", Position(1), trained=tensors, provenance={"training": "an id"})
        return tmp_path / "row"

    one, other = read_by("test-1"), read_by("test-2")

    first = measured_of(trained_to(0.5), one)
    assert measured_of(trained_to(0.5), one) == first
    assert measured_of(trained_to(0.25), one) != first, "the same recipe, other weights"
    assert measured_of(trained_to(0.5), other) != first, "the same questions, another voice"
    (one / HELD_OUT).write_text("another text\n")
    assert measured_of(trained_to(0.5), one) != first
