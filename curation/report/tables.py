"""Rows for the tables of the page, made from what was gathered."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from curation.report.erosion import Series
from curation.report.erosion_plots import Plot, PointRow, erosion_plots, point_rows
from curation.report.findings import Findings, Group, SetFigure
from curation.report.plane import Point
from curation.report.set_plots import set_plot
from curation.sets.meanings import meaning

_MOST_RELEASES = 24
_MOST_SET_FIGURES = 40
_JOB = "the job"
"""What figures of the job as a whole are filed under; see report_set_scores.sql."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure in the head of the page."""

    name: str
    value: str
    more: str


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the funnel: how many came through it, their hours, and what was lost before it and why."""

    name: str
    number: int
    hours: float | None
    share: float
    lost: int
    why: str


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason over all voices: takes, its share of the drops, those with no other reason, and who has most of them."""

    name: str
    takes: int
    share: float
    alone: int
    most: str


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """A licence with one form of consent, and the voices under it."""

    name: str
    consent: str
    voices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetRow:
    """One metric over sets: its figures and their plot."""

    metric: str
    version: str
    figures: tuple[SetFigure, ...]
    plot: Markup


@dataclass(frozen=True, slots=True)
class ErosionRow:
    """Erosion along the job, or from release to release: what it says, a plot a figure, and its points."""

    name: str
    baseline: str
    warnings: tuple[str, ...]
    plots: tuple[Plot, ...]
    points: tuple[PointRow, ...]


def tiles(findings: Findings) -> list[Tile]:
    """The figures of the release, or of all takes where there is none."""
    funnel, group = findings.funnel, findings.groups.released or findings.groups.whole
    found = [
        Tile(
            "kept",
            f"{funnel.kept / funnel.judged:.0%}" if funnel.judged else "–",
            f"{funnel.kept:,} of {funnel.judged:,} takes",
        )
    ]
    if group is None:
        return found
    found.append(Tile("audio", f"{group.audio_s / 3600:.2f} h", f"{group.takes:,} takes"))
    figures = (
        ("WER", group.wer, group.wer_half, 100, ".1f", "%"),
        ("DNSMOS", group.dnsmos_ovrl, group.dnsmos_half, 1, ".2f", ""),
        ("F0 spread", group.f0_sd_st, group.f0_half, 1, ".2f", " st"),
        ("similarity", group.speaker_similarity, group.similarity_half, 1, ".3f", ""),
    )
    for name, value, half, scale, form, unit in figures:
        if value is not None:
            found.append(Tile(name, f"{scale * value:{form}}{unit}", "" if half is None else f"±{scale * half:{form}}"))
    return found


def losses(findings: Findings) -> list[Step]:
    """The funnel, from lines to the release."""
    funnel = findings.funnel
    stages = [
        ("lines", funnel.lines, None, ""),
        ("takes", funnel.takes, funnel.audio_s, _why_unrecorded(findings)),
        ("measured", funnel.measured, funnel.measured_s, _failed(findings, "measure") or "not measured in full yet"),
        ("judged", funnel.judged, funnel.judged_s, "not judged yet"),
        ("kept", funnel.kept, funnel.kept_s, ", ".join(f"{r.name} ({r.takes:,})" for r in reasons(findings)[:4])),
    ]
    if findings.subject.release:
        stages.append(("released", funnel.released, funnel.released_s, "kept, but not chosen for the release"))
    steps: list[Step] = []
    for name, number, audio_s, why in stages:
        lost = steps[-1].number - number if steps else 0
        hours = None if audio_s is None else audio_s / 3600
        steps.append(Step(name, number, hours, number / funnel.lines if funnel.lines else 0.0, max(0, lost), why))
    return steps


def reasons(findings: Findings) -> list[ReasonRow]:
    """Reasons over all voices, the most frequent first."""
    grouped = defaultdict(list)
    for reason in findings.reasons:
        grouped[reason.reason].append(reason)
    rows = []
    for name, parts in grouped.items():
        takes = sum(part.takes for part in parts)
        top = max(parts, key=lambda part: (part.takes, part.voice))
        most = f"{top.voice} ({top.takes:,})"
        rows.append(ReasonRow(name, takes, takes / findings.funnel.dropped, sum(part.alone for part in parts), most))
    return sorted(rows, key=lambda row: (-row.takes, row.name))


def licences(findings: Findings) -> list[LicenceRow]:
    """Licences with their voices, in order."""
    grouped: dict[tuple[str, str], set[str]] = defaultdict(set)
    for voice in findings.voices:
        grouped[voice.licence, voice.consent].add(voice.name)
    return [LicenceRow(*key, tuple(sorted(names))) for key, names in sorted(grouped.items())]


def points(findings: Findings) -> list[Point]:
    """The voices before and after judging, and the releases of the corpus, as far as they were measured."""
    groups = findings.groups
    found = [*_points(groups.voices, "all"), *_points(groups.kept_voices, "kept")]
    found += [
        Point(release.name, release.wer, release.f0_sd_st, release.num_takes, "release")
        for release in findings.releases[-_MOST_RELEASES:]
        if release.wer is not None and release.f0_sd_st is not None
    ]
    return found


def erosion(found: Sequence[Series]) -> list[ErosionRow]:
    """What there is to say and to draw of each series."""
    return [
        ErosionRow(
            series.name,
            series.seen.baseline.name,
            tuple(warned.text() for warned in series.seen.warnings),
            tuple(erosion_plots(series)),
            tuple(point_rows(series)),
        )
        for series in found
    ]


def sets(findings: Findings, drawn: Sequence[Series]) -> tuple[list[SetRow], list[tuple[SetFigure, str]]]:
    """Figures of sets, but for those of which erosion is drawn: several of one metric and version, and single ones.

    Several make a row with a plot; a single one stands beside what it means.
    """
    rows_of_erosion = [row for series in drawn for row in series.rows]
    points_drawn = {(row.release or _JOB, row.subset, row.version) for row in rows_of_erosion}
    metrics_drawn = {"alpha", *(row.metric for row in rows_of_erosion)}
    others = [
        figure
        for figure in findings.set_figures
        if figure.metric not in metrics_drawn or (figure.name, figure.subset, figure.version) not in points_drawn
    ]
    rows, single = [], []
    by_metric = groupby(others, key=lambda figure: (figure.metric, figure.version.partition("/")[0]))
    for place, ((metric, version), found) in enumerate(by_metric):
        figures = tuple(found)[:_MOST_SET_FIGURES]
        if len(figures) > 1:
            rows.append(SetRow(metric, version, figures, set_plot(f"set-{place}", figures)))
        else:
            single.append((figures[0], meaning(metric)))
    return rows, single


def _points(groups: tuple[Group, ...], kind: Literal["all", "kept"]) -> Iterator[Point]:
    for group in groups:
        if group.wer is not None and group.f0_sd_st is not None:
            yield Point(group.name, group.wer, group.f0_sd_st, group.takes, kind)


def _why_unrecorded(findings: Findings) -> str:
    failed = sum(f.items for f in findings.failures if f.stage == "record")
    waiting = findings.funnel.lines - findings.funnel.takes - failed
    told = [_failed(findings, "record"), f"not recorded yet ({waiting:,})" if waiting > 0 else ""]
    return ", ".join(words for words in told if words)


def _failed(findings: Findings, stage: str) -> str:
    """The errors of stages whose names begin so."""
    return ", ".join(f"{f.error} ({f.items:,})" for f in findings.failures if f.stage.startswith(stage))
