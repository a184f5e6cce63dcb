"""What every voice must do, whatever the engine. The cases come from the `cases_*.py` files beside this one."""

import gc
import json
import pickle
import runpy
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter

from catalogs.errors import SynthgenError
from catalogs.ids import canonical
from catalogs.pronunciations import spoken_tokens
from catalogs.records import Line, Prompt, VoiceCard
from synthgen.voice import Reading, Voice, VoiceConfig

sys.path.append(str(Path(__file__).parent))
from digests import digests, digests_of

TEXTS = ("no, i said blue", "at nine", "is it late?")
TIMED_TEXTS = (*TEXTS, "put it in the box at the end of the room", "well - my a-t-m card, he said")
HARD_TEXTS = {
    "one letter": "a",
    "number": "1984",
    "emoji alone": "🙂🎉",
    "emoji inside": "well done 🎉 everybody",
    "right to left": "مرحبا بالعالم",
    "quotes": '"it\'s" ‘so’ “called” «fine»',
    "newline": "first line\nsecond line",
    "control characters": "\x00\x07 a\x1b[31m",
    "punctuation alone": "… — !?",
    "markup": "<speak>a < b & c</speak> [[h@'loU]]",
    "no space": "a" * 60,
    "600 characters": "the quick brown fox jumps over the lazy dog, and then it rests. " * 9
    + "the end of it all is near",
}
LONG_TEXTS = ("right to left", "no space", "600 characters")
CASES = [
    case for path in sorted(Path(__file__).parent.glob("cases_*.py")) for case in runpy.run_path(str(path))["CASES"]
]

# Tiny VITS models of random weights: the least noise already sends them anywhere.
CHAOTIC = ("mms", "coqui")
TIMED = ("espeak", "kokoro", "piper", "transplant", *CHAOTIC)


@dataclass
class Subject:
    """A voice under test."""

    config: VoiceConfig
    card: VoiceCard
    voice: Voice

    @property
    def is_timed(self) -> bool:
        """Whether it knows how long its sounds last; a voice of speech tokens does not."""
        return self.card.engine in TIMED and self.card.tokens is None

    @cached_property
    def first(self) -> Reading:
        """The first reading of the first text, which every later one must equal."""
        return self.voice.speak([self.line(TEXTS[0])])[0]

    @cached_property
    def line_s(self) -> float:
        """How long it takes over a line."""
        start = time.perf_counter()
        self.samples(TEXTS[0])
        return time.perf_counter() - start

    def line(self, text: str, *, seed: int = 7, temperature: float = 0.8, card: VoiceCard | None = None) -> Line:
        is_random = self.card.temperature is not None
        return Line.new(
            prompt_id=Prompt.id_of(text, self.card.language),
            voice_id=(card or self.card).id,
            text=text,
            normaliser="none",
            temperature=temperature if is_random else None,
            seed=seed if is_random else None,
        )

    def samples(self, text: str, *, seed: int = 7, temperature: float = 0.8) -> NDArray[np.float32]:
        return self.voice.speak([self.line(text, seed=seed, temperature=temperature)])[0].samples


@pytest.fixture(scope="module", params=CASES)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    config: VoiceConfig = request.param(tmp_path_factory.mktemp("voice"))
    yield Subject(config, config.cards()[0], config.build())
    gc.collect()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """Another process, which starts from nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def assert_same(got: Reading, wanted: Reading) -> None:
    assert got.sample_rate_hz == wanted.sample_rate_hz
    np.testing.assert_array_equal(got.samples, wanted.samples)
    assert got.tokens == wanted.tokens
    assert got.word_times == wanted.word_times


def test_cards_say_all_that_a_catalog_needs(subject: Subject) -> None:
    cards = subject.config.cards()

    assert len({card.id for card in cards}) == len(cards) > 0
    assert subject.config.cards() == cards
    for card in cards:
        assert card.engine == json.loads(card.config)["engine"]
        assert all((card.speaker, card.language, card.licence, card.consent))
        assert len(card.checkpoint_sha256) == 64
        assert card.temperature != ""
        assert card.sample_rate_hz > 0
        assert card.threads > 0


def test_a_card_holds_the_recipe_table_that_makes_it(subject: Subject) -> None:
    for card in subject.config.cards():
        assert card.config == canonical(json.loads(card.config))
        assert TypeAdapter(type(subject.config)).validate_json(card.config).cards() == (card,)


def test_a_configuration_is_frozen_and_travels(subject: Subject) -> None:
    copy = pickle.loads(pickle.dumps(subject.config))  # noqa: S301 - our own

    assert copy == subject.config
    assert hash(copy) == hash(subject.config)


def test_cards_are_cheap(subject: Subject) -> None:
    subject.config.cards()
    start = time.perf_counter()

    subject.config.cards()

    assert time.perf_counter() - start < 0.25


def test_readings_are_mono_float_in_range_at_the_cards_rate(subject: Subject) -> None:
    readings = subject.voice.speak([subject.line(text) for text in TEXTS])

    for reading in readings:
        assert reading.samples.ndim == 1
        assert reading.samples.dtype == np.float32
        assert np.isfinite(reading.samples).all()
        assert np.abs(reading.samples).max(initial=0.0) <= 1.0
        assert reading.sample_rate_hz == subject.card.sample_rate_hz
        assert len(reading.samples) > 0.05 * reading.sample_rate_hz
        assert (reading.tokens is not None) == (subject.card.tokens is not None)


def test_word_times_are_one_a_word_in_order_and_within_the_reading(subject: Subject) -> None:
    lines = [subject.line(text) for text in TIMED_TEXTS]
    readings = [reading for line in lines for reading in subject.voice.speak([line])]

    assert {reading.word_times is not None for reading in readings} == {subject.is_timed}
    for line, reading in zip(lines, readings, strict=True):
        if reading.word_times is None:
            continue
        edges_s = [edge for time in reading.word_times for edge in (time.start_s, time.end_s)]
        assert len(reading.word_times) == len(list(spoken_tokens(line.text)))
        assert edges_s == sorted(edges_s)
        assert all(time.start_s < time.end_s for time in reading.word_times)
        assert edges_s[0] >= 0.0
        assert edges_s[-1] <= reading.duration_s + 1e-5


def test_timed_words_begin_and_end_where_speech_does(subject: Subject) -> None:
    if not subject.is_timed or subject.card.engine in CHAOTIC:
        pytest.skip("it has no word times, or no words")

    for text in TIMED_TEXTS:
        reading = subject.voice.speak([subject.line(text)])[0]
        power = np.convolve(reading.samples**2, np.ones(200) / 200, "same")
        heard_s = np.flatnonzero(power > 1e-3 * power.max()) / reading.sample_rate_hz
        assert reading.word_times is not None
        assert abs(reading.word_times[0].start_s - heard_s[0]) < 0.1
        assert abs(reading.word_times[-1].end_s - heard_s[-1]) < 0.15


def test_every_card_is_spoken_by_the_one_voice(subject: Subject) -> None:
    cards = subject.config.cards()

    readings = subject.voice.speak([subject.line(TEXTS[0], card=card) for card in cards])

    assert len(set(digests_of(readings))) == len(cards)


def test_no_lines_are_no_readings(subject: Subject) -> None:
    assert subject.voice.speak([]) == []


def test_empty_text_is_an_empty_reading(subject: Subject) -> None:
    first, empty, last = subject.voice.speak([subject.line(text) for text in (TEXTS[0], "", TEXTS[1])])

    assert len(empty.samples) == 0
    assert empty.sample_rate_hz == subject.card.sample_rate_hz
    assert len(first.samples) > 0 < len(last.samples)


def test_the_same_batch_has_the_same_samples(subject: Subject) -> None:
    lines = [subject.line(text) for text in TEXTS[1:]]

    for again, first in zip(subject.voice.speak(lines), subject.voice.speak(lines), strict=True):
        assert_same(again, first)


def test_an_exact_voice_reads_a_line_the_same_in_any_company(subject: Subject) -> None:
    if not subject.card.batch_exact:
        pytest.skip("its batches are fixed at casting")
    lines = [subject.line(text) for text in TEXTS]
    alone = [subject.first, *(subject.voice.speak([line])[0] for line in lines[1:])]

    for order in ((0, 1, 2), (2, 1)):
        readings = subject.voice.speak([lines[position] for position in order])
        for position, reading in zip(order, readings, strict=True):
            assert_same(reading, alone[position])


def test_another_process_reads_the_same(subject: Subject, elsewhere: ProcessPoolExecutor) -> None:
    lines = [subject.line(text) for text in TEXTS[:2]]

    there = elsewhere.submit(digests, subject.config, lines)

    assert there.result() == digests_of(subject.voice.speak(lines))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=[pytest.mark.slow] if name in LONG_TEXTS else [])
        for name, text in HARD_TEXTS.items()
    ],
)
def test_a_hard_text_is_read_or_refused_and_harms_nobody(subject: Subject, text: str) -> None:
    before = subject.first.samples

    try:
        hard = subject.samples(text)
    except SynthgenError:
        pass  # the suite does not say which texts a voice must be able to read
    else:
        assert len(hard) > 0
        assert np.isfinite(hard).all()

    np.testing.assert_array_equal(subject.samples(TEXTS[0]), before)


def test_seeds_give_different_readings(subject: Subject) -> None:
    if subject.card.temperature is None:
        pytest.skip("it reads a line in one way only")

    readings = {subject.samples(TEXTS[0], seed=seed).tobytes() for seed in range(3)}

    assert len(readings) == 3


def test_a_higher_temperature_departs_further_from_the_mean_reading(subject: Subject) -> None:
    if subject.card.temperature is None:
        pytest.skip("it reads a line in one way only")

    lowest = 0.0 if subject.card.engine in CHAOTIC else 0.1
    spreads = [
        spread([subject.samples(TEXTS[0], seed=seed, temperature=temperature) for seed in range(3)])
        for temperature in (lowest, 1.2)
    ]

    assert spreads[0] < spreads[1]


def spread(readings: list[NDArray[np.float32]]) -> float:
    """How far readings of one line lie from their mean, in log spectrum over the course of the line."""
    pictures = np.stack([picture(samples) for samples in readings])
    return float(np.abs(pictures - pictures.mean(axis=0)).mean())


def picture(samples: NDArray[np.float32], *, columns: int = 24, rows: int = 24) -> NDArray[np.float64]:
    """Log energies of a reading on a grid of relative time and frequency, and its log duration."""
    padded = np.pad(samples, (0, 64 * columns))
    pieces = np.array_split(padded[: max(len(samples), 64 * columns)], columns)
    energies = [
        [np.log(band.mean() + 1e-8) for band in np.array_split(np.abs(np.fft.rfft(piece)) / len(piece), rows)]
        for piece in pieces
    ]
    return np.append(np.asarray(energies).ravel(), rows * columns * np.log(len(samples) + 1))


QUICK_S, SLOW_S = 0.002, 0.05


def test_speaking_does_not_leak(subject: Subject) -> None:
    if subject.line_s >= QUICK_S:
        pytest.skip("takes its time: the test below")
    assert growth_per_line(subject, warm=50, lines=1000) < 4096


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_speaking_long_does_not_leak(subject: Subject) -> None:
    if subject.line_s < SLOW_S:
        assert growth_per_line(subject, warm=50, lines=1000) < 4096
    else:
        assert growth_per_line(subject, warm=30, lines=300) < 16_384


def growth_per_line(subject: Subject, *, warm: int, lines: int) -> float:
    """Bytes of memory gained per line, by the slope of a straight line; processes of the voice's own count."""
    read: list[int] = []
    sizes: list[int] = []
    for number in range(warm + lines):
        subject.samples(TEXTS[number % len(TEXTS)])
        if number >= warm and number % max(1, lines // 50) == 0:
            read.append(number)
            sizes.append(resident_bytes())
    return float(np.polyfit(read, sizes, 1)[0])


def resident_bytes() -> int:
    """Memory of this process and those it started."""
    process = psutil.Process()
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
