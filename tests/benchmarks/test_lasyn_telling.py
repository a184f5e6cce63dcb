"""The table of the LaSyn experiment from made-up errors, and errors of labels out of a corpus."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from benchmarks.corpora import write
from benchmarks.errors import Errors, errors_of
from benchmarks.figures import share_right, wer
from benchmarks.lasyn.running import Test, scored
from benchmarks.lasyn.telling import Scored, table
from catalogs.catalog import Catalog
from catalogs.ids import content_id
from catalogs.records import Slot
from catalogs.release import release_named
from synthgen.cli import app
from training.answering import Answer
from training.evaluation.references import references_of
from training.evaluation.scoring import score
from training.evaluation.understanding import compared
from training.labels import Labels

SEEDS = [content_id("evaluation", number) for number in range(2)]
NOTHING = Errors([], np.zeros(0), np.zeros(0), [])
RECALL, F1 = "slot recall, orders", "slot F1, orders"


def errors(counts: Sequence[float], takes: str = "pqrst", *, of: float = 10.0) -> Errors:
    number = len(counts)
    return Errors(list(takes)[:number], np.array(counts), np.full(number, of), list("abcde")[:number])


def row(words: Errors, *, recall: Errors = NOTHING, f1: Errors = NOTHING, base: Errors | None = None) -> Scored:
    return Scored(1, {"orders": words, "LibriSpeech": errors([1] * 5)}, {RECALL: recall, F1: f1}, base)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_rows_are_held_against_real_speech_on_what_both_have_heard() -> None:
    told = table({"the guide": row(errors([5] * 5)), "+ texts": row(errors([2, 9], "pr"), base=errors([4, 0, 12, 0]))})

    assert cells(told[0]) == ["", "seeds", "WER, orders", "WER, LibriSpeech", "fewer errors than `real`"]
    assert cells(told[2]) == ["the guide", "1", "50.0% (50.0% to 50.0%)", "10.0% (10.0% to 10.0%)", "–"]
    assert cells(told[3])[-1] == f"{1 - 11 / 16:+.1%}"
    assert told[4] == ""
    assert told[5].startswith("Rows have heard 2 to 5 takes of orders: what training has had is left out.")


def test_columns_of_slots_are_there_if_a_row_has_slots() -> None:
    words, none = errors([1] * 5), errors([0] * 5, of=0.0)

    bare = table({"one": row(words, recall=none), "other": row(words)})
    some = table({"one": row(words, recall=errors([2] * 5)), "other": row(words)})
    both = table({"one": row(words, recall=errors([2] * 5)), "other": row(words, f1=errors([0, 0, 5, 5, 10]))})

    assert "slot" not in bare[0]
    assert cells(some[0])[4:] == [RECALL, "fewer errors than `real`"]
    assert [cells(line)[4] for line in some[2:]] == ["80.0% (80.0% to 80.0%)", ""]
    assert cells(both[0])[4:6] == [RECALL, F1]
    assert cells(both[3])[5].startswith("60.0% (")
    assert len(both) == 4


def test_the_interval_of_what_is_right_is_that_of_what_is_wrong_turned_round() -> None:
    found = errors([3, 4, 5, 5, 6])

    wrong, right = wer(found), share_right(found)

    assert wrong is not None
    assert right is not None
    assert wrong.low is not None
    assert wrong.high is not None
    assert (right.value, right.low, right.high) == (1 - wrong.value, 1 - wrong.high, 1 - wrong.low)
    assert 0 < 1 - wrong.high < right.value < 1 - wrong.low < 1
    assert share_right(errors([1, 2])).low is None  # type: ignore[union-attr]  # it has words
    assert wer(NOTHING) is share_right(NOTHING) is None


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two orders: the first of `SEEDS` heard both as the small one, the second each as it is, and a drink in both."""
    folder, sizes = tmp_path_factory.mktemp("said"), {"a small tea": "small", "a large tea": "large"}
    for number in range(len(sizes)):
        soundfile.write(folder / f"{number}.wav", 0.1 * np.sin(np.arange(16_000) * 0.05 * (number + 1)), 16_000)
    rows = [
        {"audio": f"{n}.wav", "text": text, "speaker": f"s{n}", "language": "en", "slots": {"size": sizes[text]}}
        for n, text in enumerate(sizes)
    ]
    write(folder / "said.jsonl", rows)
    made = folder / "corpus"
    for words in (["ingest", str(folder / "said.jsonl"), "--layout", "jsonl"], ["freeze", "said", "--where", "true"]):
        done = CliRunner().invoke(app, [*words, "-c", str(made)])
        assert done.exit_code == 0, done.output
    small, drink = Slot("size", "small"), Slot("drink", "tea")
    with Catalog.create(made) as catalog:
        said = references_of(catalog, release_named(catalog, "said"), split=None)
        for seed, found in zip(SEEDS, [(small,), (small, drink)], strict=True):
            catalog.add([compared(seed, each.member, Labels(slots=found)) for each in said])
            heard = [each.member.text if drink in found else "a small tea" for each in said]
            answers = [
                Answer(each.member.take_id, text, 3, hit_limit=False) for each, text in zip(said, heard, strict=True)
            ]
            catalog.add([score(seed, *each) for each in zip(said, answers, strict=True)])
    return made


def test_errors_of_labels_are_means_over_seeds_and_come_to_f1(corpus: Path) -> None:
    labels, slots = errors_of(corpus, SEEDS, of="labels"), errors_of(corpus, SEEDS[:1], of="slots")

    assert sorted(zip(labels.errors, labels.words, strict=True)) == [(0.5, 2.5), (2.5, 2.5)]
    assert share_right(labels).value == pytest.approx(0.4)  # type: ignore[union-attr]  # 2 × 2 right of 4 + 6
    assert share_right(slots).value == 0.5  # type: ignore[union-attr]  # it has slots
    assert not errors_of(corpus, [content_id("evaluation", 9)], of="labels").takes


def test_a_row_is_held_against_as_many_seeds_of_real_speech(corpus: Path) -> None:
    tests = [Test(name, corpus, "said") for name in ("orders", "orders in noise", "LibriSpeech")]
    first, second = ({test.name: seed for test in tests} for seed in SEEDS)

    found = scored({"the guide": [second], "real": [first, second], "+ TTS audio": [first]}, tests)

    bases = [None if row.base is None else row.base.errors.sum() for row in found.values()]
    assert bases == [1, None, 1]
    assert [row.seeds for row in found.values()] == [1, 2, 1]
    assert [row.words["orders"].errors.sum() for row in found.values()] == [0, 0.5, 1]
    told = table(found)
    assert cells(told[0])[5:8] == ["slot recall, orders", "slot F1, orders", "slot F1, orders in noise"]
    assert cells(told[3])[5:] == ["75.0%", "40.0%", "40.0%", "–"]
    assert len(told) == 5
