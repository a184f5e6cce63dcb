"""Dual-modality training: real latents and made ones in one loss, texts first, and nothing else moves."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training import checkpoint
from training.backbones.encoders import Encoder
from training.ctc import CtcConfig
from training.curve import SPEED, rows_of
from training.data import text_member
from training.lasyn.dual import DualTraining
from training.lasyn.methods import DualTrainingMethod, FixedSynthesisMethod
from training.lasyn.phones import PhoneReader
from training.lasyn.recogniser import SplitRecogniser, guide
from training.loop import Loop, LoopConfig
from training.objective import Utterance
from training.optim import OptimConfig
from training.sampling import Draw, Epochs, SamplingConfig

from ..conftest import fit, make_member
from .conftest import FRAMES_PER_PHONE, GUIDE, SPLIT, TOLD, UNTOLD, keep, places, spoken, written

SMALL = {"filters": 48, "layers": 2, "kernel": 3}
FIXED = {"method": "lasyn_fixed", "synthesiser": {**SMALL, "frames_per_phone": 4}, "unknown": "refuse"}


@pytest.fixture(scope="module")
def synthesiser_folder(encoder: Encoder, guide_folder: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    table = FIXED | {"guide_from": guide_folder}
    objective = parse(FixedSynthesisMethod, table, source="test").build(encoder, num_layers=1, seed=0)
    fit(objective, written(TOLD), steps=40)
    return keep(tmp_path_factory.mktemp("fixed"), objective, encoder, table)


@pytest.fixture
def build(encoder: Encoder, guide_folder: str, synthesiser_folder: str) -> Any:
    def make(**settings: Any) -> DualTraining:
        table = {"recogniser": GUIDE, "guide_from": guide_folder, "synthesiser_from": synthesiser_folder}
        config = parse(DualTrainingMethod, table | {"unknown": "refuse"} | settings, source="test")
        return config.build(encoder, num_layers=1, seed=0)

    return make


def test_the_loss_of_both_is_the_sum_of_either(build: Any) -> None:
    objective = build(mask=0.0)
    real, texts = spoken(TOLD[:3]), written(UNTOLD[:4])

    both = objective.loss(objective.collate([texts[0], *real, *texts[1:]]))
    apart = [objective.loss(objective.collate(part)) for part in (real, texts)]

    torch.testing.assert_close(both.total, apart[0].total + apart[1].total, rtol=1e-4, atol=1e-3)
    assert [int(found.watched["made"]) for found in (both, *apart)] == [4, 0, 4]
    assert all(found.watched.keys() == both.watched.keys() for found in apart)


def test_only_the_upper_part_moves(build: Any, encoder: Encoder) -> None:
    objective = build()
    frozen = objective.module["synthesiser"]
    before = {name: value.clone() for name, value in frozen.state_dict().items()}

    fit(objective, [*spoken(TOLD[:4]), *written(UNTOLD)], steps=2)

    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())
    assert all(p.grad is None for p in (*frozen.parameters(), *encoder.module.parameters()))
    assert {name.partition(".")[0] for name in objective.trained()} == {"upper", "norm", "out"}
    assert all(p.grad is not None for p in objective.trained().values())


def test_it_begins_where_the_guide_is(build: Any, reading: Any) -> None:
    objective, fresh = build(), build(guide_from=None)
    utterances = spoken(TOLD)

    expected = reading.loss(reading.collate(utterances)).total
    torch.testing.assert_close(objective.loss(objective.collate(utterances)).total, expected)
    assert float(fresh.loss(fresh.collate(utterances)).total) > 2 * float(expected)


def test_phones_are_masked_anew_each_time(build: Any) -> None:
    objective = build(mask=0.3)
    batch = objective.collate(written(TOLD))

    losses = {float(objective.loss(batch).total) for _ in range(2)}

    assert len(losses) == 2
    whole = build(mask=0.0)
    assert float(whole.loss(batch).total) < min(losses)


def test_texts_that_ctc_has_no_room_for_are_refused_or_counted(
    build: Any, encoder: Encoder, guide_folder: str, tmp_path: Path
) -> None:
    texts = [text_member(text) for text in ("tea", "coffee please", "large cake", "no")]
    table = FIXED | {"guide_from": guide_folder, "synthesiser": SMALL | {"frames_per_phone": 1}}
    synthesis = parse(FixedSynthesisMethod, table, source="test").build(encoder, num_layers=1, seed=0)
    narrow = build(synthesiser_from=keep(tmp_path, synthesis, encoder, table))

    with pytest.raises(TrainingError, match=r"3 of 4 texts teach nothing.*synthesiser.frames_per_phone = 2$"):
        narrow.look_over(texts)
    assert "; 1 of 2 texts teach nothing" in narrow.look_over(texts[2:])
    assert build().look_over(texts) == "4 texts, 0 words of which are in no dictionary"


def test_speech_alone_needs_nobody_to_make_latents(build: Any) -> None:
    objective, with_one = build(synthesiser_from=None), build()
    utterances = spoken(TOLD)

    found = objective.loss(objective.collate(utterances))

    torch.testing.assert_close(found.total, with_one.loss(with_one.collate(utterances)).total)
    assert objective.look_over([make_member(0)]) == ""
    with pytest.raises(TrainingError, match="who is to make latents of texts"):
        objective.look_over([make_member(0), text_member("tea")])


MEMBERS = [
    *(make_member(n, is_synthetic=False, duration_s=1.0) for n in range(12)),
    *(text_member(text) for text in sorted(set(TOLD))[:12]),
]


def load(draws: Sequence[Draw]) -> list[Utterance]:
    found = []
    for draw in draws:
        member = draw.member
        (one,) = spoken([TOLD[int(member.take_id[-2:])]]) if member.place is not None else written([member.text])
        found.append(one)
    return found


def train(folder: Path, objective: DualTraining, *, lives: int = 10**6) -> dict[str, torch.Tensor]:
    config = LoopConfig(epochs=3, threads=1, log_every=1, save_every=2)
    sampling = SamplingConfig(batch_s=6.0, buckets=1, texts=(1.0, 0.5, 0.5), size=16)
    epochs = Epochs(MEMBERS, sampling, seed=0, epochs=3)
    steps, _ = epochs.schedule(1)

    def dying(draws: Sequence[Draw]) -> list[Utterance]:
        nonlocal lives
        lives -= 1
        if lives < 0:
            raise KeyboardInterrupt
        return load(draws)

    Loop(objective, epochs, dying, config=config, optim=OptimConfig(rate=1e-3), folder=folder).run(
        {}, total_steps=steps
    )
    return checkpoint.load(folder).trained()


def curve(folder: Path) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in SPEED} for row in rows_of(folder)]


def test_texts_come_first_and_training_goes_on_where_it_was_killed(build: Any, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", build())

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", build(), lives=5)
    resumed = train(tmp_path / "killed", build())

    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_the_curriculum_is_the_text_then_both() -> None:
    sampling = SamplingConfig(texts=(1.0, 1.0, 0.5), size=8)

    assert [sampling.texts_at(epoch, of=5) for epoch in range(5)] == [1.0, 1.0, 1.0, 0.75, 0.5]
    plans = [Epochs(MEMBERS, sampling, seed=0, epochs=3).plan(epoch) for epoch in range(3)]
    assert [sum(draw.member.place is None for draw in plan) for plan in plans] == [8, 8, 4]


def test_texts_have_a_share_of_all_and_real_speech_one_of_what_is_heard() -> None:
    spoken_ones = [make_member(n, is_synthetic=n % 2 > 0) for n in range(8)]
    members = [*spoken_ones, *MEMBERS[-4:]]

    def counts(**shares: Any) -> list[int]:
        plan = Epochs(members, SamplingConfig(size=20, **shares), seed=0, epochs=1).plan(0)
        read = sum(draw.member.place is None for draw in plan)
        real = sum(not draw.member.is_synthetic for draw in plan)
        return [real, len(plan) - real - read, read]

    assert counts(texts=(0.5,), real=(0.8,)) == [8, 2, 10]
    assert counts(texts=(0.2,)) == [8, 8, 4]
    assert counts(texts=(0.0,), real=(1.0,)) == [20, 0, 0]
    with pytest.raises(TrainingError, match="texts alone, and the data have none"):
        Epochs(spoken_ones, SamplingConfig(texts=(0.5,)), seed=0, epochs=1)
    with pytest.raises(ValueError, match=r"sampling.texts are shares"):
        SamplingConfig(texts=())


def test_texts_need_a_synthesiser(build: Any) -> None:
    with pytest.raises(TrainingError, match="synthesiser_from is missing"):
        build(synthesiser_from=None).collate(written(TOLD))


def test_a_guide_or_a_synthesiser_that_does_not_suit_is_refused(build: Any, guide_folder: str) -> None:
    with pytest.raises(TrainingError, match="makes no synthesiser"):
        build(synthesiser_from=guide_folder)
    with pytest.raises(TrainingError, match=f"the guide has split {SPLIT}"):
        build(recogniser={"method": "ctc", "split": 1})
    with pytest.raises(TrainingError, match=f"latents of layer {SPLIT}"):
        build(recogniser={"method": "ctc", "split": 1}, guide_from=None)


def test_a_table_survives_its_recipe_and_mistakes_are_named() -> None:
    config = parse(DualTrainingMethod, {"recogniser": {"split": 2}}, source="test")

    assert parse(DualTrainingMethod, asdict(config), source="checkpoint") == config
    with pytest.raises(RecipeError, match=r"recogniser.split is missing"):
        parse(DualTrainingMethod, {"recogniser": {}}, source="test")


class Oracle(nn.Module):
    """Makes latents as speech has them, or noise of their size."""

    def __init__(self, *, noise: bool) -> None:
        super().__init__()
        self._noise = noise

    def forward(self, phones: torch.Tensor, num_phones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latents = places()[phones].repeat_interleave(FRAMES_PER_PHONE, dim=1)
        lengths = num_phones * FRAMES_PER_PHONE
        return torch.randn_like(latents) if self._noise else latents, lengths


def test_words_that_were_only_read_are_heard_and_noise_in_their_place_does_not_help(
    encoder: Encoder, guide_folder: str, reader: PhoneReader
) -> None:
    new = ["lake knees key", "key lake", "knees lake key"]

    def lost(noise: bool) -> tuple[float, float]:
        recogniser = SplitRecogniser(encoder, CtcConfig(split=SPLIT).build(encoder, num_layers=1, seed=0))
        recogniser.begin_as(guide(guide_folder, encoder))
        objective = DualTraining(recogniser, Oracle(noise=noise), reader, 0.0)
        batch = objective.collate(spoken(new, seed=3))
        before = float(objective.loss(batch).total) / batch.num_targets
        fit(objective, [*spoken(TOLD[:6]), *written(new)], steps=40)
        return before, float(objective.loss(batch).total) / batch.num_targets

    (before, after), (_, with_noise) = lost(noise=False), lost(noise=True)

    assert after < 0.5 * before
    assert after < 0.5 * with_noise
