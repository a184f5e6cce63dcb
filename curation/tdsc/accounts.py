"""What every temperature of every round was good for: pass rate, and contribution to what was accepted.

With DGSA a temperature is read in two modes. Where style tells them apart each has an account of its own; where noise
is the style, as with Piper, the temperatures themselves differ.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from catalogs.ids import Id
from catalogs.intervals import wilson
from catalogs.records import SetScore
from curation.tdsc.candidates import Candidate, Text
from curation.tdsc.config import TdscConfig

VERSION = "1"


Key: TypeAlias = tuple[int, float, str]
"""A round, a temperature and a style."""


@dataclass(frozen=True, slots=True)
class Account:
    """One temperature of one round in one style, "" for the voice's own: readings made, accepted, and their seconds."""

    iteration: int
    temperature: float
    style: str
    tries: int
    accepted: int
    audio_s: float

    @property
    def pass_rate(self) -> float:
        """The accepted share of the readings."""
        return self.accepted / self.tries

    @property
    def subset(self) -> str:
        """What its figures are filed under: "k=1 T=0.7", and " style=jf_alpha" after it where a style was asked for."""
        return f"k={self.iteration} T={self.temperature:g}" + (f" style={self.style}" if self.style else "")


def accounts_of(texts: Sequence[Text], config: TdscConfig) -> list[Account]:
    """The accounts of a job, by round, temperature and style."""
    tries, accepted, audio_s = Counter[Key](), Counter[Key](), Counter[Key]()
    for candidate in (c for text in texts for c in text.candidates):
        key = _key(candidate)
        tries[key] += 1
        accepted[key] += candidate.is_accepted(config)
        audio_s[key] += candidate.audio_s  # type: ignore[assignment]  # a Counter of seconds
    return [Account(*key, tries[key], accepted[key], audio_s[key]) for key in sorted(tries)]


def set_scores(job_id: Id, accounts: Sequence[Account]) -> list[SetScore]:
    """The accounts as figures of the job: ``tdsc_pass_rate`` and ``tdsc_contribution``, the latter within its round."""
    of_round = Counter[int]()
    for account in accounts:
        of_round[account.iteration] += account.accepted
    rows = []
    for account in accounts:
        pairs = (("tdsc_pass_rate", account.tries), ("tdsc_contribution", of_round[account.iteration]))
        for metric, total in pairs:
            share = account.accepted / total if total else 0.0
            bounds = wilson(account.accepted, total)
            rows.append(SetScore(job_id, account.subset, metric, VERSION, share, total, *bounds))
    return rows


def table(accounts: Sequence[Account]) -> str:
    """The accounts for people to read; there is a column of styles only if a style was asked for."""
    width = max(map(len, ("own style", *(a.style for a in accounts))))
    styled = any(a.style for a in accounts)
    head = f"{'style':{width}}  " if styled else ""
    rows = [f"round  temperature  {head}readings  accepted  pass rate (95 %)     audio"]
    for a in accounts:
        low, high = wilson(a.accepted, a.tries)
        style = f"{a.style or 'own style':{width}}  " if styled else ""
        rows.append(
            f"{a.iteration:5}  {a.temperature:11.2f}  {style}{a.tries:8,}  {a.accepted:8,}  "
            f"{a.pass_rate:4.0%} ({low:4.0%} to {high:4.0%})  {a.audio_s:6.0f} s"
        )
    return "\n".join(rows)


def _key(candidate: Candidate) -> Key:
    return candidate.iteration, candidate.temperature, candidate.style
