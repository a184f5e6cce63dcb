"""What every temperature of every round was good for: pass rate, and contribution to what was accepted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.ids import Id
from catalogs.records import SetScore
from curation.intervals import wilson
from curation.tdsc.candidates import Text
from curation.tdsc.config import TdscConfig

VERSION = "1"


@dataclass(frozen=True, slots=True)
class Account:
    """One temperature of one round: readings made, accepted, and the seconds they took."""

    iteration: int
    temperature: float
    tries: int
    accepted: int
    audio_s: float

    @property
    def pass_rate(self) -> float:
        """The accepted share of the readings."""
        return self.accepted / self.tries


def accounts_of(texts: Sequence[Text], config: TdscConfig) -> list[Account]:
    """The accounts of a job, by round and temperature."""
    tries, accepted, audio_s = Counter[tuple[int, float]](), Counter[tuple[int, float]](), Counter[tuple[int, float]]()
    for candidate in (c for text in texts for c in text.candidates):
        key = (candidate.iteration, candidate.temperature)
        tries[key] += 1
        accepted[key] += candidate.is_accepted(config)
        audio_s[key] += candidate.audio_s  # type: ignore[assignment]  # a Counter of seconds
    return [Account(*key, tries[key], accepted[key], audio_s[key]) for key in sorted(tries)]


def set_scores(job_id: Id, accounts: Sequence[Account]) -> list[SetScore]:
    """The accounts as figures of the job: ``tdsc_pass_rate`` and ``tdsc_contribution``, subset "k=1 T=0.7"."""
    of_round = Counter[int]()
    for account in accounts:
        of_round[account.iteration] += account.accepted
    rows = []
    for account in accounts:
        subset = f"k={account.iteration} T={account.temperature:g}"
        pairs = (("tdsc_pass_rate", account.tries), ("tdsc_contribution", of_round[account.iteration]))
        for metric, total in pairs:
            share = account.accepted / total if total else 0.0
            rows.append(SetScore(job_id, subset, metric, VERSION, share, total, *wilson(account.accepted, total)))
    return rows


def table(accounts: Sequence[Account]) -> str:
    """The accounts for people to read."""
    rows = ["round  temperature  readings  accepted  pass rate (95 %)     audio"]
    for a in accounts:
        low, high = wilson(a.accepted, a.tries)
        rows.append(
            f"{a.iteration:5}  {a.temperature:11.2f}  {a.tries:8,}  {a.accepted:8,}  "
            f"{a.pass_rate:4.0%} ({low:4.0%} to {high:4.0%})  {a.audio_s:6.0f} s"
        )
    return "\n".join(rows)
