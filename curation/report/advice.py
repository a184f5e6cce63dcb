"""What to do next: rules that read the figures, each with the command or the SQL that leads on."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from catalogs.labels import OTHER_LABELS
from catalogs.lake import quoted
from curation.report.findings import Findings, Reason

_MOST = 8
_FEW = 5
"""Fewer takes than these are no pattern."""

_NEAR_SHARE = 0.1
"""How near to its threshold a figure is near, as a share of it."""

_LEAST_SPREAD_ST = 0.1
"""A difference in the spread of pitch that is smaller is none, however certain."""

_OVERREPRESENTED = 1.5
_MOSTLY_DROPPED = 0.5


class Near(Protocol):
    """Asks how many takes one reason alone drops whose figure lies between two values, and for their seconds."""

    def __call__(self, reason: str, *, figure: str, low: float, high: float) -> tuple[int, float]:
        """Give (takes, seconds)."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do, why, what leads on, and how many takes it is about; ``is_sql`` tells SQL from a command."""

    title: str
    why: str
    how: str
    takes: int
    is_sql: bool = True


def advise(findings: Findings, near: Near) -> tuple[Advice, ...]:
    """What is worth doing, that which touches most takes first; at most eight things."""
    found = [
        *_unfinished(findings),
        *_failed(findings),
        *_voices(findings),
        *_concentrated(findings),
        *_narrow(findings, near),
        *_hard(findings),
        *_flatter(findings),
        *_idle(findings),
    ]
    return tuple(sorted(found, key=lambda advice: -advice.takes)[:_MOST])


def _unfinished(findings: Findings) -> Iterator[Advice]:
    funnel = findings.funnel
    command = findings.runs[0].command if findings.runs else "synthgen run RECIPE"
    failed = sum(f.items for f in findings.failures if f.stage == "record")
    steps = (
        ("recorded", max(0, funnel.lines - funnel.takes - failed), "lines"),
        ("measured", funnel.takes - funnel.measured, "takes"),
        ("judged", funnel.measured - funnel.judged, "takes"),
    )
    for step, missing, things in steps:
        if missing > 0:
            yield Advice(
                f"Finish the job: {missing:,} {things} are not {step} yet",
                "The same command does what is missing, and nothing twice.",
                command,
                missing,
                is_sql=False,
            )


def _failed(findings: Findings) -> Iterator[Advice]:
    for failure in findings.failures:
        if failure.stage in ("ingest", "cast"):
            what = "texts are stored with other labels" if failure.error == OTHER_LABELS else "prompts were left out"
            yield Advice(
                f"Mend the texts: {failure.items:,} {what} ({failure.error})",
                f"For example: {failure.example}",
                _select("subject_id, message", "failure", where=f"error = {quoted(failure.error)}"),
                failure.items,
            )
            continue
        yield Advice(
            f"Look into {failure.error}: {failure.items:,} items failed at {failure.stage}",
            f"For example: {failure.example} Once the cause is gone, have them tried again.",
            f"synthgen retry -c CORPUS --reason {failure.error}",
            failure.items,
            is_sql=False,
        )


def _voices(findings: Findings) -> Iterator[Advice]:
    for voice in findings.groups.voices:
        if voice.judged < _FEW or voice.kept / voice.judged >= _MOSTLY_DROPPED:
            continue
        most = next((r for r in findings.reasons if r.voice == voice.name), None)
        mostly = f", mostly for {most.reason} ({most.takes:,})" if most else ""
        yield Advice(
            f"Do without {voice.name}, or cast it less",
            f"Only {voice.kept:,} of its {voice.judged:,} takes were kept ({voice.kept / voice.judged:.0%}), others "
            f"dropped{mostly}. Of its {voice.audio_s / 60:,.1f} minutes, "
            f"{(voice.audio_s - voice.kept_s) / 60:,.1f} came to nothing.",
            _select("text, reasons, transcript", "takes", where=f"voice = {quoted(voice.name)} AND verdict = 'drop'"),
            voice.judged - voice.kept,
        )


def _concentrated(findings: Findings) -> Iterator[Advice]:
    """Reasons that strike one voice more than its part of the pool explains."""
    shares = {voice.name: voice for voice in findings.groups.voices}
    for reason in findings.reasons:
        voice, drops, judged = shares[reason.voice], findings.funnel.dropped, findings.funnel.judged
        expected = drops * voice.judged / judged
        if voice.kept / voice.judged < _MOSTLY_DROPPED:
            continue  # the advice on that voice tells of it
        if reason.takes < _FEW or len(shares) == 1 or reason.takes < _OVERREPRESENTED * expected:
            continue
        yield Advice(
            f"{reason.takes / drops:.0%} of all drops are {reason.reason} of {reason.voice}",
            f"It strikes {reason.takes:,} of the voice's {voice.judged:,} takes, and the voice reads "
            f"{voice.judged / judged:.0%} of all. Listen to some: does the voice err, or does the critic?",
            _select(
                "take_id, text, transcript",
                "takes",
                where=f"voice = {quoted(reason.voice)} AND list_contains(reasons, {quoted(reason.reason)})",
            ),
            reason.takes,
        )


def _narrow(findings: Findings, near: Near) -> Iterator[Advice]:
    """Thresholds that many takes miss by little, and for no other reason."""
    for reason in _by_reason(findings.reasons):
        figure, _, end = reason.partition(" ")
        sign, _, number = end.partition(" ")
        if sign not in ("<", ">") or not findings.pool.has(figure):
            continue
        threshold = float(number)
        width = _NEAR_SHARE * abs(threshold)
        low, high = (threshold, threshold + width) if sign == ">" else (threshold - width, threshold)
        takes, audio_s = near(reason, figure=figure, low=low, high=high)
        if takes >= _FEW:
            yield Advice(
                f"{takes:,} takes miss {reason.replace(sign, '≤' if sign == '>' else '≥')} by a tenth or less",
                f"Nothing else is wrong with them, and they are {audio_s / 60:,.1f} minutes. Hear some before you "
                "move the threshold; a new one is judged in seconds and loads no model.",
                _select(
                    f"take_id, voice, text, {figure}",
                    "takes",
                    where=f"reasons = [{quoted(reason)}] AND {figure} BETWEEN {low:g} AND {high:g}",
                ),
                takes,
            )


def _hard(findings: Findings) -> Iterator[Advice]:
    hard = findings.hard_texts
    if hard:
        takes = sum(text.takes for text in hard)
        yield Advice(
            f"{len(hard):,} {'text' if len(hard) == 1 else 'texts'} no voice reads well enough",
            f"Where all voices fail, the text, its spoken form or the recogniser is at fault: “{_short(hard[0].text)}” "
            f"was read by {hard[0].voices} voices. A lexicon (spoken.lexicon in the recipe) may help.",
            "SELECT text, count(*) AS takes FROM takes GROUP BY text "
            "HAVING count(*) FILTER (verdict = 'keep') = 0 AND count(DISTINCT voice) > 1 ORDER BY takes DESC",
            takes,
        )


def _flatter(findings: Findings) -> Iterator[Advice]:
    """Judging that leaves the flatter takes, beyond chance (95 %): stability is bought with expressivity."""
    lost = findings.spread_lost
    if lost is not None and lost.low_st > 0 and lost.difference_st >= _LEAST_SPREAD_ST:
        yield Advice(
            "Judging prefers flat readings",
            f"Of one voice, dropped takes spread their pitch by {lost.difference_st:.2f} semitones more than kept ones "
            f"({lost.low_st:.2f} to {lost.high_st:.2f}, 95 %, over {lost.texts:,} texts). Choose among several "
            "candidates a text, or select on both axes.",
            "SELECT verdict, voice, avg(f0_sd_st), avg(wer) FROM takes GROUP BY ALL ORDER BY ALL",
            lost.takes,
        )


def _idle(findings: Findings) -> Iterator[Advice]:
    """Limits that dropped nothing at all; told last."""
    struck = {reason.reason.partition(" ")[0] for reason in findings.reasons}
    idle = [limit.figure for limit in findings.subject.limits if limit.figure not in struck]
    if idle and findings.funnel.judged:
        yield Advice(
            f"{len(idle)} of {len(findings.subject.limits)} thresholds dropped nothing",
            f"They are on {', '.join(idle)}. That is well if they stand guard; if they were meant to choose, they are "
            "too wide.",
            _select(", ".join(f"quantile_cont({name}, [0.01, 0.5, 0.99])" for name in idle), "takes"),
            0,
        )


def _by_reason(reasons: Sequence[Reason]) -> list[str]:
    totals: dict[str, int] = defaultdict(int)
    for reason in reasons:
        totals[reason.reason] += reason.alone
    return [name for name, alone in sorted(totals.items(), key=lambda item: (-item[1], item[0])) if alone >= _FEW]


def _select(columns: str, table: str, *, where: str = "TRUE") -> str:
    """SQL for people to run; nothing here does."""
    return f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608  # it is only shown, its values quoted


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
