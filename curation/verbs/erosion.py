"""The verb that watches a corpus for erosion; it reads scores and loads no model."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation.verbs.options import CURATE, AsJson, Corpus

if TYPE_CHECKING:
    from catalogs.catalog import Catalog
    from catalogs.records import SetScore
    from curation.sets.erosion import Erosion, Point
    from curation.sets.watched import Watched


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=CURATE)(erosion)


def erosion(
    corpus: Corpus = Path(),
    job: Annotated[str | None, typer.Option("--job", help="A job, along its order; not needed if it is alone.")] = None,
    release: Annotated[
        list[str], typer.Option("--release", help="A release; give several, the first is the baseline.")
    ] = [],
    real: Annotated[bool, typer.Option("--real", help="The corpus's real takes are the baseline.")] = False,
    size: Annotated[int | None, typer.Option(min=1, help="Takes a stretch of a job has.")] = None,
    store: Annotated[bool, typer.Option(help="Keep the figures in the table set_score.")] = True,
    as_json: AsJson = False,
) -> None:
    """Which figures give way as the share of synthetic grows: of a job in its order, or from release to release."""
    from catalogs.catalog import Catalog
    from catalogs.errors import UsageError

    if job and release:
        raise UsageError("give a job or releases, not both")
    with Catalog.open(corpus) as catalog:
        seen = _of_releases(catalog, release, real=real) if release else _of_job(catalog, job, real=real, size=size)
    print(json.dumps(_plain(seen)) if as_json else _text(seen))
    if store:
        with Catalog.create(corpus) as catalog, catalog.job("synthgen erosion"):
            catalog.add(seen.scores)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found, its rows, and how the takes were made comparable ("": there was nothing to do)."""

    erosion: "Erosion"
    scores: "list[SetScore]"
    note: str


def _of_job(catalog: "Catalog", name: str | None, *, real: bool, size: int | None) -> _Seen:
    from catalogs.errors import UsageError
    from curation.policies.judging import find_scope
    from curation.reading import job_states
    from curation.sets.erosion import STRETCHES, point_of, set_scores, stretches, watch
    from curation.sets.watched import real_takes, takes_of_job

    jobs = job_states(catalog)
    if name is None and len(jobs) != 1:
        names = ", ".join(state.name for state in jobs) or "none yet"
        raise UsageError(f"say which job, by --job, or give releases; jobs of {catalog.folder}: {names}")
    job_id = find_scope(catalog, job=name).job_id if name else jobs[0].job_id
    known = real_takes(catalog)
    try:
        parts = stretches(takes_of_job(catalog, str(job_id)), real=len(known), size=size)
    except ValueError as error:
        raise UsageError(str(error)) from error
    sets, note = [part.takes for part in parts], ""
    if real:
        (known, *sets), note = _alike([known, *sets], may_differ=True)
    points = [point_of(takes, part.name, alpha=part.alpha) for takes, part in zip(sets, parts, strict=True)]
    scores = [score for point in points for score in set_scores(point, str(job_id), subset=point.name)]
    first = _real_baseline(point_of(known, "real takes")) if real else points.pop(0)
    return _Seen(watch(first, points, of=STRETCHES), scores, note)


def _of_releases(catalog: "Catalog", names: Sequence[str], *, real: bool) -> _Seen:
    from catalogs.errors import UsageError
    from catalogs.release import release_named
    from curation.sets.erosion import point_of, set_scores, watch
    from curation.sets.watched import real_takes, takes_of_release

    if len(names) < 2 and not real:
        raise UsageError("one release has nothing to be held against: give an earlier one first, or --real")
    releases = [release_named(catalog, name) for name in names]
    sets = [takes_of_release(catalog, release.id) for release in releases]
    known, note = [real_takes(catalog)] if real else [], ""
    sets, note = _alike([*known, *sets], may_differ=real)
    first = [_real_baseline(point_of(sets.pop(0), "real takes"))] if real else []
    points = [point_of(takes, release.name) for takes, release in zip(sets, releases, strict=True)]
    scores = [s for release, point in zip(releases, points, strict=True) for s in set_scores(point, release.id)]
    baseline, *others = [*first, *points]
    return _Seen(watch(baseline, sorted(others, key=lambda point: point.alpha)), scores, note)


def _alike(sets: "list[Watched]", *, may_differ: bool) -> "tuple[list[Watched], str]":
    """The sets with the same mix of domains, and what there is to say of it."""
    from catalogs.errors import UsageError
    from curation.sets.comparable import alike

    held = alike(sets)
    if held is None and not may_differ:
        raise UsageError(
            "the releases have no domain in common of which each has enough: other texts would be all that differs; "
            "give releases of the same domains"
        )
    if held is None:
        return sets, "no domain is in all of these takes: other texts may be all that differs"
    if not held.left_out:
        return list(held.sets), f"{len(held.domains)} domains, weighted alike" if len(held.domains) > 1 else ""
    return list(held.sets), f"domains held: {', '.join(held.domains)}; not all have: {', '.join(held.left_out)}"


def _real_baseline(point: "Point") -> "Point":
    from catalogs.errors import UsageError

    if not point.figures:
        raise UsageError("no real takes with scores to hold against: `synthgen ingest`, then `synthgen measure`")
    return point


def _text(found: _Seen) -> str:
    """A table, a row a point, with half the interval beside each figure; then the warnings."""
    from curation.sets.signs import FIGURES

    seen = found.erosion
    shown = [figure for figure in FIGURES if figure.name in seen.baseline.figures]
    rows = [["", "alpha", "takes", *(f"{figure.name}, {figure.unit}" for figure in shown)]]
    for point in (seen.baseline, *seen.points):
        cells = [
            f"{value.value:.3g} ± {(value.high - value.low) / 2:.2g}" if value else "-"
            for value in (point.figures.get(figure.name) for figure in shown)
        ]
        name = f"{point.name} (baseline)" if point is seen.baseline else point.name
        rows.append([name, f"{point.alpha:.0%}", f"{point.num_takes:,}", *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = [f"warning: {warned.text()}" for warned in seen.warnings] or ["no figure has left its baseline"]
    return "\n".join([*table, "", *([found.note] if found.note else []), *told])


def _plain(found: _Seen) -> dict[str, Any]:
    seen = found.erosion
    return {
        "baseline": asdict(seen.baseline),
        "points": [asdict(point) for point in seen.points],
        "warnings": [asdict(warned) for warned in seen.warnings],
        "note": found.note,
    }
