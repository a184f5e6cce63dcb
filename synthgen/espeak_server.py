"""The espeak-ng library in a process of its own; every request is answered by a fork of it.

The library keeps state from one text to the next (noise, flutter, half-read clauses), so that a text
sounds different each time, and it leaks. A fork starts from the same state every time and takes its
leaks with it when it ends; a text that crashes it takes nobody along.

Run as ``python espeak_server.py LIBRARY DATA``; speaks length-prefixed frames over stdin and stdout.
A request is JSON, an answer is ``+`` and its payload, or ``-`` and what went wrong. Standard library only.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from itertools import takewhile
from typing import IO, Any

TIME_LIMIT_S = 60
SYNCHRONOUS, BUFFER_MS = 2, 20
PHONEME_EVENTS, PHONEMES_IN_IPA, DO_NOT_EXIT = 1, 2, 0x8000
END_OF_EVENTS, WORD, PHONEME = 0, 1, 7
UTF8, CHARACTERS = 1, 1
RATE, PITCH = 1, 3
IPA = 2

LENGTH = struct.Struct("!I")


class EventId(ctypes.Union):
    """What an event is about, by its kind."""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """The library's ``espeak_EVENT``; ``sample`` is where it begins in the whole text."""

    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", EventId),
    )  # fmt: skip


SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read one frame; None at the end of the stream, also in the middle of a frame."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    body = stream.read(LENGTH.unpack(head)[0])
    return body if len(body) == LENGTH.unpack(head)[0] else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    """Write one frame."""
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def load(library: str, data: str) -> ctypes.CDLL:
    """Load the library, with its list of voices read so that no fork need read it again."""
    lib = ctypes.CDLL(library)
    lib.espeak_TextToPhonemes.restype = ctypes.c_void_p
    lib.espeak_ListVoices.restype = ctypes.c_void_p
    options = PHONEME_EVENTS | PHONEMES_IN_IPA | DO_NOT_EXIT
    if lib.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), options) <= 0:
        raise OSError(f"espeak-ng does not start with the data in {data}")
    lib.espeak_ListVoices(None)
    return lib


def answer(lib: ctypes.CDLL, request: dict[str, Any]) -> bytes:
    """Do what is asked; runs in a fork."""
    if lib.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        raise ValueError(f"espeak-ng cannot load the voice {request['voice']!r}")
    if "speak" in request:
        return speak(lib, request["speak"], rate=request["rate"], pitch=request["pitch"])
    return json.dumps([phonemes(lib, clause) for clause in request["phonemes"]]).encode()


def speak(lib: ctypes.CDLL, text: str, *, rate: int, pitch: int) -> bytes:
    """Read a text aloud: the sampling rate and the length of what follows, four bytes each, the sounds, the samples.

    The sounds are JSON, pairs of IPA and the sample where it begins; " " is where a word does, "" is a pause.
    """
    pieces: list[bytes] = []
    sounds: list[tuple[str, int]] = []

    def receive(samples: int | None, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        for event in takewhile(lambda event: event.type != END_OF_EVENTS, events):
            if event.type == WORD:
                sounds.append((" ", event.sample))
            elif event.type == PHONEME:
                sounds.append((event.id.string.decode(errors="ignore"), event.sample))
        return 0

    callback = SynthCallback(receive)
    lib.espeak_SetSynthCallback(callback)
    lib.espeak_SetParameter(RATE, rate, 0)
    lib.espeak_SetParameter(PITCH, pitch, 0)
    lib.espeak_ng_SetRandSeed(ctypes.c_long(1))
    encoded = text.encode() + b"\0"
    size = ctypes.c_size_t(len(encoded))
    status = lib.espeak_Synth(encoded, size, 0, CHARACTERS, 0, UTF8, None, None)
    if status != 0:
        raise ValueError(f"espeak-ng cannot read the text (status {status})")
    told = json.dumps(sounds).encode()
    return LENGTH.pack(lib.espeak_ng_GetSampleRate()) + LENGTH.pack(len(told)) + told + b"".join(pieces)


def phonemes(lib: ctypes.CDLL, clause: str) -> str:
    """The IPA of a clause; pieces that the library itself splits off are joined by blanks."""
    encoded = ctypes.create_string_buffer(clause.encode())
    rest = ctypes.c_void_p(ctypes.addressof(encoded))
    found: list[str] = []
    while rest.value:
        ipa = lib.espeak_TextToPhonemes(ctypes.byref(rest), UTF8, IPA)
        if ipa:
            found.append(ctypes.string_at(ipa).decode().strip())
    return " ".join(piece for piece in found if piece)


def answer_in_fork(lib: ctypes.CDLL, request: dict[str, Any]) -> bytes:
    """Fork, let the child answer through a pipe, and wait for its end."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        signal.alarm(TIME_LIMIT_S)
        try:
            body = b"+" + answer(lib, request)
        except (ValueError, KeyError, UnicodeError, ctypes.ArgumentError) as error:
            body = b"-" + str(error).encode()
        with os.fdopen(there, "wb") as pipe:
            pipe.write(body)
        os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        body = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"-espeak-ng died of {signal.Signals(os.WTERMSIG(status)).name} over this text".encode()
    return body or b"-espeak-ng gave no answer"


def serve(library: str, data: str) -> None:
    """Answer requests until stdin ends."""
    lib = load(library, data)
    write_frame(sys.stdout.buffer, b"+ready")
    while (body := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, answer_in_fork(lib, json.loads(body)))


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
