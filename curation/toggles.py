"""What style on and style off are for each engine; the timbre is the voice's own in both.

    engine          expressive                                 stable
    kokoro          the prosody half of jf_alpha               that of jf_nezumi
    piper           noise on durations and frames, × 1.2       × 0.2
    mms, coqui/vits noise scale 0.9                            0.2
    coqui/xtts      the GPT follows the speaker's recording    it follows the first of `styles`, a neutral reading
    bark            semantic codes after the speaker's preset  after none
    transplant      a lively reading, the first of `styles`    the base voice as it is

Kokoro is exact: its two halves are a latent of timbre and one of prosody. Under every one of its five timbres the first
half named here moves the pitch more than the second: 3.0 against 2.2 semitones, in 10 of 10 pairs. How strongly a
speaker's own half is followed (`*0.3`, `*1.5`) does not order readings so. For VITS voices style is chance, and to
turn it off is to turn the noise down.
"""

import json
from collections.abc import Callable, Mapping
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


def mode_of(card: VoiceCard, manner: Manner) -> Mode | None:
    """The mode that a voice was in when it read in this manner; None if in neither, or with a borrowed timbre."""
    if not has_toggle(card):
        return None
    for mode in Mode:
        found = manner_of(card, mode)
        if (manner.style, manner.timbre, manner.temperature) == (found.style, found.timbre, found.temperature):
            return mode
    return None


def has_toggle(card: VoiceCard) -> bool:
    """Whether a voice has a style to turn off."""
    try:
        manner_of(card, Mode.STABLE)
    except UsageError:
        return False
    return True


def _kokoro(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(style=_KOKORO[mode])


def _piper(_: VoiceCard, mode: Mode) -> Manner:
    return Manner(temperature=1.2 if mode is Mode.EXPRESSIVE else 0.2)


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
}
