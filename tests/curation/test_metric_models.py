"""The families that carry a model, against what the model's own package says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.metrics.mel import MelSpec
from curation.metrics.quality import Quality, QualityConfig
from curation.metrics.speaker import Speaker, SpeakerConfig

RATE_HZ = 16_000


def buzz(length_s: float) -> NDArray[np.float32]:
    """A vowel of sorts, the same on every machine: what the figures below were computed from."""
    t = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (140 * t + 6 * np.sin(2 * np.pi * 1.5 * t))
    wave = sum(np.sin(k * phase) / k**1.2 for k in range(1, 20)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="module")
def speaker_of():
    metric = SpeakerConfig().build()
    return lambda clip: Speaker(*metric.measure([clip])[0].values)


def test_mel_power_is_librosas(make_clip) -> None:
    mel = MelSpec(rate_hz=RATE_HZ, window=400, hop=160, bands=40).of(make_clip(buzz(4.0)).samples)

    assert mel.shape == (401, 40)
    assert mel[100, :4] == pytest.approx([3.1601388, 1.6319606, 0.4997029, 0.2357243], rel=1e-5)
    assert mel.sum() == pytest.approx(2633.18, rel=1e-5)


def test_an_embedding_is_resemblyzers(make_clip, speaker_of) -> None:
    embedding = np.array(speaker_of(make_clip(buzz(4.0))).speaker_embedding)

    largest = np.argsort(-embedding)[:6]
    assert largest.tolist() == [146, 158, 127, 10, 202, 132]
    assert embedding[largest] == pytest.approx([0.23377, 0.19957, 0.19388, 0.17377, 0.16875, 0.16709], abs=1e-4)
    assert np.linalg.norm(embedding) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("length_s", "quality"),
    [(4.0, Quality(2.757359, 2.870189, 2.238552)), (12.5, Quality(2.718796, 2.838415, 2.210540))],
)
def test_dnsmos_is_the_originals(length_s: float, quality: Quality, make_clip) -> None:
    (score,) = QualityConfig().build().measure([make_clip(buzz(length_s))])

    wanted = (quality.dnsmos_sig, quality.dnsmos_bak, quality.dnsmos_ovrl)
    assert score.values == pytest.approx(wanted, abs=1e-3)


def test_fewer_windows_are_another_version_of_about_the_same_figure(make_clip) -> None:
    all_windows, one = QualityConfig(), QualityConfig(windows=1)

    clip = make_clip(buzz(4.0))
    assert one.card().version != all_windows.card().version
    assert one.build().measure([clip])[0].values == pytest.approx((2.76, 2.87, 2.24), abs=0.3)


def test_a_voice_is_nearer_to_itself_than_to_another(say, speaker_of) -> None:
    low, low_again, high = (
        np.array(speaker_of(say(text, speaker=speaker)).speaker_embedding)
        for text, speaker in [
            ("The weather will be fine tomorrow morning.", "en-us"),
            ("Please turn on the light in the kitchen.", "en-us"),
            ("Please turn on the light in the kitchen.", "en-us+f3"),
        ]
    )

    assert low @ low_again > low @ high + 0.05
    assert low @ low_again > high @ low_again + 0.05


def test_a_change_of_voice_lowers_the_consistency(say, make_clip, speaker_of) -> None:
    text = "The weather will be fine tomorrow morning, they said on the radio."
    one, other = say(text), say(text, speaker="en-us+f3")
    half = len(one.samples) // 2
    spliced = make_clip(np.concatenate((one.samples[:half], other.samples[half:])), rate_hz=22_050)

    assert speaker_of(spliced).speaker_consistency < speaker_of(one).speaker_consistency - 0.1


def test_silence_does_not_change_the_voice(say, make_clip, speaker_of) -> None:
    clip = say("Please turn on the light in the kitchen.")
    pause = np.zeros(22_050, np.float32)
    padded = make_clip(np.concatenate((pause, clip.samples, pause)), rate_hz=22_050)

    embeddings = [np.array(speaker_of(c).speaker_embedding) for c in (clip, padded)]

    assert embeddings[0] @ embeddings[1] > 0.97
