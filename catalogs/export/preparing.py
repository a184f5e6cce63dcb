"""Audio made ready: copied where that will do, else decoded, resampled and encoded by a few threads, in order."""

import io
import os
import wave
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from catalogs import flac
from catalogs.errors import AudioError
from catalogs.export.item import Entry, ReleasedTake
from catalogs.export.names import escape
from catalogs.signal import resample, to_float32, to_int16

_WORKERS = min(8, os.cpu_count() or 1)
_AHEAD = 4 * _WORKERS


@dataclass(frozen=True, slots=True)
class AudioKind:
    """What audio an export holds: its rate (None: every take's own), and whether it is WAV rather than FLAC."""

    rate_hz: int | None
    is_wav: bool

    @property
    def is_stored(self) -> bool:
        """Whether the stored bytes always will do."""
        return self.rate_hz is None and not self.is_wav


def prepared(items: Iterable[ReleasedTake], kind: AudioKind) -> Iterator[Entry]:
    """Yield every take in order with its audio; no more than a few wait in memory.

    Raises:
        AudioError: for bytes that are not the take they should be, or cannot be decoded.
    """
    if kind.is_stored:
        for item in items:
            yield _ready(item, kind)
        return
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="export")
    waiting: deque[Future[Entry]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_ready, item, kind))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _ready(item: ReleasedTake, kind: AudioKind) -> Entry:
    take = item.take
    if escape(take.id) != take.id:
        raise AudioError(f"{take.id!r} is not the id of a take")
    found = flac.rate_and_length(item.flac)
    if found != (take.sample_rate_hz, take.num_samples):
        raise AudioError(
            f"take {take.id}: expected {take.num_samples} samples at {take.sample_rate_hz} Hz in {take.shard}, found "
            + (f"{found[1]} at {found[0]} Hz" if found else "something that is not mono 16-bit FLAC")
            + "; run `synthgen verify --repair`"
        )
    rate_hz = kind.rate_hz or take.sample_rate_hz
    if rate_hz == take.sample_rate_hz and not kind.is_wav:
        return Entry(item, item.flac, rate_hz, take.num_samples)
    try:
        return _made(item, rate_hz, is_wav=kind.is_wav)
    except AudioError as error:
        raise AudioError(f"take {take.id}: {error}") from error


def _made(item: ReleasedTake, rate_hz: int, *, is_wav: bool) -> Entry:
    samples, from_hz = flac.decode(item.flac)
    if rate_hz != from_hz:
        samples = to_int16(resample(to_float32(samples), from_hz=from_hz, to_hz=rate_hz))
    audio = _wav(samples.astype("<i2").tobytes(), rate_hz) if is_wav else flac.encode(samples, rate_hz)
    return Entry(item, audio, rate_hz, len(samples))


def _wav(pcm: bytes, rate_hz: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()
