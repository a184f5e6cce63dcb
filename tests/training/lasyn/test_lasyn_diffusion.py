"""The diffusion synthesiser on made-up latents: what it learns, what it leaves alone, what decides what it makes."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training.backbones.encoders import Encoder
from training.data import text_member
from training.lasyn.autoencoder import AutoencoderConfig, Autoencoding
from training.lasyn.denoiser import Told, align
from training.lasyn.diffusing import AutoencoderMethod, DiffusionMethod, HearingConfig
from training.lasyn.diffusion import DiffusionSynthesiser, LatentDiffusion
from training.lasyn.dual import DualTraining
from training.lasyn.guides import guide_in
from training.lasyn.methods import DualTrainingMethod
from training.lasyn.phones import FIRST_PHONE, MASK, PhoneReader
from training.objective import Utterance
from training.positions import sinusoids
from training.recipe import parse_recipe

from ..conftest import fit
from .conftest import FRAMES_PER_PHONE, GUIDE, SPLIT, TOLD, UNTOLD, WIDTH, keep, spoken, written

AUTOENCODER = {"method": "lasyn_autoencoder", "split": SPLIT, "autoencoder": {"channels": 8, "hidden": 48, "stride": 4}}
DIFFUSION = {
    "method": "lasyn_diffusion", "denoiser": {"width": 32, "levels": 3}, "text_encoder": {"layers": 1, "dropout": 0.0},
    "unknown": "refuse", "diffusion": {"voice": True},
}  # fmt: skip
FEW = {"steps": 4}


@pytest.fixture(scope="module")
def autoencoder(encoder: Encoder) -> tuple[Autoencoding, list[float]]:
    objective = parse(AutoencoderMethod, AUTOENCODER, source="test").build(encoder, num_layers=1, seed=0)
    return objective, fit(objective, spoken(TOLD), steps=80)


@pytest.fixture(scope="module")
def table(autoencoder: Any, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = keep(tmp_path_factory.mktemp("codes"), autoencoder[0], encoder, AUTOENCODER)
    return DIFFUSION | {"autoencoder_from": folder}


@pytest.fixture(scope="module")
def build(table: dict[str, Any], encoder: Encoder) -> Callable[[], LatentDiffusion]:
    return lambda: parse(DiffusionMethod, table, source="test").build(encoder, num_layers=1, seed=0)


@pytest.fixture(scope="module")
def learned(build: Callable[[], LatentDiffusion]) -> tuple[LatentDiffusion, list[float]]:
    torch.manual_seed(0)
    objective = build()
    losses = fit(objective, spoken(TOLD), steps=150)
    objective.module.eval()
    return objective, losses


def made(synthesiser: Any, reader: PhoneReader, texts: list[str], *, seed: int, **more: Any) -> Any:
    torch.manual_seed(seed)
    batch = reader.batch(written(texts))
    with torch.no_grad():
        return synthesiser(batch["phones"], batch["num_phones"], **more)


def test_latents_are_made_small_and_found_again(autoencoder: tuple[Autoencoding, list[float]]) -> None:
    objective, losses = autoencoder

    assert losses[0] > 0.9
    assert losses[-1] < 0.3
    batch = objective.collate(spoken(UNTOLD))
    codes, numbers = objective.autoencoder.encode(batch.tensors["features"][:, -1], batch.tensors["lengths"])
    assert numbers.tolist() == [-(-length // 4) for length in batch.tensors["lengths"].tolist()]
    first = codes[0, : numbers[0]]
    torch.testing.assert_close(first.mean(dim=1), torch.zeros(len(first)), atol=1e-5, rtol=0)
    torch.testing.assert_close(first.var(dim=1, correction=0), torch.ones(len(first)), atol=1e-3, rtol=0)


def test_a_training_without_a_guide_goes_on_as_one_of_before(encoder: Encoder) -> None:
    """Its weights had these names before there were guides, and the hash of its start is of names too."""
    objective = parse(AutoencoderMethod, AUTOENCODER, source="test").build(encoder, num_layers=1, seed=0)

    assert {name.partition(".")[0] for name, _ in objective.module.named_parameters()} == {
        "norm", "enter", "shrink", "begin", "grow", "smooth", "out",
    }  # fmt: skip
    assert objective.trained().keys() == dict(objective.module.named_parameters()).keys()


def test_what_a_guide_hears_is_not_lost(encoder: Encoder, guide_folder: str) -> None:
    """With next to no room in a code it keeps what is heard, and loses more of all else."""
    small = {"method": "lasyn_autoencoder", "split": SPLIT, "autoencoder": {"channels": 4, "hidden": 24, "stride": 4}}
    asked = {"without": small, "with": small | {"hearing": {"guide_from": guide_folder, "weight": 0.5}}}
    guide = guide_in(guide_folder, encoder)
    lost: dict[str, list[float]] = {}
    for name, table in asked.items():
        objective = parse(AutoencoderMethod, table, source="test").build(encoder, num_layers=1, seed=0)
        before = {key: value.clone() for key, value in guide.module.state_dict().items()}
        fit(objective, spoken(TOLD), steps=200)
        batch = Autoencoding(objective.autoencoder, split=SPLIT, guide=guide).collate(spoken(TOLD, seed=3))
        with torch.no_grad():
            found = Autoencoding(objective.autoencoder, split=SPLIT, guide=guide).loss(batch)
        lost[name] = [float(found.watched[key]) / batch.num_targets for key in ("lost", "unheard")]
        assert float(found.total) == pytest.approx(sum(lost[name]) * batch.num_targets, rel=1e-4)
        assert all(torch.equal(value, before[key]) for key, value in guide.module.state_dict().items())

    assert lost["with"][1] < 0.5 * lost["without"][1]
    assert lost["with"][0] > lost["without"][0]


def test_a_guide_hears_the_layer_whose_latents_are_made_small(encoder: Encoder, guide_folder: str) -> None:
    config = AutoencoderMethod(split=SPLIT - 1, hearing=HearingConfig(guide_folder))

    with pytest.raises(TrainingError, match=f"hearing.guide_from: .* does not hear layer {SPLIT - 1}"):
        config.build(encoder, num_layers=1, seed=0)


def test_where_frames_stand_need_not_be_coded() -> None:
    place = sinusoids(torch.empty(1, 60, WIDTH))
    random = torch.Generator().manual_seed(0)
    standing = [0.3 * torch.randn(1, 60, WIDTH, generator=random) + 3 * place for _ in range(6)]
    takes = [
        Utterance(str(number), "tea", "tea", "en", is_synthetic=False, features=each)
        for number, each in enumerate(standing)
    ]
    config = {"channels": 2, "hidden": 16}

    losses = {
        positions: fit(
            Autoencoding(AutoencoderConfig(**config, positions=positions).build(width=WIDTH, seed=0), split=SPLIT),
            takes, steps=150,
        )[-1]
        for positions in (False, True)
    }  # fmt: skip

    assert losses[True] < 0.7 * losses[False]


@pytest.mark.parametrize("positions", [False, True])
def test_codes_and_latents_do_not_depend_on_the_batch(*, positions: bool) -> None:
    module = AutoencoderConfig(channels=8, hidden=16, positions=positions).build(width=WIDTH, seed=0)
    if module.places is not None:
        torch.nn.init.normal_(module.places.weight)
    latents = torch.randn(2, 30, WIDTH)

    codes, numbers = module.encode(latents, torch.tensor([30, 13]))
    alone, (number,) = module.encode(latents[1:, :13], torch.tensor([13]))

    torch.testing.assert_close(codes[1, :number], alone[0])
    torch.testing.assert_close(
        module.decode(codes, numbers)[0][1, : 4 * number], module.decode(alone, numbers[1:])[0][0]
    )


def test_it_learns_and_leaves_the_autoencoder_alone(build: Any, learned: tuple[LatentDiffusion, list[float]]) -> None:
    objective, losses = learned

    assert sum(losses[-20:]) < 0.8 * sum(losses[:20])
    fresh = build().module.autoencoder.state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in objective.module.autoencoder.state_dict().items())
    assert all(p.grad is None for p in objective.module.autoencoder.parameters())
    assert not any(name.startswith("autoencoder") for name in objective.trained())


def test_lengths_are_learned_from_whole_utterances(learned: Any, reader: PhoneReader) -> None:
    _, lengths = made(learned[0].module, reader, UNTOLD, seed=0)

    expected = reader.batch(written(UNTOLD))["num_phones"] * FRAMES_PER_PHONE
    torch.testing.assert_close(lengths.float(), expected.float(), rtol=0.25, atol=4)


def test_a_text_has_many_latents_and_a_seed_has_one(learned: Any, reader: PhoneReader) -> None:
    synthesiser = learned[0].module

    first, again, other = (made(synthesiser, reader, UNTOLD, seed=seed)[0] for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert float((first - other).abs().mean()) > 0.01


def test_the_voice_decides_too(learned: Any, reader: PhoneReader) -> None:
    voices = [torch.full((len(UNTOLD), WIDTH), 0.0), torch.randn(len(UNTOLD), WIDTH)]

    one, other = (made(learned[0].module, reader, UNTOLD, seed=1, voices=each)[0] for each in voices)

    assert not torch.equal(one, other)


def test_what_is_made_of_a_text_is_like_what_was_learned_of_it(learned: Any) -> None:
    """Of the same noise; each is nearer to what was learned of its text than to that of the others."""
    synthesiser = learned[0].module
    batch = learned[0].collate(spoken(TOLD))
    read, real = (batch.tensors["phones"], batch.tensors["num_phones"]), batch.tensors["features"][:, -1]
    torch.manual_seed(1)
    with torch.no_grad():
        latents, lengths = synthesiser(*read)

    means = torch.stack([row[:length].mean(dim=0) for row, length in zip(latents, lengths.tolist(), strict=True)])
    found = torch.cdist(means, real.sum(dim=1) / batch.tensors["lengths"][:, None]).argmin(dim=1)
    assert float((found == torch.arange(len(TOLD))).float().mean()) > 0.5


def test_an_utterance_is_denoised_alone_as_among_others(learned: Any, reader: PhoneReader) -> None:
    denoiser = learned[0].module.denoiser
    both, alone = reader.batch(written(["no tea please", "cake"])), reader.batch(written(["cake"]))
    codes, numbers, noise = torch.randn(2, 11, 8), torch.tensor([11, 5]), torch.tensor([0.1, -0.2])

    def run(texts: dict[str, torch.Tensor], rows: slice, length: int) -> torch.Tensor:
        told = denoiser.text(texts["phones"], texts["num_phones"])
        voices = denoiser.voice_states(None, torch.ones(len(told.states), dtype=torch.bool))
        found: torch.Tensor = denoiser(codes[rows, :length], noise[rows], numbers[rows], told, voices)
        return found

    with torch.no_grad():
        torch.testing.assert_close(
            run(both, slice(0, 2), 11)[1, :5], run(alone, slice(1, 2), 5)[0], atol=1e-5, rtol=1e-4
        )


def test_codes_belong_to_phones_by_their_durations() -> None:
    states = torch.arange(3.0)[None, :, None]
    told = Told(states, torch.tensor([[1.0, 3.0, 2.0]]), torch.ones(1, 3, dtype=torch.bool))

    assert align(told, torch.tensor([6]), 7)[0, :6, 0].tolist() == [0, 1, 1, 1, 2, 2]
    assert align(told, torch.tensor([12]), 12)[0, :, 0].tolist() == [0] * 2 + [1] * 6 + [2] * 4


def test_a_recogniser_hears_what_diffusion_makes(
    learned: Any, table: dict[str, Any], encoder: Encoder, guide_folder: str, tmp_path: Any
) -> None:
    folder = keep(tmp_path, learned[0], encoder, asdict(parse(DiffusionMethod, table, source="test")))
    settings = {"recogniser": GUIDE, "guide_from": guide_folder, "synthesiser_from": folder, "sampler": FEW}
    config = parse(DualTrainingMethod, settings | {"unknown": "refuse"}, source="test")

    objective: DualTraining = config.build(encoder, num_layers=1, seed=0)

    loaded: Any = objective.module["synthesiser"]
    assert isinstance(loaded, DiffusionSynthesiser)
    trained = learned[0].trained()
    assert all(torch.equal(value, trained[name]) for name, value in loaded.denoiser.named_parameters())
    losses = fit(objective, [*spoken(TOLD[:3]), *written(UNTOLD)], steps=2)
    assert all(0 < loss < float("inf") for loss in losses)


def test_phones_are_hidden_in_training_if_that_is_asked_for(table: dict[str, Any], encoder: Encoder) -> None:
    def lost(**settings: Any) -> float:
        config = parse(DiffusionMethod, table | settings, source="test")
        objective = config.build(encoder, num_layers=1, seed=0)
        batch = objective.collate(spoken(TOLD))
        seen: list[torch.Tensor] = []
        objective.module.denoiser.text.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        torch.manual_seed(0)
        objective.loss(batch)
        (phones,) = seen
        changed = phones != batch.tensors["phones"]
        assert bool((phones[changed] == MASK).all())
        return float(changed.sum() / (batch.tensors["phones"] >= FIRST_PHONE).sum())

    assert lost() == 0
    assert lost(mask=0.3) == pytest.approx(0.3, abs=0.05)


def test_a_recipe_of_before_masks_is_the_one_it_was() -> None:
    def definition(method: str, **objective: Any) -> str:
        table = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}
        return parse_recipe(table | {"objective": {"method": method, **objective}}, source="test").definition

    assert '"mask"' not in definition("lasyn_diffusion")
    assert '"mask":0.3' in definition("lasyn_diffusion", mask=0.3)
    assert '"mask":0.0' in definition("lasyn_fixed")


def test_texts_alone_teach_diffusion_nothing(learned: Any, encoder: Encoder, guide_folder: str) -> None:
    with pytest.raises(TrainingError, match="learns from speech"):
        learned[0].look_over([text_member("tea")])
    with pytest.raises(TrainingError, match="no features"):
        learned[0].collate(written(["tea"]))
    with pytest.raises(TrainingError, match="autoencoder_from is missing"):
        DiffusionMethod().build(encoder, num_layers=1, seed=0)
    with pytest.raises(TrainingError, match="expected 'lasyn_autoencoder'"):
        DiffusionMethod(autoencoder_from=guide_folder).build(encoder, num_layers=1, seed=0)


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (DiffusionMethod, {"denoiser": {"width": 30}}, "multiple of 4"),
        (DiffusionMethod, {"denoiser": {"attention": [4]}}, "must name levels"),
        (DiffusionMethod, {"diffusion": {"untold": 1.0}}, "untold"),
        (DiffusionMethod, {"mask": 1.0}, "objective.mask = 1.0"),
        (AutoencoderMethod, {"split": 1, "autoencoder": {"kernel": 2}}, "odd kernel"),
        (AutoencoderMethod, {}, "split is missing"),
        (AutoencoderMethod, {"split": 1, "hearing": {}}, "guide_from is missing"),
        (AutoencoderMethod, {"split": 1, "hearing": {"guide_from": "x", "weight": 0}}, "weight must be positive"),
    ],
)
def test_mistakes_are_named(kind: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(kind, wrong, source="recipe")
