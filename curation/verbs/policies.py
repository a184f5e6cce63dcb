"""The verbs of policies: judge takes by one, and tell what another would change; no model is loaded."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.verbs.options import CURATE, AsJson, Changes, Corpus

if TYPE_CHECKING:
    from catalogs.catalog import Catalog
    from curation.policies.replay import Group, Replay
    from curation.policies.shift import Median, Shift
    from curation.recipe import Recipe

Job = Annotated[str | None, typer.Option("--job", help="Only the takes of this job: its name, or its id.")]
Release = Annotated[str | None, typer.Option("--release", help="Only the takes of this release.")]
Named = "A policy's TOML file (or a recipe), or the title or id of one that has judged here."

GROUPS_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command(rich_help_panel=CURATE)(judge)
    app.command(rich_help_panel=CURATE)(diff)


def judge(
    recipe: Annotated[str | None, typer.Argument(help="A recipe, whose job is judged by its own policy.")] = None,
    changes: Changes = [],
    corpus: Corpus = Path(),
    policy: Annotated[str | None, typer.Option("--policy", help=Named)] = None,
    job: Job = None,
    release: Release = None,
    as_json: AsJson = False,
) -> None:
    """Judge takes by a policy, which then has the last word on them: those of a recipe's job, or of a corpus."""
    from catalogs import takes
    from catalogs.catalog import Catalog
    from catalogs.errors import UsageError
    from curation.policies.judging import closed, find_policy, find_scope, judge_again
    from curation.recipe import load_recipe
    from curation.scope import Scope

    if (recipe is None) == (policy is None) or (recipe and (job or release)):
        raise UsageError("give a recipe alone, or a policy with its corpus: --policy strict.toml -c CORPUS")
    wanted = load_recipe(recipe, changes) if recipe else None
    folder = wanted.corpus if wanted else corpus
    Catalog.open(folder).lake.close()  # there must be one
    with Catalog.create(folder) as catalog, catalog.job("synthgen judge"):
        scope = Scope(wanted.job_id) if wanted else find_scope(catalog, job=job, release=release)
        run_id = catalog.begin_run(scope.job_id, f"synthgen judge {recipe or policy}")
        if wanted:
            _compare_voices(catalog, wanted, run_id)
        found = closed(catalog, wanted.policy if wanted else find_policy(catalog, policy or ""), scope)
        judged = judge_again(catalog, found, scope)
        if judged.fresh:
            takes.flatten(catalog.lake)
            catalog.lake.compact()
        catalog.end_run(run_id, "done")
    if as_json:
        print(json.dumps({"id": found.id, "title": found.title, **asdict(judged)}))
        return
    print(judged.text())
    if not judged.takes:
        print(f"{folder} has no such takes: nothing was judged", file=sys.stderr)


def diff(
    policy_a: Annotated[str, typer.Argument(help=Named)],
    policy_b: Annotated[str, typer.Argument(help="The policy to hold against it.")],
    corpus: Corpus = Path(),
    job: Job = None,
    release: Release = None,
    metric: Annotated[list[str], typer.Option("--metric", help="Compare this figure too.")] = [],
    as_json: AsJson = False,
) -> None:
    """What the second policy would change of what the first keeps: hours, voices, reasons, figures."""
    from catalogs.catalog import Catalog
    from curation.policies.judging import find_policy, find_scope
    from curation.policies.replay import replay

    with Catalog.open(corpus) as catalog:
        policies = (find_policy(catalog, policy_a), find_policy(catalog, policy_b))
        found = replay(catalog, policies, find_scope(catalog, job=job, release=release), figures=metric)
    print(json.dumps(found.plain()) if as_json else "\n".join(_told(found)))


def _compare_voices(catalog: "Catalog", recipe: "Recipe", run_id: str) -> None:
    """Similarities of the job's takes that lack them, where their voices' first takes are all there."""
    from catalogs.progress import Progress
    from curation.production import Production

    production = Production(recipe, catalog, run_id=run_id, progress=Progress(quiet=True))
    production.prepare()
    production.judge()


def _told(found: "Replay") -> list[str]:
    """A replay as Markdown: what is kept, who gains and loses, why takes are dropped, and how figures shift."""
    a, b, all_takes = found.a.title, found.b.title, found.all
    lines = [
        f"A = {a}, B = {b}, over {all_takes.takes:,} takes, {_hours(all_takes.audio_s)} h",
        "",
        *_groups_table([all_takes], ""),
    ]
    for kind in ("voice", "language", "domain"):
        groups = found.of_kind(kind)
        changed = [group for group in groups if group.gained or group.lost]
        if len(groups) > 1 and changed:
            lines += ["", *_groups_table(changed[:GROUPS_SHOWN], kind)]
            lines += [f"… and {len(changed) - GROUPS_SHOWN} more"] if len(changed) > GROUPS_SHOWN else []
        lines += [f"{kind} gained: {g.name}" for g in groups if g.kept_b and not g.kept_a]
        lines += [f"{kind} lost: {g.name}" for g in groups if g.kept_a and not g.kept_b]
    reasons = [[r.policy.upper(), r.reason, f"{r.takes:,}", f"{r.alone:,}", _hours(r.audio_s)] for r in found.reasons]
    if reasons:
        lines += ["", *_table(["", "drops for", "takes", "for it alone", "h"], reasons)]
    if found.shifts:
        lines += [
            "",
            *_table(["figure", "mean A", "mean B", "B less A", "median A", "median B"], map(_row, found.shifts)),
        ]
    examples = [[e.side, e.take_id, e.voice, e.text[:48], ", ".join(e.reasons)] for e in found.examples]
    if examples:
        lines += ["", *_table(["", "take", "voice", "text", "what the other policy says"], examples)]
    return lines


def _groups_table(groups: Sequence["Group"], kind: str) -> list[str]:
    rows = [
        [
            g.name,
            f"{g.kept_a:,} ({_hours(g.kept_a_s)} h)",
            f"{g.kept_b:,} ({_hours(g.kept_b_s)} h)",
            f"+{g.gained:,} ({_hours(g.gained_s)} h)",
            f"-{g.lost:,} ({_hours(g.lost_s)} h)",
        ]
        for g in groups
    ]
    return _table([kind, "A keeps", "B keeps", "gained", "lost"], rows)


def _row(shift: "Shift") -> list[str]:
    difference = "" if shift.difference is None else f"{shift.difference:+.3g} [{shift.low:+.3g}, {shift.high:+.3g}]"
    name = f"{shift.figure} ({shift.unit})" if shift.unit else shift.figure
    means = ["" if mean is None else f"{mean:.3g}" for mean in (shift.mean_a, shift.mean_b)]
    return [name, *means, difference, _median(shift.median_a), _median(shift.median_b)]


def _median(median: "Median | None") -> str:
    return "" if median is None else f"{median.value:.3g} [{median.low:.3g}, {median.high:.3g}]"


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    filled = list(rows)
    widths = [max(len(row[n]) for row in [head, *filled]) for n in range(len(head))]
    ruler = ["-" * width for width in widths]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, ruler, *filled]
    ]


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.2f}"
