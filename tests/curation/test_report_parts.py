import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from catalogs.records import ScoreColumn
from curation.report.differences import Span, differences
from curation.report.findings import Histogram, SetFigure
from curation.report.plane import Point, plane
from curation.report.plots import histogram
from curation.report.set_plots import set_plot
from curation.report.sound import opus, with_serial
from curation.report.svg import Scale, element, number
from curation.report.tracks import track

RATE_HZ = 24_000

words = st.lists(st.sampled_from(["pay", "my", "bill", "now", "to", "anna"]), max_size=8).map(" ".join)


def tone(hz: float, duration_s: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    times = np.arange(int(duration_s * rate_hz)) / rate_hz
    harmonics = sum(np.sin(2 * np.pi * n * hz * times) / n for n in range(1, 8))
    return np.asarray(6000 * harmonics).astype(np.int16)


def test_a_word_misheard_is_one_lost_and_one_added() -> None:
    spans = differences("Pay my bill now.", "Pay my pill now", spoken=None, language="en")

    assert spans == (Span("same", "pay my"), Span("lost", "bill"), Span("added", "pill"), Span("same", "now"))


def test_a_transcript_is_held_against_the_form_it_is_nearer_to() -> None:
    spans = differences("§ 5", "Paragraph five.", spoken="paragraph five", language="en")

    assert spans == (Span("same", "paragraph 5"),)


def test_graphemes_of_a_language_without_spaces_are_joined_again() -> None:
    spans = differences("今日は", "今日も", spoken=None, language="ja")

    assert [(span.kind, span.text) for span in spans] == [("same", "今日"), ("lost", "は"), ("added", "も")]


@given(text=words, heard=words)
def test_the_spans_without_the_added_are_the_text_and_without_the_lost_the_transcript(text: str, heard: str) -> None:
    spans = differences(text, heard, spoken=None, language="en")

    assert " ".join(span.text for span in spans if span.kind != "added").split() == text.split()
    assert " ".join(span.text for span in spans if span.kind != "lost").split() == heard.split()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_take_of_any_rate_becomes_opus_of_the_same_length(rate_hz: int) -> None:
    samples = tone(200, 0.5, rate_hz)

    wave, played_hz = soundfile.read(io.BytesIO(opus(samples, rate_hz)))

    assert played_hz == 48_000 or played_hz >= rate_hz
    assert len(wave) / played_hz == pytest.approx(0.5, abs=0.002)
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(np.sqrt(np.mean((samples / 32768) ** 2)), rel=0.1)


def test_the_same_samples_are_the_same_bytes() -> None:
    assert opus(tone(200), RATE_HZ) == opus(tone(200), RATE_HZ)


def test_giving_an_ogg_file_its_own_serial_number_again_changes_nothing() -> None:
    file = io.BytesIO()
    soundfile.write(file, tone(200), RATE_HZ, format="OGG", subtype="OPUS")
    written = file.getvalue()
    (serial,) = struct.unpack_from("<I", written, 14)

    assert with_serial(written, serial) == written  # so the checksums are those of libogg


def test_pitch_is_told_in_semitones_around_the_median_of_the_take() -> None:
    low, high = tone(150, 0.6), tone(300, 0.2)

    found = track(np.concatenate([low, high]), RATE_HZ)

    heights = [height for run in found.runs for _, height in run] if found else []
    assert np.median(heights) == pytest.approx(0, abs=0.3)
    assert found
    assert found.runs[0][0][0] == 0


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(RATE_HZ, np.int16), tone(200, 0.03)])
def test_what_is_not_voiced_has_no_track(samples: np.ndarray) -> None:
    assert track(samples, RATE_HZ) is None


@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-3, 1e6),
    most=st.integers(2, 9),
)
def test_ticks_are_few_round_and_within_the_scale(low: float, width: float, most: int) -> None:
    scale = Scale(low, low + width, 0, 100)

    ticks = scale.ticks(most)

    assert len(ticks) <= most + 1
    assert all(-1e-3 <= scale.at(tick) <= 100 + 1e-3 for tick in ticks)


def test_a_scale_of_one_value_shows_it_in_the_middle() -> None:
    scale = Scale(3, 3, 0, 100)

    assert (scale.at(3), scale.ticks()) == (50, [3])


def test_text_and_attributes_of_an_element_are_escaped_and_elements_are_not() -> None:
    inner = element("b", "<i>")

    outer = element("text", inner, "a < b", class_='"><script>', x=1.50)

    assert outer == Markup('<text class="&#34;&gt;&lt;script&gt;" x="1.5"><b>&lt;i&gt;</b>a &lt; b</text>')


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.25, "0.25"), (12.3456, "12.3"), (1234.5, "1,234"), (2e-5, "2e-5"), (-7.0, "-7")]
)
def test_numbers_are_as_short_as_a_plot_needs_them(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_histogram_tells_those_who_do_not_see_it_what_it_shows() -> None:
    figure = ScoreColumn("wer", "DOUBLE", "ratio", "lower", "word errors over words")
    drawn = Histogram(figure, 0.0, 1.0, {"kept": 3, "dropped": 1}, {"kept": 0.1, "dropped": 0.5},
                      {"kept": (1.0, 0.0), "dropped": (0.0, 1.0)}, (0.25,))  # fmt: skip

    picture = histogram(drawn)

    assert "kept: mean 0.1 over 3, dropped: mean 0.5 over 1; the policy&#39;s limit is 0.25." in picture
    assert 'role="img"' in picture


def test_a_histogram_of_one_value_is_drawn() -> None:
    figure = ScoreColumn("clipped_ratio", "DOUBLE", "share", "lower", "clipped")
    drawn = Histogram(figure, 0.0, 0.0, {"kept": 3}, {"kept": 0.0}, {"kept": (1.0, 0.0)}, ())

    assert "nan" not in histogram(drawn)


def test_the_front_of_the_plane_holds_what_nothing_kept_beats_on_both_axes() -> None:
    best, beaten, other = (
        Point(n, w, f, 10, "kept") for n, w, f in (("a", 0.05, 3.0), ("b", 0.1, 2.0), ("c", 0.2, 4.0))
    )

    with_beaten, without = plane([best, beaten, other]), plane([best, other])

    def front(picture: str) -> str:
        return picture.partition('class="front"')[0].rpartition("<path")[2]

    assert with_beaten
    assert without
    assert front(with_beaten).count("L") == front(without).count("L")


def test_a_plane_without_points_is_not_drawn() -> None:
    assert plane([]) is None


def test_sets_that_are_numbered_along_one_axis_become_a_curve() -> None:
    along = [
        SetFigure("demo", f"alpha={share}", "h_p", "1", share, 9, share - 0.1, share + 0.1) for share in (0, 0.5, 0.95)
    ]

    curve, rows = set_plot("a", along), set_plot("b", [*along, SetFigure("demo", "voice", "h_p", "1", 1, 9, 0.9, 1.1)])

    assert 'class="curve"' in curve
    assert ">alpha</text>" in curve
    assert 'class="curve"' not in rows
