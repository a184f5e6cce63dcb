"""Families that follow from other families: worked out at the barrier, from stored scores, with no model.

Similarity to the intended voice follows from the speaker embeddings of all its takes; blame from what two recognisers
heard; melody from the contours of takes and of real takes of their texts. Whoever measures the one gets the other.
"""

from collections.abc import Sequence

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.records import MetricCard
from curation.melody import COLUMNS as MELODY
from curation.melody import compare_melodies, melody_card
from curation.similarity import compare, similarity_card
from curation.words.blame import blame, blame_card

COLUMNS = ("speaker_similarity", "voice_at_fault", *MELODY)
"""What they write: a take cannot be judged by it on arrival."""


def with_derived(cards: Sequence[MetricCard]) -> tuple[MetricCard, ...]:
    """The families, and those that follow from them."""
    similarities = [similarity_card(card) for card in cards if card.family == "speaker"]
    blames = [blame_card(words, phones) for words, phones in _judges(cards)]
    melodies = [melody_card(card) for card in cards if card.family == "contours"]
    return (*cards, *similarities, *blames, *melodies)


def derive(catalog: Catalog, job_id: Id, cards: Sequence[MetricCard], *, awaits: bool = True) -> None:
    """Score the takes of a job that lack what follows from their scores; ``awaits`` is that of `similarity.compare`."""
    for card in cards:
        if card.family == "speaker":
            compare(catalog, job_id, card, awaits=awaits)
        if card.family == "contours":
            compare_melodies(catalog, job_id, card)
    for words, phones in _judges(cards):
        blame(catalog, job_id, words=words, phones=phones)


def _judges(cards: Sequence[MetricCard]) -> list[tuple[MetricCard, MetricCard]]:
    """The default words family with the phones family, if both are measured."""
    words = [card for card in cards if card.family == "words"]
    phones = [card for card in cards if card.family == "phones"]
    return [(words[0], phones[0])] if words and phones else []
