"""Phones: a second judge of another family, which hears sounds, not words, and so cannot guess.

The phones of the spoken text are looked for in the clip twice: against what was heard freely, by edit distance, and
forced upon the sound, by the best path through the frames (Viterbi, CTC topology).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from catalogs.models import artefact, fetch
from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.recogniser import RATE_HZ
from curation.recognisers.hama import Emission, Hama, Sounds
from synthgen.spoken import Spoken, SpokenConfig

_FLOOR = -20.0
"""The least log probability of a frame: what the model holds to be impossible is no worse than very unlikely."""


@dataclass(frozen=True, slots=True)
class Phones:
    """The figures of one clip, all none for a language the judge does not know and a text without letters."""

    phones_heard: Annotated[str | None, Figure("", "neither", "the phones heard, in the phonetic alphabet")] = None
    per: Annotated[float | None, Figure("ratio", "lower", "phone errors over phones of the spoken text")] = None
    ref_phones: Annotated[int | None, Figure("phones", "neither", "phones of the spoken text")] = None
    phones_lost: Annotated[int | None, Figure("phones", "lower", "most phones of the text lost in a row")] = None
    phones_added: Annotated[
        int | None, Figure("phones", "lower", "most phones heard in a row that are not in the text")
    ] = None
    phones_logprob: Annotated[
        float | None,
        Figure("nats", "higher", "log probability of the text's phones against the likeliest, a phone; at most 0"),
    ] = None
    least_word_phones: Annotated[
        float | None, Figure("nats", "higher", "the same of the word that fits least, summed over its phones")
    ] = None


@dataclass(frozen=True, slots=True)
class PhonesConfig:
    """The family has no settings: one model, on the CPU, in one thread."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        spoken = SpokenConfig().build().version
        return MetricCard("phones", f"1/hama-{artefact('hama').sha256[:12]}/{spoken}", columns_of(Phones))

    def build(self) -> "PhonesMetric":
        """Load the model."""
        return PhonesMetric(Hama(fetch("hama")), SpokenConfig().build())


class PhonesMetric:
    """Hears each clip alone; about 16 times real time on one core."""

    def __init__(self, judge: Hama, spoken: Spoken) -> None:
        self._judge = judge
        self._spoken = spoken

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        return [Score(clip.take_id, values_of(self._phones(clip))) for clip in clips]

    def _phones(self, clip: Clip) -> Phones:
        judge = self._judge
        if not judge.knows(clip.language):
            return Phones()
        sounds = judge.sounds(self._spoken(clip.spoken, clip.language))
        if not sounds.phones:
            return Phones()
        emission = judge.emission(clip.at(RATE_HZ))
        heard = judge.phones(emission)
        edits = Levenshtein.editops(sounds.phones, heard)
        total, least = _forced(emission, sounds, blank=judge.blank)
        return Phones(
            phones_heard=judge.written(heard),
            per=len(edits) / len(sounds.phones),
            ref_phones=len(sounds.phones),
            phones_lost=_longest_run([edit.src_pos for edit in edits if edit.tag == "delete"]),
            phones_added=_longest_run([edit.dest_pos for edit in edits if edit.tag == "insert"]),
            phones_logprob=total,
            least_word_phones=least,
        )


def _longest_run(places: Sequence[int]) -> int:
    """The length of the longest run of consecutive numbers, given ascending."""
    longest = run = 0
    for at, place in enumerate(places):
        run = run + 1 if at and place == places[at - 1] + 1 else 1
        longest = max(longest, run)
    return longest


def _forced(emission: Emission, sounds: Sounds, *, blank: int) -> tuple[float | None, float | None]:
    """How well the phones of a text fit a clip that must hold them: on the whole a phone, and the worst word's sum.

    Both are log probabilities against the likeliest symbol of each frame. None where there are fewer frames than
    phones.
    """
    phones = np.array(sounds.phones)
    labels = np.full(2 * len(phones) + 1, blank)
    labels[1::2] = phones
    path = _best_path(np.maximum(emission, _FLOOR)[:, labels], labels)
    if path is None:
        return None, None
    frames = np.arange(len(path))
    loss = np.maximum(emission[frames, labels[path]], _FLOOR) - emission.max(axis=1)
    words = np.repeat(np.arange(len(sounds.words)), [len(word) for word in sounds.words])
    owners = words[np.minimum(path // 2, len(phones) - 1)]  # the blank before a phone is its word's
    of_words = np.bincount(owners, weights=loss, minlength=len(sounds.words))
    return float(loss.sum() / len(phones)), float(of_words.min())


def _best_path(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The state of every frame on the best path; states are blank, phone, blank, …, blank.

    Args:
        scores: log probability of each state's symbol, shape (T, states).
        labels: the symbol of each state.
    """
    num_frames, num_states = scores.shape
    may_skip = np.zeros(num_states, np.bool_)
    may_skip[3::2] = labels[3::2] != labels[1:-2:2]  # from phone to another phone, without a blank between
    came = np.zeros((num_frames, num_states), np.int8)
    best = np.full(num_states, -np.inf)
    best[:1] = 0.0
    reach = np.full((3, num_states), -np.inf)
    for frame in range(num_frames):
        reach[0] = best
        reach[1, 1:] = best[:-1]
        reach[2, 2:] = np.where(may_skip[2:], best[:-2], -np.inf)
        came[frame] = reach.argmax(axis=0)
        best = reach.max(axis=0) + scores[frame]
    end = num_states - 1 if num_frames and best[-1] >= best[-2] else num_states - 2
    if not num_frames or not np.isfinite(best[end]):
        return None
    path = np.zeros(num_frames, np.int64)
    for frame in range(num_frames - 1, -1, -1):
        path[frame] = end
        end -= int(came[frame, end])
    return path
