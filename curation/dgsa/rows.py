"""DGSA on a corpus: its takes as `curation.dgsa.pairs` sees them, its synthetic share, and the pairs written down."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace

from catalogs.catalog import Catalog
from catalogs.choices import note_pairs
from catalogs.errors import CatalogError
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Failure, Preference, VoiceCard
from curation.dgsa.config import DgsaConfig, Weights, weights_of
from curation.dgsa.pairs import (
    EXPRESSIVITY,
    METHOD,
    NEEDED,
    STABILITY,
    DgsaTake,
    Role,
    left_out,
    preferences_of,
)
from curation.dgsa.toggles import has_toggle, mode_of
from synthgen.casting import Manner


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose takes are compared: those of a job's lines, as its own policy has judged them.

    None and None are all of a corpus, as the policy that judged each of them last has.
    """

    job_id: Id | None = None
    policy_id: Id | None = None


CORPUS = Whose()

STAGE, UNMEASURED = METHOD, "unmeasured"
"""Under which failures of takes are kept that could not be compared."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The pairs there are, and why takes are in none, or in none for one of the objectives.

    ``share`` is the synthetic share by which the objectives are weighed; None if there is no audio.
    """

    pairs: tuple[Preference, ...]
    left_out: Mapping[Id, str]
    share: float | None
    weights: Weights


def note_preferences(catalog: Catalog, config: DgsaConfig, whose: Whose = CORPUS, *, iteration: int = 1) -> Noted:
    """Find the pairs of a job, or of a corpus, and note them as they are now.

    Those of a job depend on nothing else in the corpus, but for what the humans of ``config.real`` have read; and what
    they weigh, where ``config.share`` does not say the share, on how much real speech there is. A take that is left out
    for want of a figure has a row of ``failure``.

    Raises:
        CatalogError: if word errors or pitch were never measured in the corpus.
    """
    takes = dgsa_takes(catalog, config, whose)
    share = synthetic_share(catalog, whose) if config.share is None else config.share
    weights = weights_of(share or 0.0, config)
    weight = {STABILITY: weights.stability, EXPRESSIVITY: weights.expressivity}
    pairs = preferences_of(takes, config, iteration=iteration)
    weighed = (replace(pair, job_id=whose.job_id, weight=weight[pair.objective]) for pair in pairs)
    noted = Noted(tuple(weighed), left_out(takes), share, weights)
    with catalog.lake.transaction():
        note_pairs(catalog, noted.pairs, method=METHOD, job_id=whose.job_id, iteration=iteration)
        _note_left_out(catalog, noted.left_out, among={take.take_id for take in takes})
    return noted


def dgsa_takes(catalog: Catalog, config: DgsaConfig, whose: Whose = CORPUS) -> list[DgsaTake]:
    """The takes by voices with a style to turn off, and what the humans as whom they speak have read of their texts.

    Raises:
        CatalogError: if word errors or pitch were never measured in the corpus.
    """
    columns = {row[0] for row in catalog.lake.rows("SELECT column_name FROM (DESCRIBE takes)")}
    if missing := [name for name in NEEDED if name not in columns]:
        raise CatalogError(f"dgsa reads {' and '.join(missing)}: measure the corpus with words and prosody first")
    cards = {card.id: card for card in _cards(catalog)}
    rows = catalog.lake.rows(
        query("dgsa_takes"),
        voice_ids=sorted(cards),
        humans=sorted(set(config.real.values())),
        job_id=whose.job_id,
        policy=whose.policy_id,
    )
    takes = []
    for take_id, prompt_id, voice_id, voice, origin, style, timbre, temperature, wer, f0_sd_st, is_kept in rows:
        figures = (wer, f0_sd_st, is_kept)
        if origin == "real":
            spoken_as = _speaking_as(voice, cards, config)
            takes += [DgsaTake(take_id, prompt_id, identity, "real", *figures) for identity in spoken_as]
        else:
            role = _role(cards[voice_id], Manner(style, timbre, temperature))
            takes.append(DgsaTake(take_id, prompt_id, _identity(voice_id, timbre), role, *figures))
    return takes


def synthetic_share(catalog: Catalog, whose: Whose = CORPUS) -> float | None:
    """α: what share of audio is synthetic, dropped takes aside; None if there is none.

    Of a job it is the share of its takes beside all real ones of the corpus.
    """
    rows = catalog.lake.rows(query("synthetic_share"), job_id=whose.job_id, policy=whose.policy_id)
    share: float | None = rows[0][0]
    return share


def _note_left_out(catalog: Catalog, why: Mapping[Id, str], *, among: Set[Id]) -> None:
    """Say why takes are in no pair; what was said before of those that were looked at holds no more."""
    found = {Failure(STAGE, take_id, 1, UNMEASURED, message) for take_id, message in why.items()}
    sql = "SELECT stage, subject_id::VARCHAR, attempt, error, message FROM failure WHERE stage = $stage ORDER BY ALL"
    known = {failure for row in catalog.lake.rows(sql, stage=STAGE) if (failure := Failure(*row)).subject_id in among}
    if gone := known - found:
        catalog.lake.run(query("forget_left_out"), stage=STAGE, ids=sorted(failure.subject_id for failure in gone))
    catalog.add(sorted(found - known, key=lambda failure: failure.subject_id))


def _speaking_as(human: str, cards: Mapping[Id, VoiceCard], config: DgsaConfig) -> Iterator[str]:
    """The identities of the voices that speak as a human."""
    return (_identity(card.id, "") for card in cards.values() if config.real.get(card.name) == human)


def _identity(voice_id: Id, timbre: str) -> str:
    return f"{voice_id} as {timbre}" if timbre else voice_id


def _role(card: VoiceCard, manner: Manner) -> Role:
    mode = mode_of(card, manner)
    return "own" if mode is None else mode.value


def _cards(catalog: Catalog) -> list[VoiceCard]:
    cards = [VoiceCard(**row) for row in catalog.lake.table(query("machine_voices")).to_pylist()]
    return [card for card in cards if has_toggle(card)]
