"""The figures that made latents go by, on latents whose truth is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from training.backbones.encoders import Encoder
from training.data import text_member
from training.lasyn.distances import distances, frechet
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.likeness import errors_of, separability
from training.lasyn.methods import FixedSynthesisMethod
from training.lasyn.pairs import Maker, Pair, voices_of_others
from training.lasyn.phones import PhoneReader
from training.lasyn.quality import one_a_text
from training.lasyn.recogniser import guide

from ..conftest import fit, make_member
from .conftest import TOLD, UNTOLD, written


def test_a_synthesiser_that_has_learned_is_heard_and_one_that_has_not_is_not(
    encoder: Encoder, guide_folder: str, reader: PhoneReader
) -> None:
    table: Any = {"filters": 48, "layers": 2, "kernel": 3}
    method = FixedSynthesisMethod(guide_from=guide_folder, unknown="refuse")
    objective: GuidedSynthesis = replace(method, synthesiser=replace(method.synthesiser, **table)).build(
        encoder, num_layers=1, seed=0
    )
    members = [text_member(text) for text in dict.fromkeys(UNTOLD)]

    def wer() -> float:
        maker = Maker(encoder, guide(guide_folder, encoder), objective.synthesiser, reader, dtype="float32")
        rows = list(errors_of("made", members, maker.answers(members, maker.made(members)), number=50))
        return rows[0].value

    before = wer()
    fit(objective, written(TOLD), steps=120)
    assert wer() < 0.5 * before


def pairs(*, off: float, number: int = 24) -> list[Pair]:
    """Real latents with a voice of their own, and made ones that are ``off`` to one side."""
    random = torch.Generator().manual_seed(0)
    found = []
    for count in range(number):
        length = 10 + count % 5
        real, made = (torch.randn(length, 6, generator=random) + torch.randn(6, generator=random) for _ in range(2))
        found.append(Pair(replace(make_member(count), spoken=f"text {count}", is_synthetic=False), real, made + off))
    return found


def test_latents_like_real_ones_are_as_far_as_real_ones_and_others_are_further() -> None:
    alike, apart = distances(pairs(off=0.0)), distances(pairs(off=2.0))

    assert [found.name for found in alike] == ["frechet_frames", "mmd_frames", "frechet_utterances", "mmd_utterances"]
    assert all(found.made < 2 * found.real for found in alike)
    assert all(found.made > 3 * found.real for found in apart)


@pytest.mark.parametrize("number", [60, 61])
def test_who_says_nothing_but_the_voice_it_was_told_is_no_nearer_to_real_latents_than_these_are(number: int) -> None:
    found = pairs(off=0.0, number=number)
    voices = voices_of_others([pair.real for pair in found])
    copied = [replace(pair, made=voice.expand(len(pair.real), -1)) for pair, voice in zip(found, voices, strict=True)]

    by_name = {each.name: each for each in distances(copied)}

    assert not any(torch.equal(voice, pair.real.mean(dim=0)) for voice, pair in zip(voices, found, strict=True))
    assert by_name["frechet_utterances"].made > 0.5 * by_name["frechet_utterances"].real
    assert by_name["frechet_frames"].made > by_name["frechet_frames"].real


def test_a_probe_finds_what_is_there_on_texts_held_out() -> None:
    def auc(off: float) -> dict[str, float]:
        rows = separability(pairs(off=off, number=60), groups=5, number=100)
        return {row.of: row.value for row in rows if row.figure == "auc"}

    assert auc(3.0)["made"] > 0.95
    assert auc(0.0)["made"] < 0.7
    assert auc(3.0)["random"] < 0.7


def test_frechet_is_that_of_gaussians() -> None:
    random = np.random.default_rng(0)
    ours, theirs = random.normal(0, 1, (20_000, 4)), random.normal(1, 2, (20_000, 4))

    assert frechet(ours, theirs) == pytest.approx(4 * (1 + 1), rel=0.05)
    assert frechet(ours, ours) == pytest.approx(0, abs=1e-9)


def test_a_text_is_heard_once() -> None:
    members = [make_member(number) for number in range(12)]

    chosen = one_a_text(members, most=4)

    assert len({member.spoken for member in chosen}) == 4
    assert chosen == one_a_text(members[::-1], most=4)
    assert len(one_a_text(members, most=99)) == 5
