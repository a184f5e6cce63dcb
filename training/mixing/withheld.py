"""Why nothing of some takes or texts is heard in turn: there is something to hear, and a setting has it read."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from catalogs.text import has_spaces
from training.interleaving.choosing import Choosing, interleave
from training.members import Member
from training.mixing.sources import Sources

_SETTINGS = ("least_confidence", "confidence", "entity_heard")


def withheld(sources: Sources, pool: Sequence[Member]) -> str:
    """Which settings have all units read, for people; nothing if there is nothing to hear without them either.

    Settings that do so by themselves are told, or else all that are set.
    """
    choosing = sources.config.choosing
    asked = [name for name in _SETTINGS if getattr(choosing, name) is not None]
    if not asked or not _is_heard(sources, pool, _without(choosing, asked)):
        return ""
    alone = [name for name in asked if _is_heard(sources, pool, _without(choosing, [name]))]
    told = " and ".join(f"choosing.{name} = {getattr(choosing, name):g}" for name in alone or asked)
    return f"there are units to hear, and {told} has all of them read; ask for less of it, or leave it out"


def of_one_unit(sources: Sources, pool: Sequence[Member]) -> str:
    """Why takes or texts may be one unit, which is read, and what can be done about it, for people to read on."""
    if unspaced := sorted({member.language for member in pool if not has_spaces(member.language)}):
        return (
            f"; {', '.join(unspaced)} is written without spaces between words, so that a text is one unit: have its "
            "takes transcribed, and its texts read"
        )
    is_by_word = sources.config.choosing.granularity == "word"
    return "" if is_by_word else '; choosing.granularity = "word" makes more of them'


def _without(choosing: Choosing, names: Collection[str]) -> Choosing:
    left_out: dict[str, Any] = dict.fromkeys(names)
    return replace(choosing, **left_out)


def _is_heard(sources: Sources, pool: Sequence[Member], choosing: Choosing) -> bool:
    """Whether anything is heard in either variant."""
    return any(
        part.modality == "speech"
        for member in pool
        for heard_first in (True, False)
        for part in interleave(
            sources.words[member.take_id],
            choosing,
            take_id=member.take_id,
            seed=0,
            heard_first=heard_first,
            entities=sources.entities.get(member.take_id, ()),
        )
    )
