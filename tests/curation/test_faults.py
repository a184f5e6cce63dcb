from dataclasses import replace

import numpy as np
import pytest

from catalogs.clip import Clip
from catalogs.errors import InputError
from catalogs.ids import content_id
from catalogs.text import normalise
from curation.words.faults import KINDS, specimens, spoil

TEXTS = ("turn on the light in the kitchen", "what is my balance today", "play the next song please")


@pytest.fixture(scope="module")
def clips(say) -> list[Clip]:
    """Three texts, each read at four rates."""
    return [say(text, rate=rate) for text in TEXTS for rate in (130, 150, 170, 190)]


def test_the_share_of_faulty_clips_is_exact_and_every_kind_comes_up(clips) -> None:
    made = specimens(clips, share=0.5)

    assert {specimen.fault for specimen in made} == {None, *KINDS}
    assert sum(specimen.fault is not None for specimen in made) == 6


def test_the_same_clips_are_spoiled_in_the_same_way(clips) -> None:
    one, other = specimens(clips, share=0.5), specimens(clips[::-1], share=0.5)[::-1]

    assert [specimen.fault is None for specimen in one] == [specimen.fault is None for specimen in other]
    for here, there in zip(specimens(clips), specimens(clips), strict=True):
        assert (here.fault, here.clip.take_id, here.clip.text) == (there.fault, there.clip.take_id, there.clip.text)
        assert np.array_equal(here.clip.samples, there.clip.samples)


def test_a_clip_that_is_left_alone_is_the_clip_itself(clips) -> None:
    sound = [specimen for specimen in specimens(clips) if specimen.fault is None]

    assert all(any(specimen.clip is clip for clip in clips) for specimen in sound)


def test_a_dropped_word_is_a_word_more_in_the_text(clips) -> None:
    spoilt = spoil(clips[0], "dropped", other=clips[-1])

    assert len(spoilt.text.split()) == len(clips[0].text.split()) + 1
    assert np.array_equal(spoilt.samples, clips[0].samples)


def test_swapped_words_are_the_same_words_in_another_order(clips) -> None:
    spoilt = spoil(clips[0], "swapped", other=clips[-1])

    assert sorted(spoilt.text.split()) == sorted(clips[0].text.split())
    assert normalise(spoilt.text, "en") != normalise(clips[0].text, "en")


def test_a_truncated_clip_is_the_beginning_of_the_clip(clips) -> None:
    spoilt = spoil(clips[0], "truncated", other=clips[-1])

    assert 0.5 < len(spoilt.samples) / len(clips[0].samples) < 0.85
    assert spoilt.text == clips[0].text


def test_a_repeated_stretch_makes_the_clip_longer(clips) -> None:
    added_s = spoil(clips[0], "repeated", other=clips[-1]).duration_s - clips[0].duration_s

    assert 0.15 < added_s < 1.0


def test_babble_leaves_the_length_and_changes_the_sound(clips) -> None:
    for clip in clips:
        spoilt = spoil(clip, "babble", other=clips[-1] if clip.text != clips[-1].text else clips[0])

        assert len(spoilt.samples) == len(clip.samples)
        assert not np.array_equal(spoilt.samples, clip.samples)
        assert np.abs(spoilt.samples).max() <= 1


def test_a_spoilt_clip_is_another_take(clips) -> None:
    ids = {spoil(clips[0], kind, other=clips[-1]).take_id for kind in KINDS}

    assert len(ids - {clips[0].take_id}) == len(KINDS)


def test_graphemes_are_the_words_of_a_language_without_spaces(clips) -> None:
    lao, other = (replace(clips[0], language="lo", text=text, spoken=text) for text in ("ສະບາຍດີ", "ຂອບໃຈ"))

    assert len(spoil(lao, "dropped", other=other).text) > len(lao.text)
    assert " " not in spoil(lao, "swapped", other=other).text


def test_what_cannot_be_spoiled_is_said(make_clip, clips) -> None:
    silent = make_clip(np.zeros(16_000), text="hello")

    with pytest.raises(InputError, match="hardly a sound"):
        spoil(silent, "truncated", other=clips[0])
    with pytest.raises(InputError, match="neighbours"):
        spoil(silent, "swapped", other=clips[0])
    with pytest.raises(InputError, match="of another text"):
        specimens([replace(clip, take_id=content_id("take", clip.take_id)) for clip in clips[:4]])
