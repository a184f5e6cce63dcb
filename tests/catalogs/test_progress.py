from io import StringIO

import pytest

from catalogs.progress import Progress
from catalogs.records import Failure, Verdict
from catalogs.stage import Outcome, Recording

KEPT = Verdict("t", "p", "keep", ())


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def recordings(count: int, *, audio_s: float) -> Outcome:
    rate_hz = 16_000
    each = Recording("l", "p", "v", b"", "", rate_hz, round(audio_s * rate_hz / count), None)
    return Outcome(items=count, recordings=[each] * count)


def dropped(*reasons: str) -> Verdict:
    return Verdict("t", "p", "drop", reasons)


def test_a_recording_stage_tells_audio_speed_and_the_time_that_is_left(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("recording", 1_000)

    clock.now_s += 30
    progress.receive(recordings(250, audio_s=900))

    assert progress.line() == "recording 250/1,000 · 0.25 h audio, 30.0× real time · 1:30 left"


def test_a_stage_without_audio_tells_items_a_second(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("measuring words", 5_000)

    clock.now_s += 2
    progress.receive(Outcome(items=4_000))

    assert progress.line() == "measuring words 4,000/5,000 · 2,000/s · 0:00 left"


def test_a_finished_stage_tells_how_long_it_took(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("measuring pace", 10)

    clock.now_s += 3_725
    progress.receive(Outcome(items=10))

    assert progress.line().endswith(" · 1:02:05")


def test_verdicts_are_counted_with_the_three_reasons_that_come_most_often(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("recording", 8)
    verdicts = [KEPT, KEPT, dropped("wer > 0.25"), dropped("a < 1"), *[dropped("wer > 0.25", "b > 2", "c > 3")] * 2]

    progress.receive(recordings(6, audio_s=6), verdicts)

    assert "kept 2 · dropped: wer > 0.25 3, b > 2 2, c > 3 2" in progress.line()
    assert "a < 1" not in progress.line()


def test_failures_are_counted(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("recording", 4)

    progress.receive(Outcome(items=2, failures=[Failure("record", "l", 1, "E", "m")]))

    assert "failed 1" in progress.line()


def test_a_log_gets_one_whole_line_a_minute(clock: Clock) -> None:
    out = StringIO()
    progress = Progress(out, clock=clock)
    progress.start("recording", 1_000)

    for _ in range(13):
        clock.now_s += 10
        progress.receive(recordings(1, audio_s=1))

    assert [line.split(" · ")[0] for line in out.getvalue().splitlines()] == ["recording 6/1,000", "recording 12/1,000"]
    assert "\r" not in out.getvalue()
    assert out.getvalue().endswith("\n")


def test_a_terminal_gets_one_line_that_is_written_over(clock: Clock) -> None:
    out = Terminal()
    progress = Progress(out, clock=clock)
    progress.start("recording", 3)

    for _ in range(3):
        clock.now_s += 1
        progress.receive(recordings(1, audio_s=1))
    before_the_end = out.getvalue()
    progress.finish()

    assert before_the_end.count("\r\x1b[2K") == 3
    assert "\n" not in before_the_end
    assert out.getvalue().endswith("0:03\n")


def test_a_terminal_is_not_flooded(clock: Clock) -> None:
    out = Terminal()
    progress = Progress(out, clock=clock)
    progress.start("recording", 1_000)

    for _ in range(100):
        clock.now_s += 0.01
        progress.receive(recordings(1, audio_s=1))

    assert 1 <= out.getvalue().count("\r") <= 2


def test_a_new_stage_counts_from_nothing(clock: Clock) -> None:
    progress = Progress(StringIO(), clock=clock)
    progress.start("recording", 2)
    progress.receive(recordings(2, audio_s=2), [KEPT, dropped("wer > 0.25")])
    clock.now_s += 60

    progress.start("measuring words", 2)
    clock.now_s += 1
    progress.receive(Outcome(items=1))

    assert progress.line() == "measuring words 1/2 · 1.0/s · 0:01 left"


def test_the_last_remark_stands_at_the_end_of_its_stage() -> None:
    clock = Clock()
    progress = Progress(StringIO(), clock=clock)
    progress.start("training, steps", 100)
    clock.now_s += 1
    progress.receive(Outcome(items=25), remark="loss 2.310")
    progress.receive(Outcome(items=25))

    assert progress.line() == "training, steps 50/100 · 50/s · 0:01 left · loss 2.310"

    progress.start("encoding", 1)
    progress.receive(Outcome(items=1))
    assert "loss" not in progress.line()


def test_a_stage_that_did_nothing_says_nothing_at_its_end(clock: Clock) -> None:
    out = StringIO()
    progress = Progress(out, clock=clock)
    progress.start("recording", 0)

    progress.finish()

    assert out.getvalue() == ""


def test_a_quiet_progress_writes_nothing(clock: Clock) -> None:
    out = Terminal()
    progress = Progress(out, quiet=True, clock=clock)
    progress.start("recording", 1)

    progress.note("casting")
    clock.now_s += 100
    progress.receive(recordings(1, audio_s=1))
    progress.finish()

    assert out.getvalue() == ""


def test_without_a_place_to_write_it_is_stderr(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    Progress(clock=clock).note("casting")

    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "casting\n")
