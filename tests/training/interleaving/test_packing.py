"""Spans in one pass and back, and packed rows in which no sequence sees another."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import TrainingError
from training.backbones.language_models import TinyLmConfig
from training.backbones.tiny_lm import tiny_language_model
from training.interleaving.choosing import Part
from training.interleaving.packing import Packable, block_mask, in_tokens, inputs, pack, rows_of
from training.interleaving.spans import Slotting, concatenate, pieces_of, scatter
from training.padding import IGNORED
from training.speech_llm import answer_loss

SLOTTING = Slotting(samples_a_slot=8, longest=20)


@pytest.fixture(scope="module")
def lm():
    return tiny_language_model(TinyLmConfig())


def part(modality: str, text: str, start_s: float = 0.0, end_s: float = 1.0) -> Part:
    return Part(modality, text, start_s, end_s, 0, 0)


def sequences(lm) -> list[Packable]:
    return [
        in_tokens([part("speech", "a"), part("text", "two"), part("speech", "b"), part("text", "four")], [3, 2], lm),
        in_tokens([part("text", "turn"), part("speech", "it"), part("text", "off now")], [1], lm, between=[7]),
        in_tokens([part("text", "only text")], [], lm),
    ]  # fmt: skip


def loss_of(lm, rows: list[Packable], audio: torch.Tensor, context: int = 64) -> torch.Tensor:
    tensors = pack(rows, context)
    logits = lm.module(**inputs(lm.module, tensors, lm.embed(tensors["ids"]), audio), use_cache=False).logits
    return answer_loss(logits[:, :-1], tensors["labels"][:, 1:]).total


@given(st.lists(st.integers(1, 160), min_size=1, max_size=12))
def test_scattered_slots_are_those_of_their_piece(lengths) -> None:
    pieces = [np.full(length, number + 1, np.float32) for number, length in enumerate(lengths)]

    waves, places = concatenate(pieces, SLOTTING)
    slots = [torch.from_numpy(wave).reshape(-1, SLOTTING.samples_a_slot) for wave in waves]
    found = scatter(slots, places)

    assert all(len(wave) <= 20 * 8 and len(wave) % 8 == 0 for wave in waves)
    for piece, rows in zip(pieces, found, strict=True):
        assert len(rows) == max(1, -(-len(piece) // 8))
        assert torch.equal(rows.flatten()[: len(piece)], torch.from_numpy(piece))
        assert not rows.flatten()[len(piece) :].any()


def test_frames_are_scattered_as_slots_are() -> None:
    _, places = concatenate([np.ones(8, np.float32), np.ones(20, np.float32)], SLOTTING)
    frames = torch.arange(8.0)[None, :, None]

    assert [rows.flatten().tolist() for rows in scatter([frames], places, rows_a_slot=2)] == [
        [0, 1],
        [2, 3, 4, 5, 6, 7],
    ]


def test_an_output_that_is_too_short_is_an_error() -> None:
    _, places = concatenate([np.ones(20, np.float32)], SLOTTING)

    with pytest.raises(TrainingError, match="subsample by more"):
        scatter([torch.zeros(2, 4)], places)


def test_a_piece_is_cut_before_anything_hears_it() -> None:
    wave = np.arange(32_000, dtype=np.float32)
    parts = [part("speech", "a", 0.25, 0.5), part("text", "b", 0.5, 1), part("speech", "c", 1.999, 1.999)]

    one, least = pieces_of(wave, parts)

    assert (one[0], one[-1], len(one)) == (4_000, 7_999, 4_000)
    assert len(least) == 1
    with pytest.raises(TrainingError, match="belong to another take"):
        pieces_of(wave[:100], parts)


def test_a_piece_of_the_last_sample_at_a_higher_rate_is_silence() -> None:
    (piece,) = pieces_of(np.ones(16_000, np.float32), [part("speech", "a", 1.0, 44_101 / 44_100)])

    assert piece.tolist() == [0.0]


def test_a_piece_longer_than_the_encoder_hears_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"segments\.max_s smaller, or objective\.longest_s larger"):
        concatenate([np.ones(161, np.float32)], SLOTTING)


def test_only_text_is_learned(lm) -> None:
    for row in sequences(lm):
        learned = [(token, label, slot) for token, label, slot in zip(row.ids, row.labels, row.slots, strict=True)]
        assert all(label in (IGNORED, token) for token, label, _ in learned)
        assert all(label == IGNORED for _, label, slot in learned if slot >= 0)
        assert row.labels[0] == row.labels[-1] == IGNORED
    first, second, _ = sequences(lm)
    assert lm.text([label for label in first.labels if label != IGNORED]) == " two four"
    assert lm.text([label for label in second.labels if label != IGNORED]) == "turn off now"
    assert [slot for slot in first.slots if slot >= 0] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("between", "told"), [("", "turn off now"), ("\n", "turn\n\noff now"), ("|", "turn|| off now")]
)
def test_a_text_has_a_space_before_it_where_no_white_space_is(lm, between: str, told: str) -> None:
    parts = [part("text", "turn"), part("speech", "it"), part("text", "off now")]

    row = in_tokens(parts, [0], lm, between=lm.tokens(between))

    assert lm.text(row.ids[1:-1]) == told


def test_a_sequence_must_end_in_text(lm) -> None:
    with pytest.raises(TrainingError, match="must end in text"):
        in_tokens([part("text", "one"), part("speech", "two")], [1], lm)
    with pytest.raises(TrainingError, match="one for each heard part"):
        in_tokens([part("speech", "one"), part("text", "two")], [], lm)


def test_packed_loss_is_unpacked_loss(lm) -> None:
    rows = sequences(lm)
    audio = torch.randn(6, lm.width, generator=torch.Generator().manual_seed(0))
    parts = audio.split([row.num_slots for row in rows])

    packed = loss_of(lm, rows, audio)

    alone = sum(loss_of(lm, [row], slots) for row, slots in zip(rows, parts, strict=True))
    assert pack(rows, 64)["ids"].shape[0] < len(rows)
    torch.testing.assert_close(packed, alone, rtol=1e-5, atol=1e-4)


def test_a_sequence_does_not_feel_its_neighbour(lm) -> None:
    rows = sequences(lm)
    audio = torch.randn(6, lm.width, generator=torch.Generator().manual_seed(0))
    other = torch.cat([audio[:5] + 1, audio[5:]])
    tensors = pack(rows, 64)
    text = lm.embed(tensors["ids"])

    one, changed = (
        lm.module(**inputs(lm.module, tensors, text, slots), use_cache=False).logits for slots in (audio, other)
    )

    is_first = tensors["owners"] == 0
    assert not torch.allclose(one[is_first], changed[is_first])
    torch.testing.assert_close(one[~is_first], changed[~is_first])


def test_positions_begin_anew_and_slots_go_on(lm) -> None:
    tensors = pack(sequences(lm), 64)

    for owner in range(3):
        mine = tensors["owners"] == owner
        assert tensors["positions"][mine].tolist() == list(range(int(mine.sum())))
    assert tensors["slots"][tensors["slots"] >= 0].sort().values.tolist() == [0, 1, 2, 3, 4, 5]


def test_the_mask_is_causal_and_in_blocks() -> None:
    seen = block_mask(torch.tensor([[0, 0, 1, -1]]), torch.float32)[0, 0] == 0

    assert seen.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@given(st.lists(st.integers(1, 30)), st.integers(30, 90))
def test_rows_hold_every_sequence_once_and_no_more_than_they_can(lengths, context) -> None:
    rows = rows_of(lengths, context)

    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in row) <= context for row in rows)


def test_a_sequence_longer_than_a_row_is_an_error() -> None:
    with pytest.raises(TrainingError, match="leave so long a take out"):
        rows_of([3, 9], 8)
