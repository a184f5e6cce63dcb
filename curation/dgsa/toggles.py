"""What style on and style off are for each engine; the timbre is the voice's own in both.

Style off is one way of reading, style on a *bank* of them: the readings of a text take one after the other.

    engine          expressive                                 stable
    kokoro          prosody halves that are lively under the   that of jf_nezumi
                    voice's timbre, see `curation.dgsa.banks`
    piper           noise on durations and frames, as          × 0.2
                    published; at three speeds
    mms, coqui/vits noise scale 0.9                            0.2
    coqui/xtts      the GPT follows the speaker's recording    it follows the first of `styles`, a neutral reading
    bark            semantic codes after the speaker's preset  after none
    transplant      lively readings, all of `styles`           the base voice as it is
    tone            pitch and loudness of letters move, × 1    × 0.2

Kokoro is exact: its two halves are a latent of timbre and one of prosody. For VITS voices style is chance, and to turn
it off is to turn the noise down. More noise than published does not make readings of Piper differ more, so that its
bank has the published noise and differs in speed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeAlias

from catalogs.errors import UsageError
from catalogs.ids import Id, seed_of
from catalogs.records import VoiceCard
from curation.dgsa.banks import KOKORO, KOKORO_STABLE, OTHER_KOKORO, PIPER_SPEEDS
from synthgen.casting import Manner
from synthgen.voices.bark import PLAIN


class Mode(StrEnum):
    """The two ways in which DGSA has a text read."""

    EXPRESSIVE = "expressive"
    STABLE = "stable"


Bank: TypeAlias = tuple[Manner, ...]
"""The ways in which a voice reads in one mode, the liveliest first; they differ in style alone."""


def bank_of(card: VoiceCard, mode: Mode) -> Bank:
    """How a voice reads a text in a mode.

    Raises:
        UsageError: for an engine without a style to turn off, or a voice whose table names no neutral reading.
    """
    toggle = _TOGGLES.get(card.engine)
    if toggle is None:
        raise UsageError(f"{card.name} reads in one way only: dgsa needs one of {', '.join(sorted(_TOGGLES))}")
    return toggle(card, mode)


def in_mode(card: VoiceCard, mode: Mode, temperature: float) -> Bank:
    """How a voice reads a text in a mode at a temperature; where noise is its style, the mode scales it.

    Raises:
        UsageError: as `bank_of` does.
    """
    usual = {each: bank_of(card, each)[0].temperature for each in Mode}
    is_noise = len(set(usual.values())) > 1
    factor = (usual[mode] or 1.0) if is_noise else 1.0
    return tuple(replace(manner, temperature=round(temperature * factor, 6)) for manner in bank_of(card, mode))


def first_turn(prompt_id: Id, card_id: Id) -> int:
    """Where in a bank a voice begins with a text: as good as chance, and the same whenever the job is cast."""
    return seed_of("bank", prompt_id, card_id)


def mode_of(card: VoiceCard, manner: Manner) -> Mode | None:
    """The mode that a voice was in when it read in this manner; None if in neither, or with a borrowed timbre.

    A style that only one of the modes has decides at any temperature. Of one that both have, stable is at most as much
    noise as `bank_of` says, expressive at least as much.
    """
    if not has_toggle(card):
        return None
    how = (manner.style, manner.timbre)
    found = [(mode, usual) for mode in Mode for usual in bank_of(card, mode) if (usual.style, usual.timbre) == how]
    if len(found) == 1:
        return found[0][0]
    return next((mode for mode, usual in found if _reaches(manner.temperature, usual.temperature, mode)), None)


def has_toggle(card: VoiceCard) -> bool:
    """Whether a voice has a style to turn off."""
    try:
        bank_of(card, Mode.STABLE)
    except UsageError:
        return False
    return True


def _reaches(temperature: float | None, usual: float | None, mode: Mode) -> bool:
    if temperature is None or usual is None:
        return False
    return temperature >= usual if mode is Mode.EXPRESSIVE else temperature <= usual


def _kokoro(card: VoiceCard, mode: Mode) -> Bank:
    styles = KOKORO.get(card.speaker, OTHER_KOKORO) if mode is Mode.EXPRESSIVE else (KOKORO_STABLE,)
    return tuple(Manner(style=style) for style in styles)


def _piper(_: VoiceCard, mode: Mode) -> Bank:
    if mode is Mode.STABLE:
        return (Manner(temperature=0.2),)
    return tuple(Manner(style=style, temperature=1.0) for style in PIPER_SPEEDS)


def _tone(_: VoiceCard, mode: Mode) -> Bank:
    return (Manner(temperature=1.0 if mode is Mode.EXPRESSIVE else 0.2),)


def _vits(_: VoiceCard, mode: Mode) -> Bank:
    return (Manner(temperature=0.9 if mode is Mode.EXPRESSIVE else 0.2),)


def _coqui(card: VoiceCard, mode: Mode) -> Bank:
    return _xtts(card, mode) if _table(card).get("model") == "xtts" else _vits(card, mode)


def _xtts(card: VoiceCard, mode: Mode) -> Bank:
    neutral = _table(card).get("styles")
    if not neutral:
        raise UsageError(f"{card.name}: dgsa turns XTTS's style off with a neutral recording, the first of `styles`")
    usual = _table(card).get("temperature")
    temperature = _XTTS_TEMPERATURE if usual is None else float(usual)
    return (Manner(style="" if mode is Mode.EXPRESSIVE else neutral[0], temperature=temperature),)


def _bark(card: VoiceCard, mode: Mode) -> Bank:
    return (Manner(style="" if mode is Mode.EXPRESSIVE else PLAIN, temperature=float(_table(card)["temperature"])),)


def _transplant(card: VoiceCard, mode: Mode) -> Bank:
    lively = _table(card).get("styles")
    if not lively:
        raise UsageError(f"{card.name}: dgsa turns its style on with lively readings, all of `styles`")
    return tuple(Manner(style=style) for style in lively) if mode is Mode.EXPRESSIVE else (Manner(),)


def _table(card: VoiceCard) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(card.config)
    return table


_XTTS_TEMPERATURE = 0.75
"""What XTTS publishes. Its codes, as Bark's, are sampled in either mode, so a line has a temperature and a seed."""

_TOGGLES: Mapping[str, Callable[[VoiceCard, Mode], Bank]] = {
    "kokoro": _kokoro,
    "piper": _piper,
    "mms": _vits,
    "coqui": _coqui,
    "bark": _bark,
    "transplant": _transplant,
    "tone": _tone,
}
