"""SLAM-ASR: what is learned and what is not, and that neither padding nor company changes a loss."""

from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from catalogs.config import parse
from catalogs.errors import TrainingError
from training.backbones.causal_lm import Ends, LanguageModel
from training.modes import begin_training
from training.objective import Batch
from training.padding import IGNORED
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsr, SlamAsrConfig
from training.template import CODE, Template

PROJECTORS = [
    ProjectorConfig(hidden=24),
    ProjectorConfig(kind="conv", hidden=24, norm=True),
    ProjectorConfig(hidden=24, mix=True, frames=4),
]


def build(lm: Any, *, projector: ProjectorConfig = PROJECTORS[0], template: str | None = None) -> SlamAsr:
    config = SlamAsrConfig(Template(order=template) if template else Template(), projector)
    return config.build(lm, layers=3 if projector.mix else 1, width=12, seed=0)


def test_the_room_for_audio_is_as_long_as_the_audio_for_every_length(
    lm: Any, tokenizer: Any, make_utterances: Any
) -> None:
    asr = build(lm)
    frames = list(range(5, 400))
    utterances = make_utterances(["stop"] * len(frames), frames=frames)

    batch = asr.collate(utterances)

    slots = batch.tensors["slots"]
    projected = asr.module.projector(batch.tensors["features"], batch.tensors["lengths"])
    assert (slots >= 0).sum(1).tolist() == [n // 5 for n in frames]
    assert projected.shape[1] == slots.max() + 1
    for row in slots:
        assert row[row >= 0].tolist() == list(range(int((row >= 0).sum())))


def test_each_slot_of_audio_stands_in_its_place_and_text_in_all_others(
    lm: Any, tokenizer: Any, make_utterances: Any
) -> None:
    asr = build(lm)
    batch = asr.collate(make_utterances())

    embedded = asr.module.embed(batch.tensors)

    audio = asr.module.projector(batch.tensors["features"], batch.tensors["lengths"])
    text = lm.embedding(batch.tensors["ids"])
    for row, slots in enumerate(batch.tensors["slots"]):
        is_audio = slots >= 0
        torch.testing.assert_close(embedded[row, is_audio], audio[row, : int(is_audio.sum())])
        torch.testing.assert_close(embedded[row, ~is_audio], text[row, ~is_audio])


@pytest.mark.parametrize("template", [None, CODE])
def test_only_answers_and_their_ends_are_learned(
    lm: Any, tokenizer: Any, make_utterances: Any, template: str | None
) -> None:
    asr = build(lm, template=template)
    utterances = [*make_utterances(), *make_utterances([""], frames=[30])]

    batch = asr.collate(utterances)

    space = "" if template else " "
    for utterance, labels in zip(utterances, batch.tensors["labels"], strict=True):
        learned = labels[labels != IGNORED]
        expected = f"{space}{utterance.text}" if utterance.text else ""
        assert tokenizer.decode(learned) == f"{expected}</s>"
        assert torch.equal(labels[: len(learned)], learned)
    assert batch.num_targets == int((batch.tensors["labels"] != IGNORED).sum())
    assert batch.take_ids == [utterance.take_id for utterance in utterances]


@pytest.mark.parametrize("projector", PROJECTORS)
def test_a_loss_is_what_reading_one_utterance_by_hand_gives(
    lm: Any, tokenizer: Any, make_utterances: Any, projector: ProjectorConfig
) -> None:
    asr = build(lm, projector=projector)
    utterances = make_utterances(layers=3 if projector.mix else 1)
    embed = lm.embedding

    for utterance in utterances:
        filled = asr.template.fill(utterance.features.shape[1] // projector.frames, utterance.text)
        audio = asr.module.projector(utterance.features[None], torch.tensor([utterance.features.shape[1]]))[0]
        before, after = (embed(torch.tensor(side)) for side in (asr.template.before, asr.template.after))
        answer = torch.tensor(filled.answer)
        logits = lm.module(inputs_embeds=torch.cat([before, audio, after, embed(answer)])[None]).logits[0]
        expected = cross_entropy(logits[-len(answer) - 1 : -1], answer, reduction="sum")

        torch.testing.assert_close(asr.loss(asr.collate([utterance])).total, expected)


@pytest.mark.parametrize("projector", PROJECTORS)
def test_the_loss_of_a_batch_is_the_sum_over_its_utterances(
    lm: Any, tokenizer: Any, make_utterances: Any, projector: ProjectorConfig
) -> None:
    asr = build(lm, projector=projector)
    utterances = make_utterances(layers=3 if projector.mix else 1)

    together = asr.loss(asr.collate(utterances))

    alone = [asr.loss(asr.collate([utterance])) for utterance in utterances]
    torch.testing.assert_close(together.total, torch.stack([loss.total for loss in alone]).sum())
    for name in ("correct", "targets"):
        assert together.watched[name] == sum(loss.watched[name] for loss in alone)
    assert together.watched["targets"] == asr.collate(utterances).num_targets


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("extra", [0, 7])
@pytest.mark.parametrize("positions", ["lm", "counting_lm"])
def test_where_and_how_much_is_padded_changes_no_loss(
    request: pytest.FixtureRequest, tokenizer: Any, make_utterances: Any, side: str, extra: int, positions: str
) -> None:
    asr = build(request.getfixturevalue(positions))
    batch = asr.collate(make_utterances())
    expected = asr.loss(batch)

    moved = asr.loss(Batch(padded_on(batch.tensors, side, extra=extra), batch.num_targets))

    torch.testing.assert_close(moved.total, expected.total)
    assert moved.watched == expected.watched


def padded_on(tensors: Any, side: str, *, extra: int) -> dict[str, Tensor]:
    """The same utterances with all padding on one side, and more of it; labels cover all columns but the first."""
    attention = tensors["attention"]
    width = int(attention.sum(1).max()) + extra
    labels = torch.full_like(tensors["ids"], IGNORED)
    labels[:, attention.shape[1] - tensors["labels"].shape[1] :] = tensors["labels"]
    rows: dict[str, Tensor] = {"features": torch.nn.functional.pad(tensors["features"], (0, 0, 0, 5 * extra))}
    filler = {"ids": 3, "attention": False, "slots": -1, "labels": IGNORED}
    for name, source in {**tensors, "labels": labels}.items():
        if name in filler:
            rows[name] = torch.full((len(source), width), filler[name], dtype=source.dtype)
            for target, row, is_read in zip(rows[name], source, attention, strict=True):
                kept = row[is_read]
                target[: len(kept)] = kept
                target.copy_(target.roll(width - len(kept)) if side == "left" else target)
    return {"lengths": tensors["lengths"], **rows, "labels": rows["labels"][:, 1:]}


def test_gradients_reach_the_projector_and_nothing_else(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    encoder = torch.nn.Linear(12, 12)
    utterances = make_utterances(layers=3)
    with torch.no_grad():
        utterances = [replace(u, features=encoder(u.features)) for u in utterances]
    asr = build(lm, projector=PROJECTORS[2])

    asr.loss(asr.collate(utterances)).total.backward()

    assert all(parameter.grad is None for parameter in [*lm.module.parameters(), *encoder.parameters()])
    gradients = {name: parameter.grad for name, parameter in asr.module.projector.named_parameters()}
    assert {"mix.weights", "mix.gamma", "reduce.linear.weight", "out.bias"} < set(gradients)
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients.values())


def test_only_the_projector_is_trained(lm: Any, tokenizer: Any) -> None:
    asr = build(lm, projector=PROJECTORS[2])

    trained = asr.trained()

    assert {name.partition(".")[0] for name in trained} == {"projector"}
    assert {"projector.mix.weights", "projector.mix.gamma"} < set(trained)
    assert len(trained) == len(list(asr.module.projector.parameters()))


def test_of_a_language_model_only_what_lora_added_is_trained(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    peft = pytest.importorskip("peft")
    adapted = peft.get_peft_model(lm.module, peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    asr = build(LanguageModel(adapted, lm.tokenizer, id="adapted", ends=Ends(0, 1)))

    asr.loss(asr.collate(make_utterances())).total.backward()

    added = {name for name in asr.trained() if not name.startswith("projector.")}
    assert len(added) == 2 * 2 * 2  # layers, projections, factors
    assert all("lora_" in name for name in added)
    assert {name for name, p in asr.module.named_parameters() if p.grad is not None} == set(asr.trained())


def test_other_audio_gives_other_logits(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    asr = build(lm)
    first, second = (asr.collate(make_utterances(seed=seed)).tensors for seed in (0, 1))

    difference = (asr.module(first) - asr.module(second)).abs().amax(-1)

    assert bool((difference > 1e-3)[first["labels"] != IGNORED].all())


def test_a_frozen_language_model_does_not_drop_out(counting_lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    asr = build(counting_lm)
    batch = asr.collate(make_utterances())

    begin_training(asr.module)

    assert asr.module.projector.training
    assert torch.equal(asr.loss(batch).total, asr.loss(batch).total)


def test_a_language_model_keeps_its_precision(tokenizer: Any, lm: Any, make_utterances: Any) -> None:
    lm.module.to(torch.bfloat16)
    asr = build(lm)

    loss = asr.loss(asr.collate(make_utterances()))
    loss.total.backward()

    assert loss.total.dtype == torch.float32
    assert {parameter.dtype for parameter in lm.module.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in asr.trained().values()} == {torch.float32}


def test_the_same_utterances_make_the_same_batch(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    asr = build(lm)

    first, second = (asr.collate(make_utterances()) for _ in range(2))

    assert set(first.tensors) == {"features", "lengths", "ids", "attention", "slots", "labels"}
    assert all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())


def test_a_configuration_survives_its_recipe() -> None:
    config = SlamAsrConfig(Template(order=CODE), ProjectorConfig(kind="conv", kernel=9, mix=True))

    assert parse(SlamAsrConfig, asdict(config), source="checkpoint") == config


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "no features"),
        ((1, 0, 12), r"shape \(1, 0, 12\)"),
        ((20, 12), r"shape \(20, 12\)"),
        ((1, 4, 12), "4 frames are less than one slot of 5"),
        ((2, 20, 12), "2 layers of width 12, and the projector is for 1 of 12"),
        ((1, 3000, 12), r"600 of audio\), and the language model reads 512"),
    ],
)
def test_an_utterance_that_cannot_be_learned_from_is_refused_by_name(
    lm: Any, tokenizer: Any, make_utterances: Any, shape: tuple[int, ...] | None, message: str
) -> None:
    (good,) = make_utterances(["stop"])
    bad = replace(good, features=None if shape is None else torch.zeros(shape))

    with pytest.raises(TrainingError, match=message) as refused:
        build(lm).collate([good, bad])

    assert bad.take_id in str(refused.value)


def test_eight_utterances_are_learned_by_heart(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    asr = build(lm, projector=ProjectorConfig(hidden=256))
    batch = asr.collate(make_utterances())
    optimiser = torch.optim.AdamW(asr.trained().values(), lr=5e-3)

    accuracy = 0.0
    for _ in range(300):
        loss = asr.loss(batch)
        accuracy = float(loss.watched["correct"] / loss.watched["targets"])
        if accuracy == 1.0:
            break
        optimiser.zero_grad()
        (loss.total / batch.num_targets).backward()
        optimiser.step()

    assert accuracy == 1.0
