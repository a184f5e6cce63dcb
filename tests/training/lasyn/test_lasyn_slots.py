"""Slots made of texts, as JSTIP hears them: what was never said, in the place of audio."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from training.data import TextsConfig, read_data
from training.interleaving.choosing import Choosing, Part
from training.interleaving.spans import Slotting
from training.interleaving.words import unheard
from training.jstip import Jstip, Rows
from training.lasyn.fixed import FixedProjectionConfig
from training.lasyn.phones import PhoneReader
from training.lasyn.slots import SlotMaker
from training.mixing.mixture import MixtureConfig
from training.mixing.sources import sources_of
from training.objective import Utterance
from training.padding import IGNORED
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsrConfig

from .conftest import TOLD, written


def maker_for(lm: Any, *, mask: float = 0.0) -> SlotMaker:
    width = lm.module.config.hidden_size
    made = FixedProjectionConfig(filters=8, layers=2, frames_per_phone=1).build(width=width, seed=0)
    return SlotMaker(made, PhoneReader("read"), mask=mask)


def hearing(lm: Any, maker: SlotMaker) -> Jstip:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=24)).build(lm, layers=1, width=12, seed=0)
    return Jstip(asr, Rows(400, Slotting(1600, 300), (7,)), maker)


@pytest.fixture
def maker(lm: Any) -> SlotMaker:
    return maker_for(lm)


@pytest.fixture
def jstip(lm: Any, maker: SlotMaker) -> Jstip:
    return hearing(lm, maker)


def in_turn(text: str) -> Utterance:
    """A text of which every other word is heard."""
    (utterance,) = written([text])
    words = text.split()
    parts = tuple(
        Part("speech" if n % 2 == 0 and n < len(words) - 1 else "text", word, 0.0, 0.0, n, n)
        for n, word in enumerate(words)
    )
    return replace(utterance, parts=parts)


def mixed(make_utterances: Any) -> list[Utterance]:
    heard = make_utterances(["stop", "a cup of tea and a cake"], frames=[23, 60])
    return [*written(TOLD[:1]), heard[0], in_turn(TOLD[1]), heard[1], in_turn(TOLD[2])]


def test_the_loss_of_a_batch_with_made_slots_is_the_sum_over_its_sequences(jstip: Jstip, make_utterances: Any) -> None:
    utterances = mixed(make_utterances)

    batch = jstip.collate(utterances)

    together = jstip.loss(batch)
    alone = [jstip.loss(jstip.collate([utterance])) for utterance in utterances]
    torch.testing.assert_close(together.total, sum(loss.total for loss in alone), rtol=1e-5, atol=1e-4)
    assert together.watched["targets"] == batch.num_targets
    assert sorted(batch.take_ids) == sorted(utterance.take_id for utterance in utterances)


def test_what_is_made_of_a_part_knows_nothing_of_what_is_read_around_it(jstip: Jstip, maker: SlotMaker) -> None:
    one, other = in_turn("one large tea please"), in_turn("one small tea please")

    slots = [jstip.collate([each]).tensors for each in (one, other)]

    made = [maker.slots(each["phones"], each["num_phones"]) for each in slots]
    assert torch.equal(made[0], made[1])
    labels = slots[0]["labels"][0]
    assert (labels[slots[0]["slots"][0] >= 0] == IGNORED).all()


def test_what_is_made_matters_and_is_no_part_of_what_is_trained(lm: Any) -> None:
    (text,) = written(TOLD[:1])
    width = lm.module.config.hidden_size
    config = FixedProjectionConfig(filters=8, layers=2, frames_per_phone=1)
    made = [config.build(width=width, seed=seed) for seed in (0, 1)]

    both = [hearing(lm, SlotMaker(each, PhoneReader("read"), mask=0.0)) for each in made]

    losses = [float(each.loss(each.collate([text])).total) for each in both]
    assert abs(losses[0] - losses[1]) > 1e-3
    assert not any("embedding" in name or "sway" in name for name in both[0].trained())


def test_hidden_phones_change_slots_and_not_how_many_there_are(lm: Any) -> None:
    maker = maker_for(lm, mask=0.5)
    phones, counts = maker.read([TOLD[0]])

    one, other = (maker.slots(phones["phones"], phones["num_phones"]) for _ in range(2))

    assert len(one) == len(other) == counts[0]
    assert not torch.equal(one, other)


def test_a_text_that_nobody_says_has_words_of_the_length_of_their_letters() -> None:
    words = unheard('" So - a cup , of tea !')

    assert [word.text for word in words] == ['" So -', "a", "cup ,", "of", "tea !"]
    assert [word.start_s for word in words[1:]] == [word.end_s for word in words[:-1]]
    assert all(word.end_s > word.start_s for word in words)
    assert unheard(" -- ")[0].text == "--"
    assert unheard("") == []


def test_values_of_a_text_decide_what_of_it_is_heard(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text(json.dumps({"text": "one large tea please", "slots": {"size": "large"}}))
    choosing = Choosing("word", entity_heard=1.0)
    config = MixtureConfig(asr=0.0, interleaved=0.0, made_interleaved=1.0, choosing=choosing)

    found = sources_of(config, [read_data(TextsConfig(str(tmp_path / "orders.jsonl")))])

    assert list(found.entities.values()) == [("large",)]
