"""The fixed projection: learns from texts alone to make latents that a frozen guide reads, those of new texts too."""

from dataclasses import asdict, replace
from typing import Any

import jiwer
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import ctc_loss

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.g2p import BOUNDARY, Unknown
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.ctc import Ctc, CtcConfig, frames_needed
from training.data import text_member
from training.lasyn.fixed import FixedProjectionConfig
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.methods import FixedSynthesisMethod
from training.lasyn.phones import FIRST_PHONE, MASK, NUMBERS, PADDING, PhoneReader, masked
from training.lasyn.recogniser import guide
from training.objective import Utterance
from training.positions import sinusoids

from ..conftest import fit
from .conftest import GUIDE, SPLIT, TOLD, UNTOLD, WIDTH, heard_in, keep, written

SMALL = {"filters": 48, "layers": 4, "kernel": 5, "frames_per_phone": 4}


def synthesis(encoder: Encoder, guide_folder: str, **settings: Any) -> GuidedSynthesis:
    table = {"guide_from": guide_folder, "synthesiser": SMALL, "unknown": "refuse"} | settings
    return parse(FixedSynthesisMethod, table, source="objective").build(encoder, num_layers=1, seed=3)


def loss_of(objective: GuidedSynthesis, texts: list[str]) -> float:
    batch = objective.collate(written(texts))
    with torch.no_grad():
        return float(objective.loss(batch).total) / batch.num_targets


@pytest.fixture(scope="module")
def learned(encoder: Encoder, guide_folder: str) -> tuple[GuidedSynthesis, float]:
    """A synthesiser that has learned from texts, and what it lost on others before."""
    objective = synthesis(encoder, guide_folder)
    before = loss_of(objective, UNTOLD)
    fit(objective, written(TOLD), steps=120)
    return objective, before


def test_texts_alone_teach_it_to_make_latents_of_new_texts(learned: tuple[GuidedSynthesis, float]) -> None:
    objective, before = learned

    assert loss_of(objective, UNTOLD) < 0.3 * before


def test_the_guide_reads_what_it_makes_of_new_texts(
    learned: tuple[GuidedSynthesis, float], encoder: Encoder, guide_folder: str
) -> None:
    objective, _ = learned
    untaught = synthesis(encoder, guide_folder)

    said = heard_in(objective, UNTOLD)

    assert not set(UNTOLD) & set(TOLD)
    assert jiwer.wer(UNTOLD, said) <= 0.25
    assert jiwer.wer(UNTOLD, heard_in(untaught, UNTOLD)) >= 0.9


def test_the_guide_is_left_exactly_as_it_was(encoder: Encoder, guide_folder: str) -> None:
    objective = synthesis(encoder, guide_folder)
    before = {name: value.clone() for name, value in objective.module["guide"].state_dict().items()}

    fit(objective, written(TOLD), steps=3)

    after = objective.module["guide"].state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(p.grad is None for p in objective.module["guide"].parameters())
    assert all(p.grad is None for p in encoder.module.parameters())
    assert all(p.grad is not None for p in objective.trained().values())


def test_a_text_has_one_latent_sequence_whatever_its_batch(encoder: Encoder, reader: PhoneReader) -> None:
    synthesiser = parse(FixedProjectionConfig, SMALL, source="test").build(width=WIDTH, seed=0)
    texts = reader.batch(written(["no tea please", "cake"]))
    alone = reader.batch(written(["cake"]))

    latents, lengths = synthesiser(texts["phones"], texts["num_phones"])
    again, (length,) = synthesiser(alone["phones"], alone["num_phones"])

    assert lengths.tolist() == [4 * len(["N", "OW", "|", "T", "IY", "|", "P", "L", "IY", "Z"]), 4 * 3]
    torch.testing.assert_close(latents[1, :length], again[0])
    assert bool((latents[1, length:] == 0).all())


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_latents_are_those_of_plain_convolutions_over_each_text(reader: PhoneReader, kernel: int) -> None:
    config = parse(FixedProjectionConfig, SMALL | {"kernel": kernel}, source="test")
    synthesiser = config.build(width=WIDTH, seed=0)
    texts = ["no tea please", "cake", "a cup of tea and a cake"]
    read = reader.batch(written(texts))

    latents, lengths = synthesiser(read["phones"], read["num_phones"])

    for row, length, phones, number in zip(latents, lengths, read["phones"], read["num_phones"], strict=True):
        frames = synthesiser.embedding(phones[:number]).repeat_interleave(4, dim=0)
        for learned, norm in zip(synthesiser.layers, synthesiser.norms, strict=True):
            padded = torch.nn.functional.conv1d(frames.T, learned.weight, learned.bias, padding=kernel // 2)
            frames = norm(padded.T.relu())
        wanted = synthesiser.out(frames)
        assert torch.allclose(row[:length], wanted + sinusoids(wanted[None]), atol=1e-5)
        assert not row[length:].any()


def test_positions_are_those_of_whisper(encoder: Encoder) -> None:
    found = sinusoids(torch.zeros(1, 100, WIDTH))

    torch.testing.assert_close(found, encoder.module.embed_positions.weight, atol=1e-5, rtol=1e-4)


def test_phones_are_masked_at_the_share_and_nothing_else(reader: PhoneReader) -> None:
    phones = reader.batch(written(TOLD * 20))["phones"]
    torch.manual_seed(0)

    hidden = masked(phones, 0.3)

    changed = hidden != phones
    is_phone = phones >= FIRST_PHONE
    assert bool((hidden[changed] == MASK).all())
    assert not bool((changed & ~is_phone).any())
    assert float(changed.sum() / is_phone.sum()) == pytest.approx(0.3, abs=0.02)
    assert min(NUMBERS.values()) == NUMBERS[BOUNDARY] == FIRST_PHONE - 1 > MASK > PADDING
    assert masked(phones, 0.0) is phones


@pytest.mark.parametrize("text", ["tea at 9", "blorptastic tea", "?!"])
def test_a_text_without_pronunciation_is_refused_before_training(reader: PhoneReader, text: str) -> None:
    with pytest.raises(TrainingError, match="1 of 2 texts have no pronunciation"):
        reader.look_over([text_member("one tea"), text_member(text)])
    with pytest.raises(TrainingError, match="write texts as they are said"):
        reader.batch(written([text]))


def test_texts_of_another_language_are_refused(reader: PhoneReader) -> None:
    english, german = text_member("tea", "en-GB"), text_member("ein bier bitte", "de")
    message = "1 of 2 texts are not in English, the first 'ein bier bitte' in 'de': .*English alone .G2P."

    assert reader.look_over([english]).startswith("1 texts")
    with pytest.raises(TrainingError, match=message):
        reader.look_over([english, german])
    with pytest.raises(TrainingError, match=message):
        reader.batch([Utterance.unheard(member) for member in (english, german)])


@pytest.mark.parametrize(("unknown", "others"), [("refuse", '"read" or "spell"'), ("read", '"spell"')])
def test_the_other_ways_with_a_word_are_named(unknown: Unknown, others: str) -> None:
    with pytest.raises(TrainingError, match=f"or set objective.unknown to {others}$"):
        PhoneReader(unknown).read(["tea " + "blorp" * 10])


def test_unknown_words_are_counted() -> None:
    reader = PhoneReader("spell")

    assert (
        reader.look_over([text_member("one xqv"), text_member("xqv tea")])
        == "2 texts, 2 words of which are in no dictionary, such as xqv"
    )
    assert reader.batch(written(["one xqv", "tea"]))["num_guessed"].tolist() == [1, 0]


def test_texts_that_ctc_has_no_room_for_are_refused_or_counted(encoder: Encoder, guide_folder: str) -> None:
    texts = [text_member(text) for text in ("tea", "coffee please", "large cake", "no")]
    narrow, wide = (
        synthesis(encoder, guide_folder, synthesiser=SMALL | {"frames_per_phone": number}) for number in (1, 2)
    )

    assert wide.look_over(texts) == "4 texts, 0 words of which are in no dictionary"
    with pytest.raises(TrainingError, match=r"3 of 4 texts teach nothing.*synthesiser.frames_per_phone = 2$"):
        narrow.look_over(texts)
    assert ", 0 words of which are in no dictionary; 1 of 2 texts teach nothing" in narrow.look_over(texts[2:])


@given(st.lists(st.text("ab ", max_size=6), min_size=1, max_size=5))
def test_frames_that_a_text_needs_are_those_that_ctc_has_a_path_for(texts: list[str]) -> None:
    head = Ctc(8, CtcConfig(alphabet="ab "))
    targets = head.targets(written(texts))

    needed = frames_needed(targets)

    for number, length in zip(needed.tolist(), targets["num_targets"].tolist(), strict=True):
        assert number >= length
    for frames, is_enough in ((needed, True), (needed - 1, False)):
        lengths = frames.clamp(min=0)
        log_probs = torch.zeros(int(needed.max()) + 1, len(texts), 4).log_softmax(-1)
        lost = ctc_loss(log_probs, targets["targets"], lengths, targets["num_targets"], reduction="none")
        assert (lost.isfinite() == is_enough)[needed > 0].all()


def test_what_the_guide_cannot_write_is_refused_before_training(encoder: Encoder, tmp_path: Any) -> None:
    table = GUIDE | {"alphabet": " aet"}
    head = parse(CtcConfig, table, source="test").build(encoder, num_layers=1, seed=0)
    objective = synthesis(encoder, keep(tmp_path, head, encoder, table))

    assert objective.look_over([text_member("tea")]).startswith("1 texts")
    with pytest.raises(TrainingError, match=r"its text has 'k', which ctc.alphabet lacks: 'take tea'"):
        objective.look_over([text_member("tea"), text_member("take tea")])


def test_a_guide_needs_a_split_and_the_same_encoder(reading: Any, encoder: Encoder, tmp_path: Any) -> None:
    headless = keep(tmp_path / "a", reading, encoder, {"method": "ctc", "split": None})
    listener = keep(tmp_path / "b", reading, encoder, {"method": "slam_asr"})
    other = TinyEncoderConfig(width=WIDTH, seed=9).build()
    elsewhere = keep(tmp_path / "c", reading, other, GUIDE)

    for folder, message in ((headless, "without a split"), (listener, "'slam_asr'"), (elsewhere, "another encoder")):
        with pytest.raises(TrainingError, match=message):
            guide(folder, encoder)
    with pytest.raises(TrainingError, match="guide_from is missing"):
        FixedSynthesisMethod().build(encoder, num_layers=1, seed=0)


def test_the_two_parts_of_a_recogniser_are_its_whole(encoder: Encoder, guide_folder: str) -> None:
    recogniser = guide(guide_folder, encoder)
    wave = torch.sin(torch.arange(9_000) / 9)

    (latents,) = recogniser.encode_low([wave])
    length = torch.tensor([len(latents)])
    log_probs = recogniser.module(latents[None], length)
    batch = recogniser.head.collate([replace(written(["tea"])[0], features=latents[None])])

    torch.testing.assert_close(latents, encoder.encode([wave], layers=(SPLIT,))[0][0])
    assert log_probs.shape == (1, 29, len(recogniser.head.shape["alphabet"]) + 1)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(1, 29))
    whole = recogniser.head.loss(batch).total  # type: ignore[attr-defined]  # a guide is an objective
    torch.testing.assert_close(recogniser.decode_high(latents[None], length, batch).total, whole)


def test_a_table_survives_its_recipe_and_mistakes_are_named() -> None:
    config = FixedSynthesisMethod(guide_from="x", mask=0.3)

    assert parse(FixedSynthesisMethod, asdict(config), source="checkpoint") == config
    for wrong in ({"mask": 1.0}, {"synthesiser": {"kernel": 4}}, {"unknown": "guess"}):
        with pytest.raises(RecipeError, match=next(iter(wrong))):
            parse(FixedSynthesisMethod, wrong, source="recipe")
