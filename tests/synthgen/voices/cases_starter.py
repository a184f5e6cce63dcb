"""The voices that need no more than the starter set.

A case is a function from an empty folder to a configuration; what a voice can do is read off its card.
Another `cases_*.py` beside this one, with its own ``CASES``, joins the contract suite by being there.
"""

from pathlib import Path

import pytest

from synthgen.voice import VoiceConfig
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.kokoro import KokoroConfig
from synthgen.voices.piper import PiperConfig
from synthgen.voices.tone import ToneConfig


def tone(_: Path) -> VoiceConfig:
    return ToneConfig(speakers=("tone-1", "tone-2"))


def espeak(_: Path) -> VoiceConfig:
    return EspeakConfig(speakers=("en-us", "de", "vi", "en-gb+f3"))


def kokoro(_: Path) -> VoiceConfig:
    return KokoroConfig(speakers=("jf_alpha", "jf_alpha:0.6+jm_kumo:0.4"))


def piper(_: Path) -> VoiceConfig:
    return PiperConfig()


CASES = [pytest.param(case, id=case.__name__) for case in (tone, espeak, kokoro, piper)]
