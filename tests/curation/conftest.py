from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from catalogs.clip import Clip
from catalogs.ids import content_id
from catalogs.records import Line
from catalogs.signal import to_float32, to_int16
from synthgen.voices.espeak import EspeakConfig

MakeClip: TypeAlias = Callable[..., Clip]


@pytest.fixture(scope="session")
def make_clip() -> MakeClip:
    """Makes a clip of samples, which are quantised to int16 as a take's are."""

    def make(
        samples: NDArray[np.float32],
        *,
        rate_hz: int = 16_000,
        text: str = "good morning to you all",
        language: str = "en",
    ) -> Clip:
        stored = to_float32(to_int16(samples.astype(np.float32)))
        take_id = content_id("take", text, rate_hz, stored.tobytes().hex())
        return Clip(take_id, content_id("voice", "test"), stored, rate_hz, text, text, language)

    return make


@pytest.fixture(scope="session")
def say(make_clip: MakeClip) -> MakeClip:
    """Makes a clip of a text read by an espeak voice, at 22.05 kHz."""

    def read(text: str, *, speaker: str = "en-us", rate: int = 150) -> Clip:
        config = EspeakConfig(speakers=(speaker,), rate=rate)
        line = Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none")
        reading = config.build().speak([line])[0]
        return make_clip(reading.samples, rate_hz=reading.sample_rate_hz, text=text, language=speaker.partition("-")[0])

    return read
