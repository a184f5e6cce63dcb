"""Faults on purpose: clips that no longer say their text, of which it is known what is wrong with them.

They hold recognisers and judges to account. A text fault changes what a clip claims to say, which is exact for any
audio; a sound fault changes what it says. What becomes of a clip follows from its take alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from catalogs.clip import Clip
from catalogs.errors import InputError
from catalogs.ids import content_id, seed_of
from catalogs.signal import to_float32, to_int16
from catalogs.text import has_spaces, normalise
from curation.metrics.frames import FRAME_S, frame_levels_db, is_silent

Kind: TypeAlias = Literal["dropped", "repeated", "swapped", "truncated", "babble"]
"""What is wrong: the text has a word more than the sound; a stretch is said twice; two neighbouring words of the text
are in the other order; the last fifth or more is missing; other speech lies over it, or half of it runs backwards."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Wave: TypeAlias = NDArray[np.float32]

_MOST_TRIES = 20
_TRUNCATED_SHARE = (0.2, 0.4)
_BABBLE_DB = (0.0, 6.0)
_BACKWARDS_SHARE = (0.4, 0.6)
_REPEATED_S = (0.35, 0.8)
_FADE_S = 0.005


@dataclass(frozen=True, slots=True)
class Specimen:
    """A clip and its fault; none is a clip that was left as it is."""

    clip: Clip
    fault: Kind | None


def specimens(clips: Sequence[Clip], *, share: float = 0.4) -> list[Specimen]:
    """Spoil a share of the clips, the kinds in turn, and leave the rest; in the order given.

    The share is exact, and which clips it takes does not depend on their order. A clip that cannot have the kind
    whose turn it is gets the next one that it can have.

    Raises:
        InputError: if a clip can have no fault, being silent, or alone.
    """
    ranked = sorted(clips, key=lambda clip: seed_of("specimen", clip.take_id))
    made: dict[str, Specimen] = {clip.take_id: Specimen(clip, None) for clip in clips}
    for turn, clip in enumerate(ranked[: round(share * len(ranked))]):
        other = _other(clip, [*ranked[turn + 1 :], *ranked[:turn]])
        made[clip.take_id] = _first_possible(clip, other, turn=turn)
    return [made[clip.take_id] for clip in clips]


def spoil(clip: Clip, kind: Kind, *, other: Clip) -> Clip:
    """Give a clip a fault. The new clip has an id of its own, and one text, the spoken form.

    Args:
        clip: a clip that says its text.
        kind: what is to be wrong.
        other: a clip of another text, which lends the word that is claimed, or the babble.

    Raises:
        InputError: if the clip cannot have this fault: it has too few words, or hardly a sound.
    """
    random = np.random.default_rng(seed_of("fault", kind, clip.take_id))
    text, samples = clip.spoken, clip.samples
    if kind == "dropped":
        text = _with_a_word_more(clip, other, random)
    elif kind == "swapped":
        text = _with_neighbours_swapped(clip, random)
    elif kind == "repeated":
        samples = _with_a_stretch_twice(clip, random)
    elif kind == "truncated":
        samples = _without_its_end(clip, random)
    else:
        samples = _babble(clip, other, random)
    take_id = content_id("fault", clip.take_id, kind, other.take_id)
    stored = to_float32(to_int16(samples))
    return replace(clip, take_id=take_id, text=text, spoken=text, samples=stored, _resampled={})


def _other(clip: Clip, following: Sequence[Clip]) -> Clip:
    """The next clip of another text, in the same language if there is one."""
    others = [other for other in following if other.spoken != clip.spoken]
    if not others:
        raise InputError(f"take {clip.take_id}: a fault needs a second clip, of another text")
    return next((other for other in others if other.language == clip.language), others[0])


def _first_possible(clip: Clip, other: Clip, *, turn: int) -> Specimen:
    for kind in (KINDS[(turn + later) % len(KINDS)] for later in range(len(KINDS))):
        try:
            return Specimen(spoil(clip, kind, other=other), kind)
        except InputError:
            continue
    raise InputError(f"take {clip.take_id} can have no fault: it is too short, or silent")


def _words(text: str, language: str) -> list[str]:
    return text.split() if has_spaces(language) else [char for char in text if not char.isspace()]


def _joined(words: Sequence[str], language: str) -> str:
    return (" " if has_spaces(language) else "").join(words)


def _with_a_word_more(clip: Clip, other: Clip, random: np.random.Generator) -> str:
    words, lent = _words(clip.spoken, clip.language), _words(other.spoken, clip.language)
    for _ in range(_MOST_TRIES if lent else 0):
        at, word = int(random.integers(len(words) + 1)), lent[int(random.integers(len(lent)))]
        text = _joined([*words[:at], word.strip(".,;:!?"), *words[at:]], clip.language)
        if _is_longer(text, clip):
            return text
    raise InputError(f"take {clip.take_id}: the other text lends no word that would count")


def _is_longer(text: str, clip: Clip) -> bool:
    return len(normalise(text, clip.language).split()) > len(normalise(clip.spoken, clip.language).split())


def _with_neighbours_swapped(clip: Clip, random: np.random.Generator) -> str:
    words = _words(clip.spoken, clip.language)
    for at in random.permutation(max(len(words) - 1, 0)):
        swapped = [*words[:at], words[at + 1], words[at], *words[at + 2 :]]
        text = _joined(swapped, clip.language)
        if normalise(text, clip.language) != normalise(clip.spoken, clip.language):
            return text
    raise InputError(f"take {clip.take_id}: its text has no two neighbours that differ")


def _sounding(clip: Clip) -> tuple[int, int]:
    """The first sample of the sound of a clip, and the one behind its last."""
    sounds = np.flatnonzero(~is_silent(frame_levels_db(clip.samples, rate_hz=clip.sample_rate_hz)))
    if len(sounds) * FRAME_S < _REPEATED_S[0]:
        raise InputError(f"take {clip.take_id}: it has hardly a sound")
    frame = FRAME_S * clip.sample_rate_hz
    return int(sounds[0] * frame), min(int((sounds[-1] + 1) * frame), len(clip.samples))


def _without_its_end(clip: Clip, random: np.random.Generator) -> Wave:
    start, end = _sounding(clip)
    cut = end - int(random.uniform(*_TRUNCATED_SHARE) * (end - start))
    return _faded(clip.samples[:cut], clip.sample_rate_hz)


def _with_a_stretch_twice(clip: Clip, random: np.random.Generator) -> Wave:
    """Say a stretch again: it begins and ends where the clip is quietest nearby, so mostly between words."""
    start, end = _sounding(clip)
    length = min(int(random.uniform(*_REPEATED_S) * clip.sample_rate_hz), end - start)
    first = _quietest(clip, int(random.integers(start, end - length + 1)))
    last = max(_quietest(clip, first + length), first + length // 2)
    stretch = _faded(clip.samples[first:last], clip.sample_rate_hz)
    return np.concatenate([_faded(clip.samples[:last], clip.sample_rate_hz), stretch, clip.samples[last:]])


def _quietest(clip: Clip, near: int) -> int:
    """The sample in the middle of the quietest frame within 80 ms."""
    frame = int(FRAME_S * clip.sample_rate_hz)
    first = max(near - 8 * frame, 0)
    levels_db = frame_levels_db(clip.samples[first : near + 8 * frame], rate_hz=clip.sample_rate_hz)
    return first + int(levels_db.argmin()) * frame + frame // 2 if len(levels_db) else near


def _babble(clip: Clip, other: Clip, random: np.random.Generator) -> Wave:
    start, end = _sounding(clip)
    samples = clip.samples.copy()
    if random.random() < 0.5:
        length = int(random.uniform(*_BACKWARDS_SHARE) * (end - start))
        first = int(random.integers(start, end - length + 1))
        samples[first : first + length] = samples[first : first + length][::-1]
        return samples
    noise = np.resize(other.at(clip.sample_rate_hz), end - start)
    level = float(np.sqrt(np.square(samples[start:end]).mean() / max(np.square(noise).mean(), 1e-12)))
    samples[start:end] += noise * level * np.float32(10 ** (random.uniform(*_BABBLE_DB) / 20))
    return samples / max(1.0, float(np.abs(samples).max()))


def _faded(samples: Wave, rate_hz: int) -> Wave:
    """The samples with a fade of 5 ms at their end, so that a cut does not click."""
    faded, length = samples.copy(), int(_FADE_S * rate_hz)
    if length and len(faded) > length:
        faded[-length:] *= np.linspace(1, 0, length, dtype=np.float32)
    return faded
