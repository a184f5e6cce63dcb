"""The takes that the report plays: a sample spread over verdicts, voices and reasons, with audio and pitch."""

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.errors import AudioError
from catalogs.flac import decode
from catalogs.ids import Id
from catalogs.lake import query
from curation.report.differences import Span, differences
from curation.report.findings import State
from curation.report.sound import opus
from curation.report.tracks import Track, track

AUDIO_BYTES = 9_000_000
"""How much text the audio of a report may be; the rest of it is small, so the page stays under 15 MB."""

LONGEST_AUDIO_BYTES = 600_000
"""How much of that one take may be: two minutes."""

_TAKES_A_TEXT = 8


@dataclass(frozen=True, slots=True)
class Drawn:
    """A take of the pool that was drawn to be played."""

    take_id: Id
    prompt_id: Id
    voice: str
    language: str
    domain: str
    text: str
    spoken: str | None
    style: str | None
    timbre: str | None
    temperature: float | None
    audio_s: float
    shard: str
    offset: int
    num_bytes: int
    state: State
    reasons: tuple[str, ...]
    is_released: bool
    transcript: str | None
    wer: float | None
    dnsmos_ovrl: float | None
    f0_sd_st: float | None
    speaker_similarity: float | None


@dataclass(frozen=True, slots=True)
class Player:
    """One take to look at and listen to.

    ``spans`` tell what was heard, empty if nobody listened. ``audio`` is a data URI; where it is None, ``trouble``
    says why. ``others`` are tracks of other takes of the same text.
    """

    take: Drawn
    spans: tuple[Span, ...]
    audio: str | None
    trouble: str | None
    track: Track | None
    others: tuple[Track, ...]


def choose_players(catalog: Catalog, *, most: int) -> tuple[Player, ...]:
    """Draw takes from the pool, half of them dropped ones if there are so many; the same pool gives the same ones."""
    rows = [Drawn(*row) for row in catalog.lake.rows(query("report_players"), most=most)]
    dropped = [take for take in rows if take.state == "dropped"]
    others = [take for take in rows if take.state != "dropped"]
    dropped = dropped[: max(most // 2, most - len(others))]
    return _Booth(catalog).prepare([*dropped, *others[: most - len(dropped)]])


class _Booth:
    """Reads audio, as often as it must and no more, and keeps count of what the page has taken on."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._room_bytes = AUDIO_BYTES
        self._tracks: dict[Id, Track | None] = {}

    def prepare(self, takes: Sequence[Drawn]) -> tuple[Player, ...]:
        """Players for these takes, in their order."""
        companions = self._companions(takes)
        return tuple(self._player(take, companions[take.prompt_id]) for take in takes)

    def _player(self, take: Drawn, companions: Sequence[tuple[Id, Place]]) -> Player:
        audio, trouble = None, None
        try:
            samples, rate_hz = self._read(take.take_id, Place(take.shard, take.offset, take.num_bytes))
            audio = self._admitted(opus(samples, rate_hz))
            trouble = None if audio else "left out, so that this page stays small enough to send"
        except AudioError:
            trouble = "its audio is gone or damaged: `synthgen verify` tells more"
        return Player(
            take=take,
            spans=_spans(take),
            audio=audio,
            trouble=trouble,
            track=self._tracks.get(take.take_id),
            others=self._others(take.take_id, companions),
        )

    def _others(self, take_id: Id, companions: Sequence[tuple[Id, Place]]) -> tuple[Track, ...]:
        found = []
        for other, place in companions:
            if other not in self._tracks:
                try:
                    self._read(other, place)
                except AudioError:
                    self._tracks[other] = None  # its own player says so, if it has one
            known = self._tracks[other]
            if known and other != take_id:
                found.append(known)
        return tuple(found)

    def _read(self, take_id: Id, place: Place) -> tuple[NDArray[np.int16], int]:
        samples, rate_hz = decode(self._catalog.audio.read(place))
        if take_id not in self._tracks:
            self._tracks[take_id] = track(samples, rate_hz)
        return samples, rate_hz

    def _admitted(self, audio: bytes) -> str | None:
        uri = f"data:audio/ogg;base64,{base64.b64encode(audio).decode()}"
        if len(uri) > min(self._room_bytes, LONGEST_AUDIO_BYTES):
            return None
        self._room_bytes -= len(uri)
        return uri

    def _companions(self, takes: Sequence[Drawn]) -> dict[Id, list[tuple[Id, Place]]]:
        prompts = sorted({take.prompt_id for take in takes})
        found: dict[Id, list[tuple[Id, Place]]] = defaultdict(list)
        rows = self._catalog.lake.rows(query("report_companions"), prompt_ids=prompts, most=_TAKES_A_TEXT)
        for prompt_id, take_id, *place in rows:
            found[prompt_id].append((take_id, Place(*place)))
        return found


def _spans(take: Drawn) -> tuple[Span, ...]:
    if take.transcript is None:
        return ()
    return differences(take.text, take.transcript, spoken=take.spoken, language=take.language)
