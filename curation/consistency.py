"""What the tables of a recipe ask of each other: each may be right by itself, and the job still make no sense."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.config import nearest
from catalogs.records import VoiceCard
from curation.derived import with_derived
from curation.dgsa.config import DgsaConfig
from curation.dgsa.pairs import NEEDED
from curation.dgsa.toggles import Mode, has_toggle
from curation.metric import MetricConfig
from curation.policies.policy import Policy
from curation.tdsc.config import LENGTH, REPETITION, WORDS, TdscConfig
from synthgen.casting import CastingConfig
from synthgen.voice import VoiceConfig


@dataclass(frozen=True, slots=True)
class Cast:
    """Who reads, how, and what is measured of it."""

    casting: CastingConfig
    voices: Sequence[VoiceConfig]
    metrics: Sequence[MetricConfig]

    @property
    def cards(self) -> list[VoiceCard]:
        """The cards of all voices."""
        return [card for config in self.voices for card in config.cards()]

    def told(self, by: str) -> list[str]:
        """What casting says although ``by`` says how texts are read."""
        keys = [key for key in ("temperatures", "styles", "timbres") if getattr(self.casting, key)]
        return [f"casting.{key}: {by} says how texts are read; leave it out" for key in keys]

    def lacking(self, names: Sequence[str], by: str) -> list[str]:
        """Which of the columns that ``by`` reads nothing writes."""
        columns = {column.name for metric in self.metrics for column in metric.card().columns}
        return [f"{by}: no metric of this recipe writes {name}" for name in names if name not in columns]


def unmeasured(policy: Policy, metrics: Sequence[MetricConfig]) -> list[str]:
    """Thresholds on columns that nothing writes, or that no policy may read."""
    cards = with_derived([metric.card() for metric in metrics])
    columns = [c.name for card in cards for c in card.columns]
    return [f"policy.thresholds.{c} {wrong}{nearest(c, columns)}" for c, wrong in policy.mistakes(cards)]


def unfit(cast: Cast, tdsc: TdscConfig | None, dgsa: DgsaConfig | None) -> list[str]:
    """Patterns that fit no voice, and what TDSC and DGSA need and the recipe lacks, or says twice."""
    found = _idle(cast)
    if tdsc:
        fixed = [card.name for card in cast.cards if card.temperature is None]
        found += [f"tdsc: {name} has no temperature; leave it out, or record it in a job of its own" for name in fixed]
        found += [*cast.told("tdsc"), *cast.lacking((WORDS, REPETITION, LENGTH), "tdsc")]
    if dgsa:
        plain = [card.name for card in cast.cards if not has_toggle(card)]
        found += [
            f"dgsa: {name} has no style to turn off; leave it out, or record it in a job of its own" for name in plain
        ]
        found += [*([] if tdsc else cast.told("dgsa")), *cast.lacking(NEEDED, "dgsa")]
    return [*found, *(_both(tdsc, dgsa) if tdsc and dgsa else [])]


def _both(tdsc: TdscConfig, dgsa: DgsaConfig) -> list[str]:
    """What TDSC and DGSA need of each other: every step of the ladder is read in both modes."""
    steps = (len(tdsc.temperatures) + 1) * len(Mode)
    found = []
    if tdsc.candidates < steps:
        found.append(f"tdsc.candidates = {tdsc.candidates}: with dgsa a round has {steps} steps; give at least {steps}")
    if dgsa.takes != DgsaConfig().takes:
        found.append(f"dgsa.takes = {dgsa.takes}: tdsc says how often texts are read; leave it out")
    return found


def _idle(cast: Cast) -> list[str]:
    cards = cast.cards
    names = [card.name for card in cards]
    idle = cast.casting.idle_patterns(cards)
    return [
        f"casting.{key}: {pattern!r} fits no voice of this recipe{nearest(pattern, names)}" for key, pattern in idle
    ]
