import json

import numpy as np
import pytest
from tokenizers import Tokenizer

from catalogs.models import fetch
from curation.recognisers.forcing import ForcedWord, asked, likelihood, mended


def test_a_text_is_as_likely_as_its_tokens_and_its_least_word_is_named() -> None:
    words = [ForcedWord(" Turn", 1), ForcedWord(" lamp", 2)]

    found = likelihood(words, [0.5, 0.1, 0.2])

    assert found is not None
    assert found.avg_logprob == pytest.approx(np.log([0.5, 0.1, 0.2]).mean())
    assert (found.least_word, found.least_logprob) == ("lamp", pytest.approx(np.log([0.1, 0.2]).mean()))


def test_punctuation_does_not_count() -> None:
    words = [ForcedWord(" Yes", 1), ForcedWord(",", 1)]

    assert likelihood(words, [0.5, 0.0001]) == likelihood(words[:1], [0.5])


def test_a_text_of_punctuation_has_no_likelihood() -> None:
    assert likelihood([ForcedWord(" ?!", 1)], [0.5]) is None


def test_a_probability_that_was_rounded_to_nothing_is_still_a_number() -> None:
    found = likelihood([ForcedWord(" no", 1)], [0.0])

    assert found is not None
    assert np.isfinite(found.avg_logprob)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("turn on  the BBC ", " Turn on the BBC"),
        ("MILE AFTER MILE", " Mile after mile"),
        ("NATO", " NATO"),
        ("", " "),
    ],
)
def test_a_text_is_asked_as_recognisers_write(text: str, wanted: str) -> None:
    assert asked(text) == wanted


def test_a_tokenizer_that_lost_its_first_merge_is_mended() -> None:
    whole = Tokenizer.from_file(str(fetch("whisper-tiny-en") / "tokenizer.json"))
    table = json.loads(whole.to_str())
    del table["model"]["merges"][0]
    lost = Tokenizer.from_str(json.dumps(table))
    text = " Set a timer for the train to town"

    assert len(lost.encode(text).ids) > len(whole.encode(text).ids)
    assert mended(lost).encode(text).ids == whole.encode(text).ids
    assert mended(whole) is whole
