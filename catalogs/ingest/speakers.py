"""Who has been recorded on which terms: one speaker has a card for each licence and consent."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from catalogs.catalog import Catalog
from catalogs.errors import CatalogError
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import VoiceCard


class Speakers:
    """The human voices that are known so far.

    Corpora of earlier versions have cards whose id does not cover the terms; where the terms are the same, such a card
    stays in use, so that its takes are recognised.
    """

    def __init__(self, cards: Iterable[VoiceCard]) -> None:
        self._cards: dict[Id, list[VoiceCard]] = defaultdict(list)
        for card in cards:
            self._cards[card.base_id].append(card)

    def card(self, wanted: VoiceCard) -> VoiceCard:
        """The known card of the same speaker on the same terms, or this one, known from now on."""
        cards = self._cards[wanted.base_id]
        found = next((card for card in cards if _terms(card) == _terms(wanted)), None)
        if found is None:
            cards.append(wanted)
        return found or wanted

    def on_other_terms(self, card: VoiceCard) -> list[VoiceCard]:
        """The known cards of the same speaker with another licence or consent."""
        return [other for other in self._cards[card.base_id] if _terms(other) != _terms(card)]


def human_voices(catalog: Catalog) -> list[VoiceCard]:
    """The cards of all human speakers of a corpus."""
    return [VoiceCard(**row) for row in catalog.lake.table(query("human_voices")).to_pylist()]


def add_voices(catalog: Catalog, cards: Sequence[VoiceCard]) -> None:
    """Add the voices of machines; what is said of one has to be what is said of it already.

    Raises:
        CatalogError: if a voice is there, or is among these, with another licence or consent: its takes would go on
            under the first.
    """
    with catalog.lake.transaction():
        stored = catalog.lake.table(query("machine_voices")).to_pylist()
        known: dict[Id, VoiceCard] = {row["id"]: VoiceCard(**row) for row in stored}
        for card in cards:
            first = known.setdefault(card.id, card)
            if _terms(first) != _terms(card):
                raise CatalogError(
                    f"{card.name} is in {catalog.folder} under {first.terms}, and now under {card.terms}; "
                    "a voice has one licence and one consent: give those, or write to another corpus"
                )
        catalog.add(cards)


def _terms(card: VoiceCard) -> tuple[str, str]:
    return card.licence, card.consent
