"""What the report tells: records that are small however large the corpus is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from catalogs.records import ScoreColumn
from curation.report.faults import Fault
from curation.report.pool import Pool
from curation.report.subject import Subject

State: TypeAlias = Literal["kept", "dropped", "unjudged"]
STATES: tuple[State, ...] = ("kept", "dropped", "unjudged")


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many were left after every stage, and their seconds; lines have none."""

    lines: int
    takes: int
    audio_s: float
    measured: int
    measured_s: float
    judged: int
    judged_s: float
    kept: int
    kept_s: float
    released: int
    released_s: float

    @property
    def dropped(self) -> int:
        """Takes that were judged and not kept."""
        return self.judged - self.kept


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the pool and its figures; each ``_half`` is half the width of a 95 % interval, None for one take."""

    name: str
    takes: int
    audio_s: float
    judged: int
    kept: int
    kept_s: float
    released_s: float
    wer: float | None
    wer_half: float | None
    dnsmos_ovrl: float | None
    dnsmos_half: float | None
    f0_sd_st: float | None
    f0_half: float | None
    speaker_similarity: float | None
    similarity_half: float | None


@dataclass(frozen=True, slots=True)
class Groups:
    """The pool by voice, by domain and by language, its kept takes by voice, and the whole; largest groups first."""

    voices: tuple[Group, ...]
    kept_voices: tuple[Group, ...]
    domains: tuple[Group, ...]
    languages: tuple[Group, ...]
    whole: Group | None
    released: Group | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """One figure over the takes of each verdict: shares of its own takes in equal bins from ``low`` to ``high``.

    ``ends`` are those of the range that the policy asks for.
    """

    figure: ScoreColumn
    low: float
    high: float
    takes: Mapping[State, int]
    means: Mapping[State, float]
    shares: Mapping[State, tuple[float, ...]]
    ends: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SpreadLost:
    """By how many semitones more dropped takes of a voice spread their pitch than its kept ones, with a 95 % interval.

    ``takes`` are dropped ones, ``texts`` those of the verdict that has fewer.
    """

    difference_st: float
    low_st: float
    high_st: float
    takes: int
    texts: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for dropping, with one voice that has it: takes, those that have no other, and seconds."""

    reason: str
    voice: str
    takes: int
    alone: int
    audio_s: float


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How many takes of each verdict have a fault."""

    fault: Fault
    kept: int
    dropped: int


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Items that a stage could not do, for one error, with one message."""

    stage: str
    error: str
    items: int
    example: str


@dataclass(frozen=True, slots=True)
class ReleasePoint:
    """A release on the plane of stability and expressivity."""

    id: str
    name: str
    num_takes: int
    wer: float | None
    f0_sd_st: float | None


@dataclass(frozen=True, slots=True)
class SetFigure:
    """A figure of a set with the items it rests on and its 95 % interval."""

    name: str
    subset: str
    metric: str
    version: str
    value: float
    num_items: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PointFigure:
    """A figure of a point of erosion: a release, or a stretch of a job (``release`` None, ``subset`` "takes 1-100").

    ``alpha`` is the share of synthetic there, ``num_takes`` how many takes the point has.
    """

    set_id: str
    release: str | None
    subset: str
    version: str
    alpha: float
    num_takes: int
    metric: str
    value: float
    num_items: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice and what it may be used for."""

    name: str
    engine: str
    licence: str
    consent: str
    checkpoint_sha256: str
    language: str


@dataclass(frozen=True, slots=True)
class Run:
    """One go at the job; ``versions`` is JSON."""

    command: str
    versions: str
    started: datetime
    ended: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class HardText:
    """A text that no voice has read well enough."""

    text: str
    takes: int
    voices: int


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the report tells but the players."""

    subject: Subject
    pool: Pool
    funnel: Funnel
    groups: Groups
    histograms: tuple[Histogram, ...]
    spread_lost: SpreadLost | None
    reasons: tuple[Reason, ...]
    faults: tuple[FaultCount, ...]
    failures: tuple[FailureCount, ...]
    releases: tuple[ReleasePoint, ...]
    set_figures: tuple[SetFigure, ...]
    erosion: tuple[PointFigure, ...]
    voices: tuple[Voice, ...]
    runs: tuple[Run, ...]
    hard_texts: tuple[HardText, ...]
