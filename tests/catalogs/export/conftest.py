from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import pytest

from catalogs import flac
from catalogs.export import ReleasedTake
from catalogs.ids import content_id
from catalogs.records import Prompt, Release, Slot, Take, VoiceCard

MakeTake: TypeAlias = Callable[..., ReleasedTake]
MakeRelease: TypeAlias = Callable[[Sequence[ReleasedTake]], Release]


@pytest.fixture(scope="session")
def make_take() -> MakeTake:
    """Makes a take of a tone under noise, both of which follow from the text."""

    def make(
        text: str,
        *,
        speaker: str = "anna",
        engine: str = "tone",
        split: str = "train",
        licence: str = "CC0-1.0",
        rate_hz: int = 24_000,
        num_samples: int = 4_801,
    ) -> ReleasedTake:
        prompt = Prompt(Prompt.id_of(text, "en"), text, "en", domain="bank", slots=(Slot("amount", "12 €"),))
        voice = VoiceCard.new(
            engine=engine, speaker=speaker, language="en", sample_rate_hz=rate_hz, checkpoint_sha256="",
            licence=licence, consent="nobody's voice",
        )  # fmt: skip
        rng = np.random.default_rng(int(prompt.id[:8], 16))
        tone = 8000 * np.sin(2 * np.pi * rng.uniform(100, 400) * np.arange(num_samples) / rate_hz)
        samples = np.rint(tone + rng.normal(0, 300, num_samples)).astype(np.int16)
        encoded = flac.encode(samples, rate_hz)
        line_id = content_id("line", text, voice.id)
        take = Take(
            id=Take.id_of_line(line_id), line_id=line_id, prompt_id=prompt.id, voice_id=voice.id, origin="synthetic",
            shard="a-000000.tar", offset=512, num_bytes=len(encoded), pcm_sha256=flac.pcm_sha256(samples),
            sample_rate_hz=rate_hz, num_samples=num_samples,
        )  # fmt: skip
        return ReleasedTake(take, prompt, voice, split, encoded, {"wer": rng.uniform(), "f0_sd_st": None})

    return make


@pytest.fixture(scope="session")
def make_release() -> MakeRelease:
    """Makes the release of some takes."""

    def make(takes: Sequence[ReleasedTake]) -> Release:
        return Release(
            id=content_id("release", *[take.take.id for take in takes]),
            name="calls",
            job_id=None,
            made_by="SELECT take_id FROM takes\nWHERE wer < 0.1",
            created=datetime(2026, 3, 1, tzinfo=UTC),
            num_takes=len(takes),
            audio_s=sum(take.take.num_samples / take.take.sample_rate_hz for take in takes),
            licences=tuple(sorted({take.voice.licence for take in takes})),
        )

    return make


@pytest.fixture(scope="session")
def takes(make_take: MakeTake) -> list[ReleasedTake]:
    """Seven takes at two rates by two speakers, their splits interleaved."""
    return [
        make_take(f"sentence number {number}", speaker=speaker, split=split, rate_hz=rate_hz)
        for number, (speaker, split, rate_hz) in enumerate(
            [
                ("anna", "train", 24_000), ("bert", "train", 24_000), ("anna", "dev", 24_000),
                ("bert", "train", 16_000), ("anna", "train", 24_000), ("bert", "dev", 16_000),
                ("anna", "train", 24_000),
            ]
        )
    ]  # fmt: skip
