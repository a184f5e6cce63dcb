"""JSTIP: what is learned and what is not, and that neither company nor padding changes a loss."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from catalogs.errors import RecipeError, TrainingError
from training.backbones.encoders import TinyEncoderConfig
from training.backbones.language_models import LoraTable
from training.interleaving.choosing import Part
from training.interleaving.spans import Slotting, counts_of
from training.jstip import Jstip, Rows
from training.methods import JstipMethod
from training.modes import begin_training
from training.objective import Utterance
from training.padding import IGNORED
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsrConfig

SLOTTING = Slotting(samples_a_slot=1600, longest=300)
BETWEEN = (7,)

HEARD_FIRST = (("speech", "turn the", 0.0, 0.31), ("text", "kitchen", 0.4, 0.8), ("speech", "light", 0.9, 0.95),
               ("text", "off", 1.0, 1.2))  # fmt: skip
READ_FIRST = (("text", "pay", 0.0, 0.2), ("speech", "my", 0.2, 0.3), ("text", "bill", 0.4, 0.9))
ALONE = (("text", "how late is it", 0.0, 0.0),)


def parts_of(rows: Sequence[tuple[Any, str, float, float]], of: Any = "words") -> tuple[Part, ...]:
    return tuple(Part(modality, text, start, end, n, n, of) for n, (modality, text, start, end) in enumerate(rows))


@pytest.fixture
def jstip(lm: Any) -> Jstip:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=24)).build(lm, layers=1, width=12, seed=0)
    return Jstip(asr, Rows(96, SLOTTING, BETWEEN))


def sequence(make_utterances: Any, parts: tuple[Part, ...], seed: int = 0) -> Utterance:
    slots = sum(counts_of(parts, SLOTTING))
    text = " ".join(part.text for part in parts)
    (made,) = make_utterances([text], frames=[max(5 * slots, 1)], seed=seed)
    return replace(made, parts=parts, features=made.features if slots else None)


def mixed(make_utterances: Any) -> list[Utterance]:
    """Two transcripts, and sequences of words, of segments, and of text alone."""
    one, other = make_utterances(["stop", "a cup of tea and a cake"], frames=[23, 60])
    words = sequence(make_utterances, parts_of(HEARD_FIRST), 1)
    segments = sequence(make_utterances, parts_of(READ_FIRST, "segments"), 2)
    return [words, one, sequence(make_utterances, parts_of(ALONE)), other, segments]


def learned(jstip: Jstip, utterance: Utterance) -> list[int]:
    labels = jstip.collate([utterance]).tensors["labels"]
    return labels[labels != IGNORED].tolist()


@pytest.mark.parametrize(
    ("rows", "of"), [(HEARD_FIRST, "words"), (HEARD_FIRST, "segments"), (READ_FIRST, "words"), (ALONE, "words")]
)
def test_read_units_are_learned_and_heard_ones_and_marks_are_not(
    jstip: Jstip, lm: Any, make_utterances: Any, rows: Any, of: Any
) -> None:
    parts = parts_of(rows, of)

    tensors = jstip.collate([sequence(make_utterances, parts)]).tensors

    read = [part.text if n == 0 else f" {part.text}" for n, part in enumerate(parts) if part.modality == "text"]
    labels, ids, slots = (tensors[name][0] for name in ("labels", "ids", "slots"))
    assert [int(label) for label in labels[labels != IGNORED]] == [t for text in read for t in lm.tokens(text)]
    assert (labels[slots >= 0] == IGNORED).all()
    assert slots[slots >= 0].tolist() == list(range(sum(counts_of(parts, SLOTTING))))
    assert labels[-2] == ids[-2] != IGNORED  # the end is text, and behind it only EOS
    assert (labels[-1], ids[-1]) == (IGNORED, lm.eos_id)
    marks = len(parts) - 1 if of == "segments" else 0
    assert int(((ids == 7) & (labels == IGNORED) & (slots < 0)).sum()) == marks


def test_a_text_as_an_answer_is_learned_with_its_end_behind_the_prompt(
    jstip: Jstip, lm: Any, make_utterances: Any
) -> None:
    utterance = sequence(make_utterances, parts_of(ALONE, "answers"))

    tensors = jstip.collate([utterance]).tensors

    template = jstip.template
    context = [*template.before, *template.after]
    answer = [*template.answer("how late is it"), lm.eos_id]
    assert tensors["ids"][0].tolist() == [*context, *answer]
    assert tensors["labels"][0].tolist() == [*[IGNORED] * len(context), *answer]
    assert "features" not in tensors
    assert not (tensors["slots"] >= 0).any()
    (heard,) = make_utterances(["how late is it"], frames=[20])
    assert learned(jstip, heard) == answer


def test_a_transcript_costs_what_it_costs_in_slam_asr(jstip: Jstip, lm: Any, make_utterances: Any) -> None:
    utterances = make_utterances()
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=24)).build(lm, layers=1, width=12, seed=0)

    found, expected = jstip.loss(jstip.collate(utterances)), asr.loss(asr.collate(utterances))

    torch.testing.assert_close(found.total, expected.total, rtol=1e-5, atol=1e-4)
    assert found.watched == expected.watched


def test_the_loss_of_a_batch_is_the_sum_over_its_sequences(jstip: Jstip, make_utterances: Any) -> None:
    utterances = mixed(make_utterances)

    batch = jstip.collate(utterances)
    together = jstip.loss(batch)

    alone = [jstip.loss(jstip.collate([utterance])) for utterance in utterances]
    assert len(batch.tensors["ids"]) < len(utterances)
    torch.testing.assert_close(together.total, sum(loss.total for loss in alone), rtol=1e-5, atol=1e-4)
    assert together.watched["targets"] == batch.num_targets == sum(len(learned(jstip, u)) for u in utterances)


def test_padding_changes_no_loss(jstip: Jstip, make_utterances: Any) -> None:
    batch = jstip.collate(mixed(make_utterances))
    fillers = {"ids": 3, "labels": IGNORED, "slots": -1, "positions": 0, "owners": -1}
    wider = {name: torch.nn.functional.pad(batch.tensors[name], (0, 9), value=fill) for name, fill in fillers.items()}
    features = torch.nn.functional.pad(batch.tensors["features"], (0, 0, 0, 15), value=5.0)

    padded = replace(batch, tensors={**batch.tensors, **wider, "features": features})

    torch.testing.assert_close(jstip.loss(padded).total, jstip.loss(batch).total, rtol=1e-5, atol=1e-4)


def test_what_is_heard_in_a_sequence_matters_to_it_and_to_no_other(jstip: Jstip, make_utterances: Any) -> None:
    one, two = (sequence(make_utterances, parts_of(HEARD_FIRST), seed) for seed in (1, 2))
    changed = replace(one, features=one.features + 1)

    before, after = (jstip.loss(jstip.collate([each, two])).total for each in (one, changed))

    alone = [jstip.loss(jstip.collate([each])).total for each in (one, changed)]
    assert abs(alone[0] - alone[1]) > 1e-3
    torch.testing.assert_close(after - before, alone[1] - alone[0], rtol=1e-3, atol=1e-4)


def test_the_projector_learns_and_the_language_model_does_not(jstip: Jstip, make_utterances: Any) -> None:
    begin_training(jstip.module)

    jstip.loss(jstip.collate([sequence(make_utterances, parts_of(HEARD_FIRST))])).total.backward()

    assert all(name.startswith("projector.") for name in jstip.trained())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in jstip.trained().values())
    assert all(p.grad is None for p in jstip.module.lm.parameters())
    assert not jstip.module.lm.training


@pytest.mark.parametrize("tuned", ["added", "all"])
def test_what_is_tuned_is_what_a_recipe_says(make_utterances: Any, tuned: Any) -> None:
    table = {"name": "tiny"} | ({"lora": {"r": 2}} if tuned == "added" else {})
    method = JstipMethod(language_model=table, projector=ProjectorConfig(hidden=16), tuned=tuned)

    jstip = method.build(TinyEncoderConfig().build(), num_layers=1, seed=0)

    of_lm = {name for name in jstip.trained() if not name.startswith("projector.")}
    assert of_lm
    assert all("lora_" in name for name in of_lm) is (tuned == "added")
    assert len(jstip.trained()) == len({id(p) for p in jstip.trained().values()})


def test_a_sequence_without_speech_needs_no_features(jstip: Jstip, make_utterances: Any) -> None:
    batch = jstip.collate([sequence(make_utterances, parts_of(ALONE))])

    assert "features" not in batch.tensors
    assert torch.isfinite(jstip.loss(batch).total)


def test_features_of_other_parts_are_refused(jstip: Jstip, make_utterances: Any) -> None:
    made = sequence(make_utterances, parts_of(HEARD_FIRST))

    with pytest.raises(TrainingError, match=r"are 5 slots, and there are features of 0"):
        jstip.collate([replace(made, features=None)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tuned": "all", "language_model": {"name": "tiny", "dtype": "bfloat16"}}, "tunes weights of float32"),
        ({"tuned": "all", "language_model": {"name": "tiny", "lora": LoraTable()}}, "tunes weights of float32"),
        ({"context": 1}, r"objective\.context"),
    ],
)
def test_mistakes_are_found_in_the_recipe(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, RecipeError), match=message):
        JstipMethod(**{"language_model": {"name": "tiny"}} | settings)


def test_rows_longer_than_the_language_model_reads_are_refused() -> None:
    def build(context: int) -> Jstip:
        method = JstipMethod(language_model={"name": "tiny"}, projector=ProjectorConfig(hidden=16), context=context)
        return method.build(TinyEncoderConfig().build(), num_layers=1, seed=0)

    assert build(4096).context == 4096
    with pytest.raises(TrainingError, match=r"objective\.context = 4097: the language model reads 4096 positions"):
        build(4097)
