"""Warm starts: slots come to lie at the embeddings of what is said, and a recogniser goes on from there."""

from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training.objective import Utterance
from training.padding import pad_features
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsrConfig
from training.warm_start import WarmStart, WarmStartConfig, adopt_projector, collapse

from .conftest import fit

TEXTS = ["pay my bill", "what is my balance", "stop", "a cup of tea and a cake"]


def build(lm: Any, texts: Any = TEXTS, **settings: Any) -> WarmStart:
    config = WarmStartConfig(projector=ProjectorConfig(hidden=96), **settings)
    return config.build(lm, texts, layers=1, width=12, seed=0)


def spoken(warm: WarmStart, texts: Any) -> list[Utterance]:
    """Utterances in which each token sounds alike wherever it is said: ten frames of it, five of silence."""
    generator = torch.Generator().manual_seed(1)
    sounds = torch.randn(512, 12, generator=generator)
    made = []
    for text in texts:
        frames = [sounds[t].expand(10, 12) for t in warm.template.answer(text)]
        signal = torch.cat([part for sound in frames for part in (sound, torch.zeros(5, 12))])
        noise = 0.1 * torch.randn(signal.shape, generator=generator)
        made.append(Utterance(f"take {text}", text, text, "en", is_synthetic=True, features=(signal + noise)[None]))
    return made


def test_speech_is_learned_as_the_nearest_text_embeddings(lm: Any, tokenizer: Any) -> None:
    warm = build(lm)
    utterances = spoken(warm, TEXTS)
    batch = warm.collate(utterances)

    losses = fit(warm, utterances, steps=150)

    watched = warm.loss(batch).watched
    assert losses[-1] < 0.2 < 2.0 < losses[0]
    assert watched["errors"] == 0
    assert watched["targets"] == batch.num_targets
    embeddings = lm.embedding.weight.detach()
    tensors = pad_features(utterances)
    slots = warm.module.projector(tensors["features"], tensors["lengths"]).detach()
    for row, utterance in zip(slots, utterances, strict=True):
        tokens = torch.tensor(warm.template.answer(utterance.text))
        nearest = torch.cdist(embeddings[tokens], row[: utterance.features.shape[1] // 5]).amin(1)
        apart = torch.cdist(embeddings[tokens], embeddings).topk(2, largest=False).values[:, 1]
        assert bool((nearest < apart / 2).all())


def test_the_loss_of_a_batch_is_the_sum_over_its_utterances(lm: Any, tokenizer: Any) -> None:
    warm = build(lm)
    utterances = spoken(warm, TEXTS)

    together = warm.loss(warm.collate(utterances))

    alone = [warm.loss(warm.collate([utterance])) for utterance in utterances]
    torch.testing.assert_close(together.total, torch.stack([loss.total for loss in alone]).sum())
    for name in ("errors", "targets", "left_out"):
        assert together.watched[name] == sum(loss.watched[name] for loss in alone)


def test_a_loss_is_that_of_all_paths_and_a_pull(lm: Any, tokenizer: Any) -> None:
    warm = build(lm, ["stop"], pull=0.25)
    (utterance,) = spoken(warm, ["stop"])
    log_probs, distances = warm.module(utterance.features[None], torch.tensor([utterance.features.shape[1]]))
    targets = list(range(1, log_probs.shape[-1]))
    wanted = warm._targets("stop", log_probs.shape[1])
    assert sorted(wanted or []) == targets

    likelihood = torch.zeros(())
    for path in torch.cartesian_prod(*[torch.arange(log_probs.shape[-1])] * log_probs.shape[1]).view(
        -1, log_probs.shape[1]
    ):
        if collapse(path.tolist()) == wanted:
            likelihood = likelihood + log_probs[0, torch.arange(len(path)), path].sum().exp()

    loss = warm.loss(warm.collate([utterance]))
    torch.testing.assert_close(loss.total, -likelihood.log() + 0.25 * distances.sum())


def test_what_cannot_be_learned_is_left_out_and_counted(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    warm = build(lm)
    good, *_ = spoken(warm, TEXTS)
    (fast,) = make_utterances(["what is my balance"], frames=[10])
    (unknown,) = make_utterances(["zebra"], frames=[100])

    batch = warm.collate([good, fast, unknown])
    loss = warm.loss(batch)
    loss.total.backward()

    torch.testing.assert_close(loss.total, warm.loss(warm.collate([good])).total)
    assert loss.watched["left_out"] == 2
    assert batch.num_targets == loss.watched["targets"] == len(warm.template.answer(good.text))
    assert all(bool(p.grad.isfinite().all()) for p in warm.trained().values() if p.grad is not None)


def test_less_than_a_slot_is_refused(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    with pytest.raises(TrainingError, match="3 frames are less than one slot of 5"):
        build(lm).collate(make_utterances(["stop"], frames=[3]))


def test_silence_is_learned_as_blanks(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    warm = build(lm)
    (silent,) = make_utterances([""], frames=[20])

    loss = warm.loss(warm.collate([silent]))

    log_probs, distances = warm.module(silent.features[None], torch.tensor([20]))
    torch.testing.assert_close(loss.total, -log_probs[..., 0].sum() + 0.1 * distances.sum())
    assert loss.watched["left_out"] == 0


def test_the_language_model_is_left_alone(lm: Any, tokenizer: Any) -> None:
    warm = build(lm)
    before = lm.embedding.weight.detach().clone()

    fit(warm, spoken(warm, TEXTS), steps=2, rate=0.1)

    assert torch.equal(lm.embedding.weight, before)
    assert {name.partition(".")[0] for name in warm.trained()} == {"projector", "blank", "log_sharpness"}


def test_a_recogniser_goes_on_from_a_warm_projector(lm: Any, tokenizer: Any) -> None:
    warm = build(lm)
    utterances = spoken(warm, TEXTS)
    fit(warm, utterances, steps=5, rate=1e-3)
    checkpoint = {name: parameter.detach().clone() for name, parameter in warm.trained().items()}
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=96)).build(lm, layers=1, width=12, seed=9)

    adopt_projector(asr.module.projector, checkpoint, source="here")

    tensors = asr.collate(utterances).tensors
    heard = (objective.module.projector(tensors["features"], tensors["lengths"]) for objective in (warm, asr))
    assert torch.equal(*heard)


def test_another_projector_is_not_adopted(lm: Any, tokenizer: Any) -> None:
    warm = build(lm)
    other = SlamAsrConfig(projector=ProjectorConfig(hidden=32)).build(lm, layers=1, width=12, seed=0)

    with pytest.raises(
        TrainingError, match=r"^here holds another projector: out.weight is \(64, 96\) there and \(64, 32\) here"
    ):
        adopt_projector(other.module.projector, warm.trained(), source="here")
    with pytest.raises(TrainingError, match=r"mix is \(1,\) there and absent here"):
        adopt_projector(other.module.projector, {"projector.mix": torch.zeros(1)}, source="here")
    with pytest.raises(TrainingError, match=r"^here holds no projector; name a training"):
        adopt_projector(other.module.projector, {"out.weight": torch.zeros(1)}, source="here")


def test_without_texts_every_token_is_told_apart(lm: Any, tokenizer: Any) -> None:
    warm = build(lm, None)
    (utterance,) = spoken(warm, ["zebra"])

    watched = warm.loss(warm.collate([utterance])).watched

    assert warm.module.embeddings.shape[0] == len(tokenizer)
    assert watched["left_out"] == 0


def test_texts_without_words_are_refused(lm: Any, tokenizer: Any) -> None:
    with pytest.raises(TrainingError, match="no words"):
        build(lm, ["", " "])


def test_a_configuration_survives_its_recipe_and_mistakes_are_named() -> None:
    config = replace(WarmStartConfig(), pull=0.5)

    assert parse(WarmStartConfig, asdict(config), source="checkpoint") == config
    with pytest.raises(RecipeError, match="sharpness"):
        parse(WarmStartConfig, {"sharpness": 0}, source="recipe")


@pytest.mark.parametrize(
    ("path", "said"), [([], []), ([0, 0], []), ([1, 1, 0, 1, 2, 2, 0], [1, 1, 2]), ([2, 0, 2], [2, 2])]
)
def test_a_path_says_its_labels_without_blanks_and_repeats(path: list[int], said: list[int]) -> None:
    assert collapse(path) == said
