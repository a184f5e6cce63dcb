"""The voice that takes its prosody from a bank of readings, over the espeak voices."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synthgen.voices.transplant import TransplantConfig


def transplant(folder: Path) -> TransplantConfig:
    """A bank of one hum that rises."""
    rate_hz = 16_000
    phase = 2 * np.pi * np.cumsum(np.geomspace(120, 200, rate_hz)) / rate_hz
    soundfile.write(folder / "rising.wav", 0.05 * sum(np.sin(k * phase) / k for k in range(1, 9)), rate_hz)
    return TransplantConfig(base={"engine": "espeak"}, bank=str(folder))


CASES = [pytest.param(transplant, id=transplant.__name__)]
"""Joins the contract suite by being here."""
