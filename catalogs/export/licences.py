"""Which licences may go into an export, and a stream that refuses the rest."""

import re
from collections.abc import Iterable, Iterator, Mapping

from catalogs.errors import ReleaseError
from catalogs.export.item import ReleasedTake, Use
from catalogs.records import Release

_NON_COMMERCIAL = re.compile(r"\bNC\b|non-?\s?commercial|\bCPML\b|coqui public model|research[- ]only", re.IGNORECASE)
_WITHDRAWN = re.compile(r"\b(withdrawn|revoked|refused|denied)\b", re.IGNORECASE)
_UNSTATED = ("", "unknown", "not stated", "none", "other")


def refusal(licence: str, use: Use, *, consent: str = "") -> str | None:
    """Why a licence, or what the speaker agreed to, does not allow a use; None if both do.

    A licence that nobody stated allows no commercial use; consent that was withdrawn allows none.
    """
    if _WITHDRAWN.search(consent):
        return f"its speaker's consent is: {consent}"
    if use == "research":
        return None
    if _NON_COMMERCIAL.search(consent):
        return f"its speaker agreed to: {consent}"
    if licence.strip().lower() in _UNSTATED or "not stated" in licence:
        return "its licence is not stated"
    return f"{licence} is non-commercial" if _NON_COMMERCIAL.search(licence) else None


def permitted(items: Iterable[ReleasedTake], release: Release, use: Use) -> Iterator[ReleasedTake]:
    """Pass takes on until one may not be used so; then only count, and refuse them all at the end.

    Raises:
        ReleaseError: naming every voice that may not be used so, and its number of takes.
    """
    refused: dict[str, int] = {}
    for item in items:
        reason = refusal(item.voice.licence, use, consent=item.voice.consent)
        if reason:
            voice = f"{item.voice.name} ({reason})"
            refused[voice] = refused.get(voice, 0) + 1
        elif not refused:
            yield item
    refuse(refused, release, use)


def refuse(refused: Mapping[str, int], release: Release, use: Use) -> None:
    """Refuse what `refusal` has found, if anything: takes by voice and reason.

    Raises:
        ReleaseError: naming every voice, and its number of takes.
    """
    if refused:
        voices = [f"{number} by {voice}" for voice, number in sorted(refused.items())]
        raise ReleaseError(
            f"release {release.name} has takes that are not for {use} use: {', '.join(voices)}; "
            f"freeze a release without these voices{', or export it for research' if use != 'research' else ''}"
        )
