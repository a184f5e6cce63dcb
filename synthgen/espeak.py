"""The espeak-ng library: its voices, a text read aloud, and a text as phonemes (IPA).

The library is GPL-3 and optional (``pip install 'synthgen-studio[espeak]'``). It runs in a process of its
own, see `synthgen.espeak_server`, so that the same text always has the same samples.
"""

import ctypes.util
import hashlib
import json
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import EngineError
from synthgen import espeak_server
from synthgen.word_times import Sound, sounds_of

INSTALL = "pip install 'synthgen-studio[espeak]'"
_SYSTEM_DATA = (
    "/usr/lib/x86_64-linux-gnu/espeak-ng-data",
    "/usr/lib/aarch64-linux-gnu/espeak-ng-data",
    "/usr/share/espeak-ng-data",
    "/usr/lib/espeak-ng-data",
    "/usr/local/share/espeak-ng-data",
    "/opt/homebrew/share/espeak-ng-data",
)
_LANGUAGE = re.compile(r"^language +([\w-]+) *(\d*)", re.MULTILINE)
_DICTIONARY = re.compile(r"^dictionary +(\w+)", re.MULTILINE)
_LANGUAGE_SWITCH = re.compile(r"\([a-z-]+\)")


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the library and its data lie; a system library is known by name only."""

    library: str
    data: Path


@cache
def installation() -> Installation:
    """Find espeak-ng: the one in the package ``espeakng-loader``, else the system's.

    Raises:
        EngineError: if there is neither, with the command that installs it.
    """
    try:
        import espeakng_loader
    except ImportError:
        library = ctypes.util.find_library("espeak-ng")
        data = next((path for path in map(Path, _SYSTEM_DATA) if path.is_dir()), None)
        if library is None or data is None:
            raise EngineError(f"espeak-ng is not installed; get it with `{INSTALL}`") from None
        return Installation(library, data)
    return Installation(espeakng_loader.get_library_path(), Path(espeakng_loader.get_data_path()))


@cache
def languages() -> Mapping[str, str]:
    """The voices by name ("en-us", "en-gb-x-rp"), with the names the library knows ("gmw/en-US").

    A voice has the name of its file, and the languages it says it speaks, where no nearer voice does.
    One without a dictionary is left out. Read off the data folder; the library is not loaded.
    """
    data = installation().data
    found: dict[str, tuple[int, str]] = {}
    for path in sorted(path for path in (data / "lang").rglob("*") if path.is_file()):
        voice = path.relative_to(data / "lang").as_posix()
        description = path.read_text(encoding="utf-8", errors="replace")
        declared = _LANGUAGE.findall(description)
        dictionary = _DICTIONARY.findall(description) or [path.name.lower().split("-")[0]]
        if not (data / f"{dictionary[0]}_dict").is_file():
            continue
        for name, distance in ((path.name.lower(), "0"), *declared):
            found[name] = min(found.get(name, (99, "")), (int(distance or 5), voice))
    return {name: voice for name, (_, voice) in sorted(found.items())}


@cache
def variants() -> tuple[str, ...]:
    """The names that may follow a voice and "+", such as "f3" and "whisper"."""
    return tuple(sorted(path.name for path in (installation().data / "voices" / "!v").iterdir()))


@cache
def fingerprint() -> str:
    """The sha256 over the library and its data, which take the place of a checkpoint."""
    found = installation()
    digest = hashlib.sha256()
    for path in (Path(found.library), *sorted(found.data.rglob("*"))):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def with_phonemes(checkpoint_sha256: str) -> str:
    """The hash of a checkpoint together with the library that makes its phonemes: either decides the samples.

    Raises:
        EngineError: if espeak-ng is not installed.
    """
    return hashlib.sha256(f"{checkpoint_sha256} {fingerprint()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Speech:
    """A text read aloud: int16 samples, their rate, and the sounds that they are."""

    samples: NDArray[np.int16]
    rate_hz: int
    sounds: tuple[Sound, ...]


class Espeak:
    """A running library; one text at a time, from any thread. It ends with this object."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            EngineError: if it is not installed, or does not start.
        """
        self._lock = threading.Lock()
        self._start()

    def speak(self, text: str, *, voice: str, rate: int = 175, pitch: int = 50) -> "Speech":
        """Read a text aloud.

        ``voice`` is a name of `languages`, with "+" and a name of `variants` or without; ``rate`` is in words a
        minute, ``pitch`` from 0 to 99. Markup is read as text.

        Raises:
            EngineError: if the library cannot, or died of it.
        """
        request = {"speak": _printable(text), "voice": _known(voice), "rate": rate, "pitch": pitch}
        body = self._ask(request)
        size = espeak_server.LENGTH.size
        (rate_hz,), (told,) = (espeak_server.LENGTH.unpack_from(body, at) for at in (0, size))
        samples = np.frombuffer(body, "<i2", offset=2 * size + told).astype(np.int16)
        begun = json.loads(body[2 * size : 2 * size + told])
        return Speech(samples, rate_hz, tuple(_sounds(begun, num_samples=len(samples), rate_hz=rate_hz)))

    def phonemes(self, clauses: Sequence[str], *, language: str) -> list[str]:
        """The IPA of clauses without punctuation, with stress marks; "" for a clause that is not spoken.

        Raises:
            EngineError: if the library cannot, or died of it.
        """
        request = {"phonemes": [_printable(clause) for clause in clauses], "voice": _known(language)}
        found: list[str] = json.loads(self._ask(request))
        return [_LANGUAGE_SWITCH.sub("", ipa) for ipa in found]

    def _start(self) -> None:
        found = installation()
        self._process = subprocess.Popen(
            [sys.executable, "-I", espeak_server.__file__, found.library, str(found.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._finalizer = weakref.finalize(self, _stop, self._process)
        self._receive()

    def _ask(self, request: Mapping[str, object]) -> bytes:
        with self._lock:
            if self._process.poll() is not None:
                self._finalizer()
                self._start()
            if self._process.stdin is not None:
                with suppress(BrokenPipeError):  # then there is no answer either, which `_receive` tells
                    espeak_server.write_frame(self._process.stdin, json.dumps(request).encode())
            return self._receive()

    def _receive(self) -> bytes:
        stdout = self._process.stdout
        body = None if stdout is None else espeak_server.read_frame(stdout)
        if body is None:
            self._process.kill()
            self._process.wait()
            raise EngineError("the espeak-ng process has ended; the next text starts another one")
        if not body.startswith(b"+"):
            raise EngineError(body[1:].decode())
        return body[1:]


def _sounds(begun: Sequence[tuple[str, int]], *, num_samples: int, rate_hz: int) -> list[Sound]:
    """The sounds by where each begins; a pause is written as a mark, and one that does not last is left out."""
    edges = [*(sample for _, sample in begun), num_samples]
    lasting = [
        (symbol or ".", (end - start) / rate_hz)
        for (symbol, _), (start, end) in zip(begun, pairwise(edges), strict=True)
        if symbol or end > start
    ]
    return sounds_of([symbol for symbol, _ in lasting], [s for _, s in lasting], start_s=edges[0] / rate_hz)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process: it stops by itself when its stdin does."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
    process.wait()


def _known(voice: str) -> str:
    """The library's own name of a voice, variant and all; an unknown variant it would silently leave out."""
    language, plus, variant = voice.partition("+")
    if language not in languages() or (plus and variant not in variants()):
        raise EngineError(f"espeak-ng has no voice {voice!r}")
    return languages()[language] + plus + variant


def _printable(text: str) -> str:
    """The text without control characters: one of them ends a text, others are commands to the library."""
    return "".join(" " if ord(character) < 32 or ord(character) == 127 else character for character in text)
