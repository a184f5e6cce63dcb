"""FLAC in memory: mono int16 samples to bytes and back, and the hash that a take carries.

The same samples at the same rate give the same bytes, on every machine with the same libFLAC.
"""

import hashlib
import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from catalogs.errors import AudioError

# soundfile maps [0, 1] onto libFLAC's levels 0 to 8: this is level 5, beyond which only time is spent.
_COMPRESSION = 0.625
_STREAMINFO_END = 26


def encode(samples: NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Write mono int16 samples, shape (n,), as a FLAC file.

    Raises:
        AudioError: for no samples (a FLAC file cannot hold none), another shape or type, or a rate that
            FLAC cannot write.
    """
    if samples.ndim != 1 or samples.dtype != np.int16:
        raise AudioError(f"FLAC takes mono int16 samples, not {samples.dtype} of shape {samples.shape}")
    if not len(samples):
        raise AudioError("there are no samples to write as FLAC")
    file = io.BytesIO()
    try:
        soundfile.write(file, samples, sample_rate_hz, format="FLAC", subtype="PCM_16", compression_level=_COMPRESSION)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"FLAC cannot hold audio at {sample_rate_hz} Hz: {error.error_string}") from error
    return file.getvalue()


def decode(flac: bytes) -> tuple[NDArray[np.int16], int]:
    """Read a mono 16-bit FLAC file: int16 samples of shape (n,), and their rate in hertz.

    Raises:
        AudioError: if the bytes are truncated, damaged, or not mono 16-bit FLAC.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(flac)) as file:
            kind = (file.format, file.subtype, file.channels)
            if kind != ("FLAC", "PCM_16", 1):
                raise AudioError(f"expected mono 16-bit FLAC, found {kind[0]} {kind[1]}, {kind[2]} channel(s)")
            expected, sample_rate_hz = file.frames, file.samplerate
            samples: NDArray[np.int16] = file.read(dtype="int16")
    except soundfile.LibsndfileError as error:
        raise AudioError(f"the FLAC data is damaged or cut short: {error.error_string}") from error
    if len(samples) != expected:
        raise AudioError(f"the FLAC data is cut short: {len(samples)} of {expected} samples")
    return samples, sample_rate_hz


def rate_and_length(flac: bytes) -> tuple[int, int] | None:
    """Rate in hertz and number of samples that a FLAC header states; None if it is not one of mono 16-bit FLAC.

    STREAMINFO comes first: after 18 bytes, 20 bits of rate, 3 of channels less one, 5 of sample size less one, 36 of
    length. Nothing may come before it, such as the ID3 tag that some encoders write.
    """
    if len(flac) < _STREAMINFO_END or flac[:4] != b"fLaC" or flac[4] & 0x7F:
        return None
    packed = int.from_bytes(flac[18:_STREAMINFO_END], "big")
    if (packed >> 41) & 0b111 or (packed >> 36) & 0b11111 != 15:
        return None
    return packed >> 44, packed & ((1 << 36) - 1)


def pcm_sha256(samples: NDArray[np.int16]) -> str:
    """Hash int16 samples as little-endian bytes: what a take holds, whatever encoded it."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<i2").data).hexdigest()
