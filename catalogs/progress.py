"""Progress on stderr: a live line on a terminal, a plain line a minute elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TextIO

from catalogs.records import Verdict
from catalogs.stage import Outcome

LIVE_S = 0.5
PLAIN_S = 60.0


class Progress:
    """Counts what a stage has done and says so: items, audio hours, times real time, kept and dropped, time left."""

    def __init__(
        self, out: TextIO | None = None, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._quiet = quiet
        self._clock = clock
        self.start("", 0)

    def start(self, stage: str, total: int) -> None:
        """A new stage begins, with this many items to do."""
        self._stage, self._total = stage, total
        self._done, self._audio_s, self._failed = 0, 0.0, 0
        self._kept, self._reasons, self._remark = 0, Counter[str](), ""
        self._began = self._said = self._clock()

    def note(self, text: str) -> None:
        """Say something once."""
        self._print(text)

    def receive(self, outcome: Outcome, verdicts: Sequence[Verdict] = (), *, remark: str = "") -> None:
        """Count a batch, and speak if it is time; a remark ("loss 2.31") stands at the end until the next one."""
        self._remark = remark or self._remark
        self._done += outcome.items
        self._failed += len(outcome.failures)
        self._audio_s += sum(r.num_samples / r.sample_rate_hz for r in outcome.recordings)
        self._kept += sum(v.decision == "keep" for v in verdicts)
        self._reasons.update(reason for v in verdicts for reason in v.reasons)
        now = self._clock()
        if now - self._said >= (LIVE_S if self._live else PLAIN_S):
            self._said = now
            self._print(self.line(), live=True)

    def finish(self) -> None:
        """Say the stage's last figures."""
        if self._done:
            self._print(self.line())

    def line(self) -> str:
        """The stage so far, in one line."""
        elapsed = max(self._clock() - self._began, 1e-6)
        parts = [f"{self._stage} {self._done:,}/{self._total:,}"]
        if self._audio_s:
            parts.append(f"{self._audio_s / 3600:.2f} h audio, {self._audio_s / elapsed:.1f}× real time")
        else:
            rate = self._done / elapsed
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if self._kept or self._reasons:
            top = ", ".join(f"{reason} {n:,}" for reason, n in self._reasons.most_common(3))
            parts.append(f"kept {self._kept:,}" + (f" · dropped: {top}" if top else ""))
        if self._failed:
            parts.append(f"failed {self._failed:,}")
        left = self._total - self._done
        parts.append(f"{_clock(elapsed / self._done * left)} left" if left > 0 and self._done else _clock(elapsed))
        if self._remark:
            parts.append(self._remark)
        return " · ".join(parts)

    def _print(self, text: str, *, live: bool = False) -> None:
        if self._quiet:
            return
        if self._live:
            self._out.write(f"\r\x1b[2K{text}" + ("" if live else "\n"))
        else:
            self._out.write(text + "\n")
        self._out.flush()


SILENT = Progress(quiet=True)
"""Says nothing; for those who did not ask."""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
