"""Sort more lines than fit in memory."""

import heapq
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

_RUN_BYTES = 64 << 20


class SortedLines:
    """Takes lines in any order and gives them back in the order of their bytes, which is that of the C locale."""

    def __init__(self, run_bytes: int = _RUN_BYTES) -> None:
        """Keep up to ``run_bytes`` in memory; what is more goes into sorted temporary files."""
        self._run_bytes = run_bytes
        self._lines: list[bytes] = []
        self._size = 0
        self._runs: list[BinaryIO] = []

    def add(self, line: bytes) -> None:
        """Take a line; its end included."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= self._run_bytes:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        """Give all lines, sorted, once."""
        self._lines.sort()
        for run in self._runs:
            run.seek(0)
        yield from heapq.merge(self._lines, *self._runs)
        for run in self._runs:
            run.close()

    def _spill(self) -> None:
        self._lines.sort()
        run: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - it is read again when all lines are there
        run.writelines(self._lines)
        self._runs.append(run)
        self._lines, self._size = [], 0
