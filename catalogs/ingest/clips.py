"""A stretch of a sound file, and how it becomes what a corpus stores: mono 16-bit FLAC at its own rate."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from catalogs import flac
from catalogs.errors import AudioError
from catalogs.ingest.rows import Row, RowError

# Rounded times in manifests reach past the end of a file by a little; more is a mistake.
_SLACK_S = 0.1
# Decoders of these do not seek to the sample.
_LOSSY = {"MP3", "OGG"}
# Float audio a little over full scale was mixed hot; far over, it was never scaled to [-1, 1].
_MAX_FLOAT_PEAK = 8.0


@dataclass(frozen=True, slots=True)
class Clip:
    """Where a recording lies, and the row that describes it.

    Without ``start_s`` the whole file is meant; ``duration_s`` then only says how long it should be, unless
    the clip ``may_end_early``: of a longer file it is that much. ``channels`` None means all of them.
    """

    row: Row
    audio: Path
    start_s: float | None = None
    duration_s: float | None = None
    channels: tuple[int, ...] | None = None
    may_end_early: bool = False


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono 16-bit FLAC, and in words what was done to the samples on the way."""

    flac: bytes
    pcm_sha256: str
    sample_rate_hz: int
    num_samples: int
    changes: tuple[str, ...]


def load(clip: Clip, *, max_s: float) -> Sound:
    """Read a clip. A file that already is mono 16-bit FLAC, and wanted whole, keeps its very bytes.

    Raises:
        RowError: if the file is missing, not decodable, shorter or longer than it should be, empty, longer
            than ``max_s``, or holds samples that are not finite.
    """
    try:
        with clip.audio.open("rb") as raw, soundfile.SoundFile(raw) as file:
            start, num_samples = _extent(clip, file, max_s=max_s)
            if not num_samples:
                raise RowError("no-audio", f"{clip.audio} has no samples here")
            is_whole = num_samples == file.frames and clip.channels in (None, (0,))
            if is_whole and (file.format, file.subtype, file.channels) == ("FLAC", "PCM_16", 1):
                raw.seek(0)
                return _as_it_is(raw.read())
            wave = _read(clip, file, start=start, num_samples=num_samples)
            return _converted(clip, wave, rate_hz=file.samplerate, subtype=file.subtype)
    except FileNotFoundError:
        raise RowError("audio-missing", f"{clip.audio} is not there") from None
    except OSError as error:
        raise RowError("audio-missing", f"{clip.audio} cannot be read: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        raise RowError("audio-damaged", f"{clip.audio} cannot be decoded: {error.error_string}") from error
    except ValueError:
        raise RowError("audio-missing", f"{str(clip.audio)!r} cannot be the name of a file") from None
    except (AudioError, TypeError) as error:  # a TypeError is a headerless file, whose rate nobody knows
        raise RowError("audio-damaged", f"{clip.audio} cannot be decoded: {error}") from error


def _extent(clip: Clip, file: soundfile.SoundFile, *, max_s: float) -> tuple[int, int]:
    """First sample and number of samples."""
    rate_hz = file.samplerate
    start = round((clip.start_s or 0.0) * rate_hz)
    wanted = None if clip.duration_s is None else round(clip.duration_s * rate_hz)
    there = max(0, file.frames - start)
    if start < 0 or (wanted is not None and wanted < 0):
        raise RowError("bad-times", f"{clip.audio}: a start or a duration below zero")
    if wanted is not None and wanted - there > _SLACK_S * rate_hz:
        raise RowError(
            "audio-cut-short",
            f"{clip.audio} ends at {file.frames / rate_hz:.2f} s, "
            f"where {(start + wanted) / rate_hz:.2f} s are expected",
        )
    goes_on = wanted is not None and there - wanted > _SLACK_S * rate_hz
    if goes_on and clip.start_s is None and not clip.may_end_early:
        raise RowError(
            "audio-too-long",
            f"{clip.audio} lasts {file.frames / rate_hz:.2f} s, where {clip.duration_s:.2f} s are expected; "
            "mend the duration, or give an offset to cut there",
        )
    is_cut = wanted is not None and (goes_on or clip.start_s is not None)
    num_samples = min(wanted, there) if is_cut else there
    if num_samples > max_s * rate_hz:
        raise RowError(
            "too-long", f"{clip.audio}: {num_samples / rate_hz:,.0f} s where {max_s:,.0f} s are the limit; cut it"
        )
    return start, num_samples


def _as_it_is(data: bytes) -> Sound:
    samples, sample_rate_hz = flac.decode(data)
    if flac.rate_and_length(data) != (sample_rate_hz, len(samples)):  # a tag stands before it; an export refuses that
        data = flac.encode(samples, sample_rate_hz)
    return Sound(data, flac.pcm_sha256(samples), sample_rate_hz, len(samples), ())


def _read(clip: Clip, file: soundfile.SoundFile, *, start: int, num_samples: int) -> NDArray[np.float32]:
    """Samples as (n, channels), float32, in [-1, 1] unless the file itself goes over."""
    is_lossy = file.format in _LOSSY
    file.seek(0 if is_lossy else start)
    passed = _pass_over(file, start) if is_lossy else start
    wave: NDArray[np.float32] = file.read(num_samples, dtype="float32", always_2d=True)
    if len(wave) < num_samples:
        there = passed + len(wave)
        raise RowError("audio-cut-short", f"{clip.audio} holds {there:,} of the samples its header promises")
    return wave


def _pass_over(file: soundfile.SoundFile, num_samples: int) -> int:
    """Decode samples and forget them, a second at a time; gives how many there were."""
    passed = 0
    while passed < num_samples:
        num_read = len(file.read(min(file.samplerate, num_samples - passed), dtype="float32"))
        if not num_read:
            break
        passed += num_read
    return passed


def _converted(clip: Clip, wave: NDArray[np.float32], *, rate_hz: int, subtype: str) -> Sound:
    changes = []
    if clip.channels is not None:
        if max(clip.channels) >= wave.shape[1]:
            raise RowError("bad-channel", f"{clip.audio} has {wave.shape[1]} channels, not {max(clip.channels) + 1}")
        wave = wave[:, clip.channels]
    if not np.isfinite(wave).all():
        raise RowError("not-finite", f"{clip.audio} holds NaN or infinite samples")
    if wave.shape[1] > 1:
        changes.append(f"mean of {wave.shape[1]} channels")
    mono = wave.mean(axis=1)
    peak = float(np.abs(mono).max())
    if peak > _MAX_FLOAT_PEAK:
        raise RowError("not-scaled", f"{clip.audio} reaches {peak:,.0f}; float samples belong in [-1, 1]")
    scaled = np.rint(mono * np.float32(32768))
    clipped = int((np.abs(mono) > 1).sum())
    if clipped:
        changes.append(f"{clipped} samples over full scale clipped")
    if subtype != "PCM_16":
        changes.append(f"{subtype} to 16 bit")
    samples = np.clip(scaled, -32768, 32767).astype(np.int16)
    data = flac.encode(samples, rate_hz)
    return Sound(data, flac.pcm_sha256(samples), rate_hz, len(samples), tuple(changes))
