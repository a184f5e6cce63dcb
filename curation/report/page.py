"""The page: one HTML file with everything in it, that runs nothing but its own shortcuts and asks nobody for anything.

Its content security policy, which names style and script by hash, holds the browser to that.
"""

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from curation.report import plots
from curation.report.advice import Advice
from curation.report.erosion import series_of
from curation.report.findings import STATES, Findings, Group, Histogram
from curation.report.plane import plane
from curation.report.players import Drawn, Player
from curation.report.svg import number
from curation.report.tables import erosion, licences, losses, points, reasons, sets, tiles

_MOST_ROWS = 60
_FIRST_FIGURES = 9
_FIRST = (
    "wer",
    "cer",
    "dnsmos_ovrl",
    "f0_sd_st",
    "speaker_similarity",
    "chars_per_s",
    "loudness_lufs",
    "duration_ratio",
)


def page(findings: Findings, players: Sequence[Player], *, advice: Sequence[Advice]) -> str:
    """The HTML of a report; the same records give the same text."""
    style, script = _file("style.css"), _file("keys.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            **_of_findings(findings),
            **_of_players(findings, players),
            advice=advice,
            style=Markup(style),  # noqa: S704  # our own file
            script=Markup(script),  # noqa: S704  # our own file
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


def _of_findings(findings: Findings) -> dict[str, Any]:
    groups, subject = findings.groups, findings.subject
    drawn, series = points(findings), series_of(findings.erosion)
    several, single = sets(findings, series)
    return {
        "subject": subject,
        "summary": _summary(findings),
        "tiles": tiles(findings),
        "groups_released": groups.released is not None,
        "funnel": findings.funnel,
        "steps": losses(findings),
        "reasons": reasons(findings)[:_MOST_ROWS],
        **_shortened("voices", groups.voices),
        **_shortened("domains", groups.domains),
        "languages": groups.languages[:_MOST_ROWS],
        "points": drawn[: 3 * _MOST_ROWS],
        "plane": plane(drawn),
        "histograms": sorted(findings.histograms, key=_place),
        "first": _FIRST_FIGURES,
        "has_unjudged": findings.funnel.judged < findings.funnel.takes,
        "erosion": erosion(series),
        "erosion_command": _erosion_command(findings),
        "sets": several,
        "single_figures": single,
        "faults": findings.faults,
        "failures": findings.failures[:_MOST_ROWS],
        "hard_texts": findings.hard_texts[:20],
        "licences": licences(findings),
        "families": findings.pool.families,
        "runs": findings.runs[:20],
        "versions": sorted(json.loads(findings.runs[0].versions).items()) if findings.runs else [],
    }


def _place(drawn: Histogram) -> tuple[bool, int]:
    """Figures that the policy limits come first, then those that people ask for first."""
    name = drawn.figure.name
    return not drawn.ends, _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _of_players(findings: Findings, players: Sequence[Player]) -> dict[str, Any]:
    counts = {state: sum(player.take.state == state for player in players) for state in STATES}
    silent = sum(player.audio is None for player in players)
    told = (
        f"{len(players):,} of {findings.funnel.takes:,} takes, drawn by lot so that every voice and every reason is "
        f"heard; {max(0, findings.funnel.takes - len(players)):,} are left out."
        if players
        else "There are no takes to play."
    )
    return {
        "players": players,
        "players_told": told + (f" {silent:,} of those shown have no audio." if silent else ""),
        "states": [(state, counts[state]) for state in ("dropped", "kept", "unjudged") if counts[state]],
    }


def _summary(findings: Findings) -> str:
    funnel, groups, subject = findings.funnel, findings.groups, findings.subject
    size = f"{funnel.released:,} takes, {funnel.released_s / 3600:.2f} h, chosen from" if subject.release else "In all"
    when = f" Frozen on {subject.release.created:%Y-%m-%d}." if subject.release else ""
    languages = ", ".join(group.name for group in groups.languages[:6])
    voices = f"{len(groups.voices):,} voice{'' if len(groups.voices) == 1 else 's'}"
    taken = f"{funnel.takes:,} takes ({funnel.audio_s / 3600:.2f} h)"
    return f"{size} {taken} by {voices} in {languages or 'no language'}.{when}"


def _erosion_command(findings: Findings) -> str:
    """What measures erosion of what the report is about."""
    job = findings.subject.job
    return f"synthgen erosion -c CORPUS{f' --job {shlex.quote(job.name)}' if job else ' --release OLD --release NEW'}"


def _shortened(name: str, groups: Sequence[Group]) -> dict[str, Any]:
    return {name: groups[:_MOST_ROWS], f"more_{name}": max(0, len(groups) - _MOST_ROWS)}


def _manner(player: Player) -> list[str]:
    """How the line asked for it to be read."""
    take: Drawn = player.take
    asked = (("style", take.style), ("timbre", take.timbre), ("temperature", take.temperature))
    return [f"{name} {value}" for name, value in asked if value is not None]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("curation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": "{:,}".format, "number": number, "short": _short, "manner": _manner}
    environment.globals |= {"bar": plots.bar, "histogram": plots.histogram, "pitch": plots.pitch}
    return environment


def _file(name: str) -> str:
    return (resources.files("curation.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
