"""DGSA on a corpus: its takes as `curation.dgsa.pairs` sees them, its synthetic share, and the pairs written down."""

from catalogs.catalog import Catalog
from catalogs.errors import CatalogError
from catalogs.lake import query
from catalogs.records import Preference, VoiceCard
from curation.dgsa.config import DgsaConfig
from curation.dgsa.pairs import NEEDED, DgsaTake, Role, preferences_of
from curation.dgsa.toggles import has_toggle, mode_of
from synthgen.casting import Manner


def note_preferences(catalog: Catalog, config: DgsaConfig, *, iteration: int = 1) -> list[Preference]:
    """Find the pairs of a corpus and add those that are new; gives all of them.

    Raises:
        CatalogError: if word errors or pitch were never measured in the corpus.
    """
    found = preferences_of(dgsa_takes(catalog, config), config, iteration=iteration)
    catalog.add(found)
    return found


def dgsa_takes(catalog: Catalog, config: DgsaConfig) -> list[DgsaTake]:
    """The takes of every prompt that a voice with a style to turn off has read.

    Raises:
        CatalogError: if word errors or pitch were never measured in the corpus.
    """
    columns = {row[0] for row in catalog.lake.rows("SELECT column_name FROM (DESCRIBE takes)")}
    if missing := [name for name in NEEDED if name not in columns]:
        raise CatalogError(f"dgsa reads {' and '.join(missing)}: measure the corpus with words and prosody first")
    cards = {card.id: card for card in _cards(catalog)}
    rows = catalog.lake.rows(query("dgsa_takes"), voice_ids=sorted(cards))
    speaks_as = {human: voice for voice, human in config.real.items()}
    takes = []
    for take_id, prompt_id, voice_id, voice, origin, style, timbre, temperature, wer, f0_sd_st, is_kept in rows:
        is_real = origin == "real"
        if not is_real and voice_id not in cards:
            continue
        manner = Manner(style, timbre, temperature)
        role: Role = "real" if is_real else _role(cards[voice_id], manner)
        identity = speaks_as.get(voice, voice) if is_real else f"{voice}{f' as {timbre}' if timbre else ''}"
        takes.append(DgsaTake(take_id, prompt_id, identity, role, wer, f0_sd_st, is_kept))
    return takes


def synthetic_share(catalog: Catalog) -> float | None:
    """α: what share of the corpus's audio is synthetic, dropped takes aside; None for an empty corpus."""
    share: float | None = catalog.lake.rows(query("synthetic_share"))[0][0]
    return share


def _role(card: VoiceCard, manner: Manner) -> Role:
    mode = mode_of(card, manner)
    return "own" if mode is None else mode.value


def _cards(catalog: Catalog) -> list[VoiceCard]:
    cards = [VoiceCard(**row) for row in catalog.lake.table(query("machine_voices")).to_pylist()]
    return [card for card in cards if has_toggle(card)]
