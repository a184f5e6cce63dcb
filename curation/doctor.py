"""The doctor: what works on this machine, tried and not guessed, and what to do about the rest."""

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias

from catalogs import models
from catalogs.config import load_registered, registered
from catalogs.errors import SynthgenError
from catalogs.records import Line, Prompt

State: TypeAlias = Literal["ok", "missing", "broken"]

SENTENCE = "The quick brown fox jumps over the lazy dog."
LOW_DISK_GB = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: State
    detail: str

    def text(self) -> str:
        """The finding in one line."""
        return f"{self.state:8} {self.subject:22} {self.detail}"


def examine(*, speak: bool) -> Iterator[Finding]:
    """Look at the machine, the models and the voices, one finding at a time; ``speak`` loads every starter voice."""
    yield _machine()
    yield _disk()
    yield _gpu()
    for artefact in models.artefacts():
        folder = models.cached(artefact.name)
        detail = f"{artefact.num_bytes / 1e6:.0f} MB, {artefact.licence}"
        hint = "" if folder else f"; fetched when needed, or now: synthgen models get {artefact.name}"
        yield Finding(f"model {artefact.name}", "ok" if folder else "missing", detail + hint)
    for engine in registered("synthgen.voices"):
        yield _voice(engine, speak=speak)


def _machine() -> Finding:
    import psutil

    memory_gb = psutil.virtual_memory().available / 1e9
    state: State = "ok" if sys.version_info >= (3, 11) else "broken"
    return Finding(
        "machine", state, f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {memory_gb:.0f} GB free"
    )


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    state: State = "ok" if free_gb > LOW_DISK_GB else "broken"
    return Finding("disk", state, f"{free_gb:.0f} GB free here (an hour of audio takes about 0.1 GB)")


def _gpu() -> Finding:
    def look() -> str:
        import torch

        if not torch.cuda.is_available():
            return "none; the starter voices need none"
        return ", ".join(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count()))

    return _tried("gpu", look)


def _voice(engine: str, *, speak: bool) -> Finding:
    subject = f"voice {engine}"
    if engine in ("bark", "coqui", "mms", "speecht5"):
        if importlib.util.find_spec("TTS" if engine == "coqui" else "transformers") is None:
            return Finding(subject, "missing", "pip install 'synthgen-studio[engines]'")
        return Finding(subject, "ok", "its library is here; name a checkpoint in the recipe")

    def listen() -> str:
        table = load_registered("synthgen.voices", engine, source="doctor")
        if asked := [each.name for each in fields(table) if each.default is each.default_factory is MISSING]:
            return f"speaks by the {' and '.join(asked)} that a recipe names"
        config = table()
        card = config.cards()[0]
        if not speak:
            return f"{len(config.cards())} voices by default"
        prompt_id = Prompt.id_of(SENTENCE, card.language)
        line = Line.new(prompt_id=prompt_id, voice_id=card.id, text=SENTENCE, normaliser="doctor")
        began = time.perf_counter()
        voice = config.build()
        loaded = time.perf_counter()
        reading = voice.speak([line])[0]
        audio_s = len(reading.samples) / reading.sample_rate_hz
        speed = audio_s / max(time.perf_counter() - loaded, 1e-9)
        return f"{card.name} loads in {loaded - began:.1f} s and speaks at {speed:.1f}× real time on one actor"

    return _tried(subject, listen)


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, "ok", look())
    except (SynthgenError, ImportError, OSError) as error:
        return Finding(subject, "broken", str(error).splitlines()[0])
