"""Takes as small audio files that a browser plays, the same bytes for the same samples."""

import io
import struct

import numpy as np
import soundfile
from numpy.typing import NDArray

from catalogs.signal import resample, to_float32

_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
"""The rates that Opus knows; the first that is not lower is taken."""


def opus(samples: NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Mono int16 samples as Ogg Opus at about 32 kbit/s, at the nearest rate above that Opus knows."""
    rate_hz = next((rate for rate in _RATES_HZ if rate >= sample_rate_hz), _RATES_HZ[-1])
    wave = resample(to_float32(samples), from_hz=sample_rate_hz, to_hz=rate_hz)
    file = io.BytesIO()
    soundfile.write(file, wave, rate_hz, format="OGG", subtype="OPUS")
    return with_serial(file.getvalue(), 1)


def with_serial(ogg: bytes, serial: int) -> bytes:
    """An Ogg file whose one stream has this serial number, which libsndfile draws anew for every file (RFC 3533)."""
    pages = bytearray(ogg)
    start = 0
    while start < len(pages):
        num_segments = pages[start + 26]
        size = 27 + num_segments + sum(pages[start + 27 : start + 27 + num_segments])
        struct.pack_into("<I", pages, start + 14, serial)
        struct.pack_into("<I", pages, start + 22, 0)
        struct.pack_into("<I", pages, start + 22, _checksum(pages[start : start + size]))
        start += size
    return bytes(pages)


def _checksum(page: bytes | bytearray) -> int:
    """The CRC-32 of Ogg: polynomial 0x04C11DB7, most significant bit first, from zero."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value


def _table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        rows.append(value & 0xFFFFFFFF)
    return tuple(rows)


_TABLE = _table()
