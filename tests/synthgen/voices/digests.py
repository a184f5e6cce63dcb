"""What a voice reads, as hashes: in a module of its own, which another process can import."""

import hashlib
from collections.abc import Sequence

from catalogs.records import Line
from synthgen.voice import Reading, VoiceConfig


def digests(config: VoiceConfig, lines: Sequence[Line]) -> list[str]:
    """Build a voice, and hash what it reads."""
    return digests_of(config.build().speak(lines))


def digests_of(readings: Sequence[Reading]) -> list[str]:
    """The hashes of the samples of readings."""
    return [hashlib.sha256(reading.samples.tobytes()).hexdigest() for reading in readings]
