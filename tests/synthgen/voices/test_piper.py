"""What is special about Piper: its noise is ours, and the graph is otherwise the published one."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from catalogs import models
from catalogs.errors import EngineError, UsageError
from catalogs.records import Line
from synthgen.onnx import open_session
from synthgen.voices.piper import MODELS, RATE_HZ, Piper, PiperConfig
from synthgen.voices.piper_graph import DURATION_NOISE, DURATIONS, FRAME_NOISE, lift_noise

CONFIG = PiperConfig()
TEXT = "Is there a train to the coast tonight?"
SYMBOLS = np.array([[1, *([0, 20, 0, 59, 0, 24, 0, 3, 0, 61, 0, 27] * 3), 0, 2]], np.int64)


@pytest.fixture(scope="module")
def piper() -> Piper:
    return CONFIG.build()


def line(text: str = TEXT, *, temperature: float | None = None, seed: int | None = None) -> Line:
    (card,) = CONFIG.cards()
    return Line.new(
        prompt_id=card.id, voice_id=card.id, text=text, normaliser="none", temperature=temperature, seed=seed
    )


def read(piper: Piper, one: Line) -> NDArray[np.float32]:
    return piper.speak([one])[0].samples


def feed(*, noise: float) -> dict[str, NDArray[np.generic]]:
    return {
        "input": SYMBOLS,
        "input_lengths": np.array([SYMBOLS.size], np.int64),
        "scales": np.array([noise * 0.667, 1.0, noise * 0.8], np.float32),
    }


def drawn(seed: int) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(seed)
    return {
        DURATION_NOISE: rng.standard_normal((1, 2, SYMBOLS.size), np.float32),
        FRAME_NOISE: rng.standard_normal((1, 192, 50), np.float32),
    }


def test_the_graph_with_lifted_noise_is_the_published_one() -> None:
    path = models.fetch(MODELS["joe"]) / "model.onnx"
    published, lifted = open_session(path, threads=1), open_session(lift_noise(path), threads=1)

    exact = published.run(None, feed(noise=0))[0]
    np.testing.assert_array_equal(lifted.run(None, feed(noise=0) | drawn(0))[0], exact)

    wanted = np.array([figures(published.run(None, feed(noise=1))[0]) for _ in range(24)])
    got = np.array([figures(lifted.run(None, feed(noise=1) | drawn(seed))[0]) for seed in range(24)])
    error = np.hypot(wanted.std(axis=0), got.std(axis=0)) / np.sqrt(24)
    assert (np.abs(wanted.mean(axis=0) - got.mean(axis=0)) < 4 * error).all()
    assert (np.abs(np.log(wanted.std(axis=0) / got.std(axis=0))) < 0.7).all()


def figures(audio: NDArray[np.float32]) -> tuple[float, float]:
    """Seconds, and loudness as a root mean square."""
    return audio.size / RATE_HZ, float(np.sqrt(np.mean(audio**2)))


def test_a_graph_of_another_kind_is_refused() -> None:
    with pytest.raises(EngineError, match="not a Piper graph"):
        lift_noise(models.fetch("kokoro-82m") / "model.onnx")


def test_no_temperature_is_one_and_no_seed_is_the_texts_own(piper: Piper) -> None:
    default = read(piper, line())

    np.testing.assert_array_equal(read(piper, line(temperature=1.0)), default)
    np.testing.assert_array_equal(read(piper, line()), default)
    assert read(piper, line(seed=1)).tobytes() != default.tobytes()


def test_without_noise_every_seed_is_the_same_reading(piper: Piper) -> None:
    np.testing.assert_array_equal(
        read(piper, line(temperature=0.0, seed=1)), read(piper, line(temperature=0.0, seed=2))
    )


def test_sentences_are_read_with_a_pause_between(piper: Piper) -> None:
    one = len(read(piper, line("He came home.", temperature=0.0)))

    two = len(read(piper, line("He came home. He came home.", temperature=0.0)))

    assert two == 2 * one + round(0.2 * RATE_HZ)


def test_speed_shortens_a_reading(piper: Piper) -> None:
    config = replace(CONFIG, speed=2.0)
    (card,) = config.cards()

    fast = len(config.build().speak([replace(line(temperature=0.0), voice_id=card.id)])[0].samples)

    assert fast < 0.65 * len(read(piper, line(temperature=0.0)))


@pytest.mark.parametrize(
    "wrong", [PiperConfig(speakers=("jo",)), PiperConfig(speakers=()), PiperConfig(speed=0.0), PiperConfig(threads=0)]
)
def test_a_wrong_setting_is_refused(wrong: PiperConfig) -> None:
    with pytest.raises(UsageError):
        wrong.cards()


def test_a_style_is_a_speed_on_top_of_the_recipe_s(piper: Piper) -> None:
    still = line(temperature=0.0)
    usual, slow, fast = (len(read(piper, replace(still, style=s))) for s in (None, "speed:0.8", "speed:1.25"))

    assert 1.1 * fast < usual < slow / 1.1
    np.testing.assert_array_equal(read(piper, replace(still, style="speed:1")), read(piper, still))


@pytest.mark.parametrize("wrong", ["cheerful", "speed:", "speed:fast", "speed:nan", "speed:0.4", "1.1"])
def test_another_style_is_refused(piper: Piper, wrong: str) -> None:
    with pytest.raises(UsageError, match=r"speed from 0\.5 to 2"):
        piper.speak([replace(line(), style=wrong)])


def test_a_timbre_is_refused(piper: Piper) -> None:
    with pytest.raises(UsageError, match="no timbres"):
        piper.speak([replace(line(), timbre="joe")])


def test_the_frames_of_all_symbols_are_all_samples() -> None:
    lifted = open_session(lift_noise(models.fetch(MODELS["joe"]) / "model.onnx"), threads=1)

    audio, durations = lifted.run(["output", DURATIONS], feed(noise=1) | drawn(0))

    assert durations.shape == (1, 1, SYMBOLS.size)
    assert audio.size == 256 * durations.sum()
    assert (durations >= 1).all()


def test_words_behind_a_pause_between_sentences_are_timed_after_it(piper: Piper) -> None:
    (one,) = piper.speak([line("Yes.", seed=1)])
    (both,) = piper.speak([line("Yes. Then go there.", seed=1)])

    assert one.word_times is not None
    assert both.word_times is not None
    assert both.word_times[0] == one.word_times[0]
    assert both.word_times[1].start_s > one.duration_s + 0.2
    assert len(both.word_times) == 4
