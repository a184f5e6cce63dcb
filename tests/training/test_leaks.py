"""The leak guard: whatever training has had is refused, also what it had through the training that it went on from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catalogs.catalog import Catalog
from catalogs.errors import DataLeak
from catalogs.release import release_named
from training import checkpoint
from training.checkpoint import Position
from training.evaluation.leaks import had_by, marks_of, overlaps, refuse, sets_had
from training.members import DataConfig, Member, members_in

TOLD = ("good morning", "see you at nine", "lights off please")
OTHERS = ("a large tea", "what is due today")

Trained = Callable[..., Path]


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases: what was told, the same texts by another, other texts by the same, and nothing of it."""
    folder = tmp_path_factory.mktemp("leaks")
    produce(folder, "told", prompts=TOLD, speakers=["anna"])
    produce(folder, "retold", prompts=["Good morning!", "See you at 9"], speakers=["bela"])
    produce(folder, "same_voice", prompts=OTHERS, speakers=["anna"])
    return produce(folder, "unseen", prompts=OTHERS, speakers=["cora"])


@pytest.fixture
def trained(corpus: Path, tmp_path: Path) -> Trained:
    """The folder of a checkpoint that was trained on a release, and went on from others."""

    def make(name: str, release: str = "told", **objective: Any) -> Path:
        with Catalog.open(corpus) as catalog:
            release_id = release_named(catalog, release).id
        data = {"corpus": str(corpus), "release": release, "split": None, "max_s": 30.0}
        provenance = {"recipe": {"data": [data], "objective": objective}, "releases": [{"id": release_id}]}
        weight = {"weight": nn.Parameter(torch.zeros(1))}
        saved = checkpoint.save(tmp_path / name, Position(1), trained=weight, optimizer=None, provenance=provenance)
        return saved.folder.parent

    return make


def members(corpus: Path, release: str) -> list[Member]:
    with Catalog.open(corpus) as catalog:
        return members_in(catalog, release_named(catalog, release), split=None)


def kinds(members: Sequence[Member], folder: Path) -> dict[str, int]:
    return {found.kind: len(found.take_ids) for found in overlaps(members, had_by(folder))}


@pytest.mark.parametrize(
    ("release", "shared"),
    [
        ("told", {"takes": 3, "speakers": 3, "texts": 3}),
        ("retold", {"texts": 2}),
        ("same_voice", {"speakers": 2}),
        ("unseen", {}),
    ],
)
def test_takes_speakers_and_texts_of_training_are_known(
    corpus: Path, trained: Trained, release: str, shared: dict[str, int]
) -> None:
    assert kinds(members(corpus, release), trained("model")) == shared


def test_the_same_samples_are_known_under_another_id(corpus: Path, trained: Trained) -> None:
    one, *_ = members(corpus, "told")
    copied = replace(one, take_id="another", text="x", spoken="x", speaker="x")

    assert kinds([copied], trained("model")) == {"takes": 1}


def test_what_a_warm_start_has_had_is_known_however_far_back(corpus: Path, trained: Trained) -> None:
    first = trained("first", "told")
    second = trained("second", "same_voice", projector_from=str(first))
    third = trained("third", "unseen", encoder={"weights_from": str(second)})

    assert kinds(members(corpus, "retold"), third) == {"texts": 2}
    assert kinds(members(corpus, "retold"), trained("alone", "unseen")) == {}


def test_a_training_that_went_on_from_itself_is_followed_once(corpus: Path, trained: Trained) -> None:
    first = trained("first", "told")
    trained("second", "unseen", projector_from=str(first))
    trained("first", "told", projector_from=str(first.parent / "second"))

    assert kinds(members(corpus, "retold"), first) == {"texts": 2}


def test_a_set_of_several_trainings_is_read_once(trained: Trained) -> None:
    first = trained("first", "told")
    last = trained("last", "told", projector_from=str(trained("second", "unseen", projector_from=str(first))))

    assert [config.release for config, _ in sets_had(last) if isinstance(config, DataConfig)] == ["told", "unseen"]


def test_what_overlaps_is_said_with_counts_an_example_and_a_way_out(corpus: Path, trained: Trained) -> None:
    asked = [*members(corpus, "retold"), *members(corpus, "unseen")]
    found = overlaps(asked, had_by(trained("model")))

    with pytest.raises(DataLeak) as caught:
        refuse(found, release="mixed", num_takes=len(asked))

    for part in ("2 of the 4 takes of release 'mixed'", "2 by their texts", "text 'good morning'", "release 'told'"):
        assert part in str(caught.value)
    assert "--only-unseen evaluates on the other 2" in str(caught.value)


def test_where_all_is_known_nothing_is_left_to_evaluate_on(corpus: Path, trained: Trained) -> None:
    asked = members(corpus, "told")

    with pytest.raises(DataLeak) as caught:
        refuse(overlaps(asked, had_by(trained("model"))), release="told", num_takes=len(asked))

    assert "3 of the 3 takes" in str(caught.value)
    assert f"for example take '{asked[0].take_id}'" in str(caught.value)
    assert "only-unseen" not in str(caught.value)


def test_what_a_model_was_chosen_by_is_known_however_long_it_was(corpus: Path, trained: Trained) -> None:
    model = checkpoint.load(trained("model"))
    with Catalog.open(corpus) as catalog:
        release_id = release_named(catalog, "unseen").id
    data = asdict(DataConfig(str(corpus), "unseen", split=None, max_s=math.inf))
    provenance = {**model.provenance, "chosen_by": [{"data": data, "release": release_id}]}
    weight = {"weight": nn.Parameter(torch.zeros(1))}

    chosen = checkpoint.save(model.folder.parent, Position(2), trained=weight, optimizer=None, provenance=provenance)

    assert kinds(members(corpus, "unseen"), chosen.folder) == {"takes": 2, "speakers": 2, "texts": 2}


def test_nothing_shared_is_not_refused(corpus: Path, trained: Trained) -> None:
    refuse(overlaps(members(corpus, "unseen"), had_by(trained("model"))), release="unseen", num_takes=2)


def test_training_data_that_are_gone_leave_everything_suspect(trained: Trained, tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(DataLeak, match="whose training data nobody can tell"):
        had_by(trained("orphan", projector_from=str(tmp_path / "gone")))

    about = trained("moved") / "step-00000001" / "checkpoint.json"
    about.write_text(about.read_text().replace(str(corpus), str(tmp_path / "moved_away")))
    with pytest.raises(DataLeak, match="cannot be read"):
        had_by(about.parent)


def test_another_release_of_the_same_name_is_noticed(trained: Trained) -> None:
    about = trained("model") / "step-00000001" / "checkpoint.json"
    about.write_text(about.read_text().replace('"told"', '"unseen"'))

    with pytest.raises(DataLeak, match="another release 'unseen'"):
        had_by(about.parent)


def test_a_checkpoint_without_provenance_is_refused(trained: Trained) -> None:
    about = trained("model") / "step-00000001" / "checkpoint.json"
    about.write_text('{"position": {"step": 1}, "provenance": {}}')

    with pytest.raises(DataLeak, match="does not say what it was trained on"):
        had_by(about.parent)


@pytest.mark.parametrize(
    ("had", "asked"),
    [
        (("the code is 4 5 6", "en"), ("the code is four five six", "en-GB")),
        (("für die Straße", "en"), ("Für die Straße!", "de")),
        (("สวัสดี ครับ", "en"), ("สวัสดี ครับ", "th")),
    ],
)
def test_a_text_is_known_however_digits_are_written_and_its_language_is_called(
    corpus: Path, had: tuple[str, str], asked: tuple[str, str]
) -> None:
    one, *_ = members(corpus, "unseen")
    before, now = (replace(one, text=text, spoken=text, language=language) for text, language in (had, asked))

    texts = {mark for kind, mark in marks_of(before) if kind == "texts"}

    assert texts & {mark for kind, mark in marks_of(now) if kind == "texts"}


def test_a_text_without_words_marks_nothing(corpus: Path) -> None:
    one, *_ = members(corpus, "told")

    marks = dict(marks_of(replace(one, text="[noise]", spoken="!")))

    assert "texts" not in marks
