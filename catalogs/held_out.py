"""Texts that held-out takes say, known again in other case and with other marks."""

import unicodedata
from collections.abc import Iterable

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.labels import is_held_out
from catalogs.lake import query
from catalogs.text import normalise, primary


class HeldOutTexts:
    """What the held-out takes of some releases say, written or spoken; memory grows with their number."""

    def __init__(self, catalog: Catalog, release_ids: Iterable[Id]) -> None:
        """Read the texts of held-out takes."""
        self._texts = {
            text
            for release_id in dict.fromkeys(release_ids)
            for *said, split in catalog.lake.rows(query("texts_by_split"), release_id=release_id)
            if is_held_out(split)
            for text in said
            if text is not None
        }
        self._marks: dict[str, set[str]] = {}

    def have(self, text: str, language: str) -> bool:
        """Whether a text is one of them, but for marks and what the normaliser of its language (BCP 47) evens out."""
        if not self._texts:
            return False
        known = self._marks.get(primary(language))
        if known is None:
            known = self._marks[primary(language)] = {mark for one in self._texts for mark in _marks(one, language)}
        return not known.isdisjoint(_marks(text, language))


def _marks(text: str, language: str) -> set[str]:
    """A text normalised, and without anything but letters, digits and symbols; English keeps some full stops."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return {normalise(text, language), "".join(c for c in plain if unicodedata.category(c)[0] not in "PZC")} - {""}
