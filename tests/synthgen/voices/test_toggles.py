"""DGSA's two modes on the true classes of the larger engines."""

from typing import Any

import numpy as np
import pytest

from curation.dgsa.toggles import Mode, bank_of


@pytest.mark.parametrize("name", ["mms", "coqui_vits", "xtts", "bark"])
def test_both_modes_are_read_and_sound_different(name: str, made: Any) -> None:
    voice = made(name)
    (card, *_) = voice.config.cards()
    waves = []
    for mode in Mode:
        manner = bank_of(card, mode)[0]
        how = {"style": manner.style or None, "temperature": manner.temperature}
        waves.append(voice.read("see you at nine", **how).samples)

    expressive, stable = waves

    assert len(expressive) > 0
    assert not np.array_equal(expressive, stable)
