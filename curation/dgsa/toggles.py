"""What style on and style off are for each engine; the timbre is the voice's own in both.

    engine          expressive                                 stable
    kokoro          the prosody half of jf_alpha               that of jf_nezumi
    piper           noise on durations and frames, × 1.2       × 0.2
    mms, coqui/vits noise scale 0.9                            0.2
    coqui/xtts      the GPT follows the speaker's recording    it follows the first of `styles`, a neutral reading
    bark            semantic codes after the speaker's preset  after none
    transplant      a lively reading, the first of `styles`    the base voice as it is
    tone            pitch and loudness of letters move, × 1    × 0.2

Kokoro is exact: its two halves are a latent of timbre and one of prosody. Under every one of its five timbres the first
half named here moves the pitch more than the second: 3.0 against 2.2 semitones, in 10 of 10 pairs. How strongly a
speaker's own half is followed (`*0.3`, `*1.5`) does not order readings so. For VITS voices style is chance, and to
turn it off is to turn the noise down.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from catalogs.errors import UsageError
from catalogs.records import VoiceCard
from synthgen.casting import Manner
from synthgen.voices.bark import PLAIN


class Mode(StrEnum):
    """The two ways in which DGSA has a text read."""

    EXPRESSIVE = "expressive"
    STABLE = "stable"


def manner_of(card: VoiceCard, mode: Mode) -> Manner:
    """How a voice reads a text in a mode.

    Raises:
        UsageError: for an engine without a style to turn off, or a voice whose table names no neutral reading.
    """
    toggle = _TOGGLES.get(card.engine)
    if toggle is None:
        raise UsageError(f"{card.name} reads in one way only: dgsa needs one of {', '.join(sorted(_TOGGLES))}")
    return toggle(card, mode)


def in_mode(card: VoiceCard, mode: Mode, temperature: float) -> Manner:
    """How a voice reads a text in a mode at a temperature; where noise is its style, the mode scales it.

    Raises:
        UsageError: as `manner_of` does.
    """
    manner = manner_of(card, mode)
    factor = (manner.temperature or 1.0) if _is_noise(card) else 1.0
    return replace(manner, temperature=round(temperature * factor, 6))


def mode_of(card: VoiceCard, manner: Manner) -> Mode | None:
    """The mode that a voice was in when it read in this manner; None if in neither, or with a borrowed timbre.

    Where style is a style, it decides at any temperature. Where it is noise, stable is at most as much as
    `manner_of` says, expressive at least as much.
    """
    if not has_toggle(card):
        return None
    found = {mode: manner_of(card, mode) for mode in Mode}
    for mode, usual in found.items():
        if (manner.style, manner.timbre) != (usual.style, usual.timbre):
            continue
        if not _is_noise(card) or _reaches(manner.temperature, usual.temperature, mode):
            return mode
    return None


def has_toggle(card: VoiceCard) -> bool:
    """Whether a voice has a style to turn off."""
    try:
        manner_of(card, Mode.STABLE)
    except UsageError:
        return False
    return True


def _is_noise(card: VoiceCard) -> bool:
    """Whether the two modes of a voice differ in nothing but their temperature."""
    return manner_of(card, Mode.EXPRESSIVE).temperature != manner_of(card, Mode.STABLE).temperature


def _reaches(temperature: float | None, usual: float | None, mode: Mode) -> bool:
    if temperature is None or usual is None:
        return False
    return temperature >= usual if mode is Mode.EXPRESSIVE else temperature <= usual


def _kokoro(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(style=_KOKORO[mode])


def _piper(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(temperature=1.2 if mode is Mode.EXPRESSIVE else 0.2)


def _tone(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(temperature=1.0 if mode is Mode.EXPRESSIVE else 0.2)


def _vits(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(temperature=0.9 if mode is Mode.EXPRESSIVE else 0.2)


def _coqui(card: VoiceCard, mode: Mode) -> Manner:
    return _xtts(card, mode) if _table(card).get("model") == "xtts" else _vits(card, mode)


def _xtts(card: VoiceCard, mode: Mode) -> Manner:
    neutral = _table(card).get("styles")
    if not neutral:
        raise UsageError(f"{card.name}: dgsa turns XTTS's style off with a neutral recording, the first of `styles`")
    usual = _table(card).get("temperature")
    temperature = _XTTS_TEMPERATURE if usual is None else float(usual)
    return Manner(style="" if mode is Mode.EXPRESSIVE else neutral[0], temperature=temperature)


def _bark(card: VoiceCard, mode: Mode) -> Manner:
    return Manner(style="" if mode is Mode.EXPRESSIVE else PLAIN, temperature=float(_table(card)["temperature"]))


def _transplant(card: VoiceCard, mode: Mode) -> Manner:
    lively = _table(card).get("styles")
    if not lively:
        raise UsageError(f"{card.name}: dgsa turns its style on with a lively reading, the first of `styles`")
    return Manner(style=lively[0] if mode is Mode.EXPRESSIVE else "")


def _table(card: VoiceCard) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(card.config)
    return table


_KOKORO = {Mode.EXPRESSIVE: "jf_alpha", Mode.STABLE: "jf_nezumi"}

_XTTS_TEMPERATURE = 0.75
"""What XTTS publishes. Its codes, as Bark's, are sampled in either mode, so a line has a temperature and a seed."""

_TOGGLES: Mapping[str, Callable[[VoiceCard, Mode], Manner]] = {
    "kokoro": _kokoro,
    "piper": _piper,
    "mms": _vits,
    "coqui": _coqui,
    "bark": _bark,
    "transplant": _transplant,
    "tone": _tone,
}
