"""From labelled prompts to figures of what was understood, by training, evaluation and SQL."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs import text
from catalogs.catalog import Catalog
from catalogs.console import ask
from catalogs.errors import TrainingError
from catalogs.hypotheses import hypotheses_dictionary
from catalogs.progress import Progress
from catalogs.records import Slot, Understanding
from catalogs.text import normalise
from synthgen.cli import app
from training import checkpoint, session
from training.answering import Answer
from training.backbones import whisper
from training.backbones.encoders import TinyEncoderConfig
from training.data import text_member
from training.evaluation import hearing
from training.evaluation.figures import Figure, subsets
from training.evaluation.references import Reference
from training.evaluation.scoring import score
from training.evaluation.trained import TrainedRecogniser
from training.evaluation.understanding import compared, understanding
from training.labels import UNLABELLED, Labels
from training.loop import LoopConfig
from training.members import DataConfig
from training.probing.activations import listener_of
from training.recipe import FeaturesConfig, TrainRecipe
from training.slu.decoder import DecoderConfig
from training.slu.understanding import SluConfig

from ..conftest import train_on
from ..test_whisper_asr import Bytes
from ..test_whisper_asr import tiny as tiny_whisper

pytest.importorskip("pocketsphinx")

SPLIT = 1
TOLD = [
    {"text": "one small tea", "intent": "order", "slots": {"size": "small", "drink": "tea"}},
    {"text": "see you at nine", "intent": "farewell", "entities": [{"type": "time", "value": "nine"}]},
    {"text": "good morning"},
]
HELD_OUT = [
    {"text": "two large teas", "intent": "order", "slots": {"size": "large"}},
    {"text": "is it raining", "intent": "weather"},
    {"text": "thank you"},
]
SMALL = {"layers": 1, "width": 16, "heads": 2}
SLU = {"method": "slu", "split": SPLIT, "decoder": SMALL, "room": 5}


@pytest.fixture(scope="module")
def studio(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with labelled releases and a bare one, and a recogniser trained on speech and on labelled texts."""
    folder = tmp_path_factory.mktemp("understood")
    corpus = produce(folder, "told", prompts=TOLD, speakers=["anna"])
    produce(folder, "held-out", prompts=HELD_OUT, speakers=["cora", "dina"])
    produce(folder, "bare", prompts=["a large tea"], speakers=["anna"])
    (folder / "menu.jsonl").write_text('{"text": "a large coffee", "intent": "order", "slots": {"size": "large"}}\n')
    heard = {"corpus": str(corpus), "release": "told", "split": None}
    read = {"texts": str(folder / "menu.jsonl")}
    guide = train_on("told", folder, corpus, "guide", {"method": "ctc", "split": SPLIT}, layer=SPLIT)
    fixed = {"method": "lasyn_fixed", "guide_from": str(guide), "synthesiser": {"filters": 16}}
    made_by = train_on("told", folder, corpus, "fixed", fixed, layer=SPLIT, data=[read])
    dual = {"method": "lasyn", "recogniser": SLU, "guide_from": str(guide), "synthesiser_from": str(made_by)}
    train_on("told", folder, corpus, "dual", dual, layer=SPLIT, data=[heard, read])
    with pytest.raises(TrainingError, match=r"release 'bare' of .* has no labels, and lasyn learns to write them"):
        train_on("bare", folder, corpus, "unlabelled", dual, layer=SPLIT)
    return folder


def evaluated(studio: Path) -> dict[str, Figure]:
    words = ["evaluate", str(studio / "dual"), "held-out", "-c", str(studio / "corpus"), "--json", "--by", "domain"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["systems"][0]["subsets"][0]["figures"]
    return {figure["name"]: Figure(**figure) for figure in figures}


def test_what_was_understood_is_kept_beside_what_was_heard(studio: Path) -> None:
    figures = evaluated(studio)
    again = evaluated(studio)

    sql = (
        "SELECT takes.intent AS wanted, understanding.* FROM understanding "
        "JOIN hypothesis USING (evaluation_id, take_id) JOIN takes USING (take_id) ORDER BY take_id"
    )
    rows = ask(studio / "corpus", sql).to_pylist()
    assert len(rows) == 6
    assert {"wer", "intent_accuracy", "slot_f1", "slot_found"} <= figures.keys()
    assert figures == again
    assert [row["is_intent_right"] is None for row in rows] == [row["wanted"] is None for row in rows]
    assert sum(row["num_wanted"] for row in rows) == 2
    assert all(row["num_found"] == len(row["found"]) for row in rows)
    assert figures["intent_accuracy"].value == sum(row["is_intent_right"] or 0 for row in rows) / 4
    with Catalog.open(studio / "corpus") as catalog:
        described = hypotheses_dictionary(catalog.lake).to_pylist()
    assert {row["column"] for row in described if row["family"] == "understanding"} >= {"intent", "found", "num_right"}


def test_figures_of_labels_are_told_and_those_who_only_transcribe_have_none(studio: Path) -> None:
    corpus = ["-c", str(studio / "corpus")]

    told = CliRunner().invoke(app, ["evaluate", str(studio / "dual"), "held-out", *corpus])
    transcribed = CliRunner().invoke(app, ["evaluate", str(studio / "guide"), "held-out", *corpus])

    assert "intents that are right" in told.stdout
    assert "slot_f1" in told.stdout
    assert transcribed.exit_code == 0
    assert "slot_f1" not in transcribed.stdout


def test_the_objective_trains_by_itself_and_refuses_data_without_labels(studio: Path) -> None:
    def recipe(release: str) -> TrainRecipe:
        return TrainRecipe(
            name=f"slu-{release}",
            folder=studio / f"slu-{release}",
            data=(DataConfig(str(studio / "corpus"), release, split=None),),
            encoder=TinyEncoderConfig(),
            objective=SluConfig(split=SPLIT, decoder=DecoderConfig(**SMALL), guide_from=str(studio / "guide")),
            features=FeaturesConfig(layers=(SPLIT,), folder=str(studio / "features")),
            loop=LoopConfig(epochs=1, steps=2, threads=1, log_every=1, save_every=2),
        )

    trained = session.train(recipe("told"), progress=Progress(quiet=True))

    assert trained.loss is not None
    assert trained.loss > 0
    with pytest.raises(TrainingError, match=r"release 'bare' of .* has no labels, and slu learns to write them"):
        session.train(recipe("bare"), progress=Progress(quiet=True))


def test_a_whisper_that_transcribes_goes_on_to_labels(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "load_whole_whisper", lambda *_, **__: (tiny_whisper().module, None, Bytes()))
    corpus, table = studio / "corpus", {"method": "whisper_decoder", "split": SPLIT}
    text = train_on("told", studio, corpus, "transcribing", table, layer=SPLIT)
    labels = {"objective": table | {"writes": "labels"}, "layer": SPLIT, "start_from": str(text)}

    written = train_on("told", studio, corpus, "understanding", **labels)

    with pytest.raises(TrainingError, match="has no labels, and whisper_decoder learns to write them"):
        train_on("bare", studio, corpus, "unlabelled-whisper", **labels)
    recipes = [checkpoint.load(folder).provenance["recipe"]["objective"] for folder in (text, written)]
    assert [recipe.get("writes") for recipe in recipes] == [None, "labels"]
    words = ["evaluate", "held-out", "-c", str(corpus), "--json"]
    told = {}
    for folder in (text, written):
        done = CliRunner().invoke(app, [*words[:1], str(folder), *words[1:]])
        assert done.exit_code == 0, done.output
        told[folder] = {figure["name"] for figure in json.loads(done.stdout)["systems"][0]["subsets"][0]["figures"]}
    assert "slot_f1" in told[written]
    assert "slot_f1" not in told[text]


def test_a_probe_says_that_it_does_not_know_its_layers(studio: Path) -> None:
    with pytest.raises(TrainingError, match="is of method 'lasyn', whose layers no probe knows"):
        listener_of(checkpoint.load(studio / "dual"))


ORDER = Labels("order", (Slot("size", "small"), Slot("number", "fifty")), (Slot("drink", "Café latte"),))
ASK = Labels("ask", (), (Slot("drink", "tea"), Slot("drink", "tea")))


@pytest.mark.parametrize(
    ("wanted", "found", "right"),
    [
        (ORDER, ORDER, (True, 3, 3, 3)),
        (ORDER, Labels("ORDER ", (Slot("Number", "50"), Slot("drink", "café latte!"))), (True, 3, 2, 2)),
        (
            ORDER,
            Labels("ask", (Slot("drink", "small"), Slot("size", "small"), Slot("size", "small"))),
            (False, 3, 3, 1),
        ),
        (ASK, Labels(None, (Slot("drink", "tea"),)), (False, 2, 1, 1)),
        (ASK, Labels("ask", (Slot("drink", "tea"),) * 3), (True, 2, 3, 2)),
        (UNLABELLED, Labels("ask", (Slot("drink", "tea"),)), (None, 0, 1, 0)),
        (Labels(slots=(Slot("pin", "4 5 6"),)), Labels(slots=(Slot("pin", "four five six"),)), (None, 1, 1, 1)),
        (Labels(slots=(Slot("mark", "+"),)), Labels(slots=(Slot("mark", "+"),)), (None, 1, 1, 1)),
        (Labels(slots=(Slot("mark", "+"),)), Labels(slots=(Slot("mark", "-"),)), (None, 1, 1, 0)),
    ],
)
def test_values_are_right_by_name_and_what_they_say(
    wanted: Labels, found: Labels, right: tuple[bool | None, int, int, int]
) -> None:
    row = compared("evaluation", text_member("text", labels=wanted), found)

    assert (row.is_intent_right, row.num_wanted, row.num_found, row.num_right) == right


def test_f1_is_micro_averaged_as_by_hand(members: list[Any]) -> None:
    """Wanted 3 + 2 + 0, found 2 + 3 + 1, right 2 + 2 + 0: precision 4/6, recall 4/5, F1 8/11; intents 1 of 2."""
    said = [
        (ORDER, Labels("order", ORDER.values[1:])),
        (ASK, Labels("order", (Slot("drink", "tea"),) * 3)),
        (UNLABELLED, Labels("ask", (Slot("drink", "tea"),))),
    ]
    references = [
        Reference(replace(member, labels=wanted), slices={"kind": str(bool(wanted))})
        for member, (wanted, _) in zip(members, said, strict=False)
    ]
    answers = [
        Answer(reference.member.take_id, reference.member.text, 1, hit_limit=False, labels=found)
        for reference, (_, found) in zip(references, said, strict=True)
    ]
    hypotheses = [score("e", reference, answer) for reference, answer in zip(references, answers, strict=True)]
    rows = [understanding("e", r.member, answer) for r, answer in zip(references, answers, strict=True)]
    understood = [row for row in rows if isinstance(row, Understanding)]

    every, unlabelled, labelled = subsets(references, hypotheses, number=50, by=["kind"], understood=understood)

    figures = {figure.name: figure for figure in every.figures}
    assert figures["slot_f1"].value == pytest.approx(8 / 11)
    assert figures["slot_precision"].value == pytest.approx(4 / 6)
    assert figures["slot_found"].value == pytest.approx(4 / 5)
    assert figures["intent_accuracy"].value == pytest.approx(1 / 2)
    assert figures["slot_f1"].low is None  # three takes are of too few speakers for an interval
    assert {f.name: f.value for f in labelled.figures}["slot_f1"] == pytest.approx(8 / 10)
    assert {f.name: f.value for f in unlabelled.figures}["slot_f1"] == 0
    (plain,) = subsets(references, hypotheses, number=50)
    assert "slot_f1" not in {figure.name for figure in plain.figures}


def test_another_normaliser_asks_nobody_to_hear_again(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = evaluated(studio)
    monkeypatch.setattr(hearing, "NORMALISER", "of-a-later-version")
    monkeypatch.setattr(text, "counted_words", lambda words, language: [*normalise(words, language).split(), "end"])
    monkeypatch.setattr(TrainedRecogniser, "transcribe", lambda *_: pytest.fail("heard again"))

    again = evaluated(studio)

    sql = (
        "SELECT normaliser = 'of-a-later-version' AS is_new, {0}.* EXCLUDE (evaluation_id) FROM {0} "
        "JOIN evaluation ON evaluation.id = evaluation_id WHERE recogniser LIKE 'dual@%' ORDER BY take_id"
    )
    for table in ("hypothesis", "understanding"):
        rows = ask(studio / "corpus", sql.format(table)).to_pylist()
        new, old = ([row | {"is_new": None} for row in rows if row["is_new"] is which] for which in (True, False))
        assert len(new) == 6
        if table == "understanding":
            assert new == old
            continue
        assert [row["text"] for row in new] == [row["text"] for row in old]
        assert [row["num_words"] for row in new] == [row["num_words"] + 1 for row in old]
    assert again["wer"].value < figures["wer"].value
    assert again["slot_f1"] == figures["slot_f1"]
