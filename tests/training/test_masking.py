"""SpecAugment: blocks of what is heard are hidden in training, within each utterance, and nowhere else."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.errors import RecipeError
from tests.training.test_whisper_asr import said
from tests.training.test_whisper_asr import tiny as tiny_whisper
from tests.training.test_whisper_decoder import tiny as tiny_decoding
from training import checkpoint
from training.backbones.causal_lm import LanguageModel
from training.backbones.encoders import TinyEncoderConfig
from training.ctc import Ctc, CtcConfig
from training.curve import SPEED, rows_of
from training.lasyn.dual import DualTraining
from training.lasyn.phones import PhoneReader
from training.lasyn.recogniser import SplitRecogniser, guide
from training.loop import Loop, LoopConfig
from training.masking import MaskingConfig, blocks, hears_of, masked
from training.members import Member
from training.modes import at_rest, begin_training
from training.objective import Batch, Loss, Objective, Utterance
from training.optim import OptimConfig
from training.penalty import PenaltyConfig
from training.projectors import ProjectorConfig
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw, Epochs, SamplingConfig
from training.slam_asr import SlamAsr, SlamAsrConfig
from training.starting import meaning_of
from training.tables import OnFeatures

from .conftest import MakeUtterances, drawn_utterances, train_on

TABLE = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}
HEARD = MaskingConfig(longest=0.4, widest=0.4)


def recipe(method: str = "ctc", *, data: Sequence[Any] = TABLE["data"], **objective: Any) -> TrainRecipe:  # type: ignore[assignment]  # a list of tables
    return parse_recipe(TABLE | {"data": data, "objective": {"method": method, **objective}}, source="test")


@pytest.fixture
def slam_asr(lm: LanguageModel) -> SlamAsr:
    return SlamAsrConfig(projector=ProjectorConfig(hidden=16)).build(lm, layers=1, width=12, seed=0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=5), st.integers(0, 4), st.floats(0.01, 1.0), st.integers(0, 2**31))
def test_blocks_lie_within_their_row_and_are_of_a_share_at_most(
    sizes: list[int], count: int, share: float, seed: int
) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = blocks(torch.tensor(sizes, dtype=torch.long), 40, count=count, share=share)

    assert found.shape == (len(sizes), 40)
    for row, size in zip(found.int(), sizes, strict=True):
        begun = (row.diff(prepend=torch.zeros(1, dtype=torch.int)) == 1).sum()
        assert not row[size:].any()
        assert row.sum() <= count * int(share * size + 1e-9)
        assert begun <= count


def test_every_length_and_every_place_is_as_likely_as_the_paper_has_it() -> None:
    torch.manual_seed(0)
    found = blocks(torch.full((40_000,), 10), 10, count=1, share=0.5)

    lengths = found.sum(dim=1).bincount(minlength=6) / len(found)
    of_three = found[found.sum(dim=1) == 3].int().argmax(dim=1).bincount(minlength=8)
    assert lengths.tolist() == pytest.approx([1 / 6] * 6, abs=0.01)  # uniform from 0 to half of 10
    assert (of_three / of_three.sum()).tolist() == pytest.approx([1 / 8] * 8, abs=0.02)


@pytest.mark.parametrize("layers", [None, 1, 3])
def test_what_is_hidden_is_the_mean_of_its_utterance_in_whole_frames_and_channels(layers: int | None) -> None:
    torch.manual_seed(1)
    shape = (4, 50, 16) if layers is None else (4, layers, 50, 16)
    frames, lengths = torch.randn(shape) + 5, torch.tensor([50, 30, 20, 1])
    padded = frames.clone()
    for row, length in zip(padded, lengths.tolist(), strict=True):
        row[..., length:, :] = float("nan")

    found = masked(padded, lengths, HEARD)

    some = 0
    for row, before, length in zip(found, frames, lengths.tolist(), strict=True):
        assert row[..., length:, :].isnan().all()
        row, before = (each[..., :length, :].reshape(-1, length, 16) for each in (row, before))
        changed = row != before
        mean = before.mean(dim=1, keepdim=True).expand_as(row)
        torch.testing.assert_close(row[changed], mean[changed])
        assert (changed == changed[:1]).all()  # every layer hides the same
        in_time, in_channels = changed[0].all(dim=1), changed[0].all(dim=0)
        assert torch.equal(changed[0], in_time[:, None] | in_channels)
        some += int(in_time.any()) + int(in_channels.any())
    assert some


class Hearing:
    """An objective that keeps what it hears."""

    def __init__(self) -> None:
        self.module = torch.nn.Linear(2, 2)
        self.heard: list[Batch] = []

    def trained(self) -> dict[str, torch.nn.Parameter]:
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        return Batch({}, len(utterances))

    def loss(self, batch: Batch) -> Loss:
        self.heard.append(batch)
        return Loss(self.module.weight.sum())


def test_nothing_is_hidden_at_rest_nor_drawn_for_it() -> None:
    objective = Hearing()
    around = HEARD.around(objective, hears_of(recipe("slu").objective))
    batch = Batch({"features": torch.randn(3, 1, 40, 8), "lengths": torch.tensor([40, 30, 20])}, 3)
    before = torch.get_rng_state()

    with at_rest(around.module):
        around.loss(batch)

    assert torch.equal(torch.get_rng_state(), before)
    around.loss(batch)
    at_first, then = (each.tensors["features"] for each in objective.heard)
    assert at_first is batch.tensors["features"]
    assert not torch.equal(then, at_first)
    assert torch.equal(objective.heard[1].tensors["lengths"], batch.tensors["lengths"])


def test_a_batch_of_which_nothing_is_heard_is_left_alone() -> None:
    objective = Hearing()
    batch = Batch({"labels": torch.ones(2)}, 2)

    HEARD.around(objective, hears_of(recipe("slu").objective)).loss(batch)

    assert objective.heard == [batch]


SMALL = {"language_model": {"name": "tiny"}, "projector": {"hidden": 16}}
METHODS: dict[str, dict[str, Any]] = {
    "ctc": {}, "slu": {}, "slam_asr": SMALL, "jstip": SMALL, "warm_start": SMALL,
    "lasyn": {"recogniser": {"split": 1}}, "whisper": {}, "whisper_decoder": {}, "transducer": {},
}  # fmt: skip


def asking(method: str) -> TrainRecipe:
    """The recipe of a small one that hears less."""
    table: dict[str, Any] = {"name": "x", "data": TABLE["data"], "mixture": {}, "encoder": {"name": "tiny"}}
    table["objective"] = {"method": method, **METHODS[method], "masking": {"longest": 0.4, "widest": 0.4}}
    left_out = {"mixture"} if method != "jstip" else set()
    left_out |= {"encoder"} if method == "whisper" else set()
    return parse_recipe({key: value for key, value in table.items() if key not in left_out}, source="test")


def made_by(recipe: TrainRecipe) -> Objective:
    """The objective of a recipe on the tiny encoder."""
    if recipe.objective.method == "whisper":
        return tiny_whisper()
    if recipe.objective.method == "whisper_decoder":
        return tiny_decoding()
    encoder = TinyEncoderConfig().build()
    if recipe.objective.method == "lasyn":
        pytest.importorskip("pocketsphinx")
        head = CtcConfig(split=1).build(encoder, num_layers=1, seed=0)
        return DualTraining(SplitRecogniser(encoder, head), None, PhoneReader("refuse"), 0.3)
    assert isinstance(recipe.objective, OnFeatures)
    return recipe.objective.build(encoder, num_layers=1, seed=0)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_hears_less_in_training_and_all_at_rest(method: str, make_utterances: MakeUtterances) -> None:
    asked = asking(method)
    objective = made_by(asked)
    around = asked.around(objective)
    utterances = [said("tea"), said("coffee", 1.5)] if method == "whisper" else make_utterances(width=32)
    batch = around.collate(utterances)
    begin_training(around.module)
    for part in around.module.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0

    losses = {float(around.loss(batch).total.detach()) for _ in range(3)}
    around.loss(batch).total.backward()  # type: ignore[no-untyped-call]  # torch
    with at_rest(around.module):
        all_heard = [float(each.loss(batch).total.detach()) for each in (around, objective)]

    assert len(losses) == 3
    assert all_heard[0] == all_heard[1]
    assert around.trained().keys() == objective.trained().keys()
    assert any(p.grad is not None and p.grad.any() for p in around.trained().values())


def test_only_what_is_said_is_hidden_in_a_window() -> None:
    asr = tiny_whisper()
    batch = asr.collate([said("tea", 0.5), said("coffee", 1.5)])
    heard: list[torch.Tensor] = []
    asr.module.train().register_forward_pre_hook(
        lambda _, __, given: heard.append(given["input_features"]), with_kwargs=True
    )

    torch.manual_seed(0)
    asking("whisper").around(asr).loss(batch)

    changed = heard[0] != batch.tensors["windows"]  # (B, bands, mel frames)
    assert batch.tensors["lengths"].tolist() == [50, 150]
    assert not changed[0, :, 50:].any()
    assert not changed[1, :, 150:].any()
    assert changed[:, :, :50].any(dim=(1, 2)).all()
    whole_bands = changed[1, :, :150].all(dim=1)
    whole_frames = changed[1].all(dim=0)
    assert 0 < whole_bands.sum() <= 2 * 8  # of 20
    assert 0 < whole_frames.sum() <= 2 * 60  # of 150


def test_a_penalty_is_on_what_is_left_to_hear(slam_asr: SlamAsr, make_utterances: MakeUtterances) -> None:
    penalised = PenaltyConfig().around(slam_asr)
    both = HEARD.around(penalised, hears_of(recipe("slam_asr").objective))
    utterances = [
        *make_utterances(width=12),
        *(Utterance(**{**_fields(u), "is_synthetic": False}) for u in make_utterances(width=12, seed=1)),
    ]
    batch = both.collate(utterances)
    slam_asr.module.train()

    penalties = {float(both.loss(batch).watched["penalty"]) for _ in range(2)}

    assert len(penalties) == 2
    assert float(penalised.loss(batch).watched["penalty"]) not in penalties


def _fields(utterance: Utterance) -> dict[str, Any]:
    return {name: getattr(utterance, name) for name in Utterance.__slots__}


@pytest.mark.parametrize("after", [3, 10])
def test_a_killed_training_goes_on_with_the_same_curve_bit_by_bit(
    tmp_path: Path, members: list[Member], new_ctc: Callable[[], Ctc], after: int
) -> None:
    def train(name: str, *, dies: bool = False, masking: MaskingConfig | None = HEARD) -> dict[str, torch.Tensor]:
        left = after if dies else 1000
        objective: Any = new_ctc()
        if masking is not None:
            objective = masking.around(objective, hears_of(recipe().objective))

        def load(draws: Sequence[Draw]) -> list[Utterance]:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return drawn_utterances(draws)

        config = LoopConfig(epochs=2, threads=1, log_every=2, save_every=4)
        epochs = Epochs(members, SamplingConfig(batch_s=12.0), seed=0, epochs=2)
        loop = Loop(objective, epochs, load, config=config, optim=OptimConfig(rate=0.02), folder=tmp_path / name)
        loop.run({}, total_steps=12)
        return checkpoint.load(tmp_path / name).trained()

    whole, plain = train("whole"), train("plain", masking=None)
    with pytest.raises(KeyboardInterrupt):
        train("killed", dies=True)
    resumed = train("killed")

    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert not torch.equal(whole["out.weight"], plain["out.weight"])
    losses = [
        [{key: value for key, value in row.items() if key not in SPEED} for row in rows_of(tmp_path / name)]
        for name in ("whole", "killed")
    ]
    assert losses[0] == losses[1]


def test_a_recipe_asks_for_it_beside_its_method() -> None:
    asked = recipe(masking={"times": 1, "longest": 0.2})

    assert asked.masking == MaskingConfig(times=1, longest=0.2)
    assert recipe().masking is None
    assert '"masking"' not in recipe().definition
    assert asked.id != recipe().id
    assert parse_recipe(asked.table(), source="stored").id == asked.id
    assert meaning_of(asked.table()) == meaning_of(recipe().table())  # so that another may start from it


@pytest.mark.parametrize(
    ("method", "objective", "message"),
    [
        ("lasyn_fixed", {}, "lasyn_fixed learns from texts, or to make what is heard: leave it out"),
        ("lasyn_autoencoder", {"split": 1}, "lasyn_autoencoder learns from texts"),
        ("lasyn_diffusion", {}, "lasyn_diffusion learns from texts"),
        ("ctc", {"masking": {"times": 0, "channels": 0}}, "nor both 0"),
        ("ctc", {"masking": {"longest": 0}}, r"masking.longest = 0.0: expected a share above 0"),
        ("ctc", {"masking": {"widest": 1.5}}, r"masking.widest = 1.5"),
        ("ctc", {"masking": {"time": 2}}, "did you mean 'times'"),
    ],
)
def test_what_cannot_be_hidden_is_refused_in_the_recipe(method: str, objective: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(method, **({"masking": {}} | objective))


def test_texts_alone_have_nothing_to_hide() -> None:
    with pytest.raises(RecipeError, match="data has texts alone"):
        recipe("lasyn", data=[{"texts": "menus.txt"}], recogniser={"split": 1}, masking={})


def test_a_command_trains_so_and_what_it_made_can_be_a_guide(
    produce: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[MaskingConfig] = []

    def noted(frames: torch.Tensor, _: torch.Tensor, config: MaskingConfig) -> torch.Tensor:
        drawn.append(config)
        return frames

    monkeypatch.setattr("training.masking.masked", noted)
    corpus = produce(tmp_path, "told", prompts=["good morning", "pay my bill"], speakers=["anna"])
    objective = {"method": "ctc", "split": 1, "masking": {"times": 3}}

    folder = train_on("told", tmp_path, corpus, "small", objective, layer=1)

    assert drawn == [MaskingConfig(times=3)]
    assert guide(str(folder), TinyEncoderConfig().build()).split == 1
