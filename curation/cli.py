"""The verbs of curation: the whole job, its parts, and what became of it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.verbs import choosing, dgsa, erosion, policies, report, selecting, sets
from curation.verbs.options import CURATE, GENERATE, AsJson, Changes, Corpus, On, RecipeName
from curation.verbs.production import open_production, plain, tell, tell_measured

if TYPE_CHECKING:
    from curation.measuring import Measured


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command(rich_help_panel=GENERATE)(run)
    app.command(rich_help_panel=GENERATE)(plan)
    app.command(rich_help_panel=GENERATE)(status)
    app.command(rich_help_panel=GENERATE)(cast)
    app.command(rich_help_panel=GENERATE)(record)
    app.command(rich_help_panel=GENERATE)(doctor)
    app.command(rich_help_panel=CURATE)(measure)
    app.command(rich_help_panel=CURATE)(explain)
    app.command(rich_help_panel=CURATE)(retry)
    for verbs in (choosing, policies, selecting, dgsa, sets, erosion, report):
        verbs.register(app)


def run(recipe: RecipeName, changes: Changes = [], on: On = None, as_json: AsJson = False) -> None:
    """Do the whole job, text to release; run again, it does what is missing."""
    with open_production(recipe, changes, on, command="run", quiet=as_json) as production:
        summary = production.run()
    tell(summary, as_json=as_json, corpus=production.recipe.corpus)


def cast(recipe: RecipeName, changes: Changes = [], on: On = None, as_json: AsJson = False) -> None:
    """Plan the lines of a job and stop before recording."""
    with open_production(recipe, changes, on, command="cast", quiet=as_json) as production:
        production.prepare()
        next(production.rounds(), None)
        summary = production.summary()
    tell(summary, as_json=as_json, corpus=production.recipe.corpus)


def record(recipe: RecipeName, changes: Changes = [], on: On = None, as_json: AsJson = False) -> None:
    """Cast and record the lines of a job; they are measured as they arrive."""
    with open_production(recipe, changes, on, command="record", quiet=as_json) as production:
        production.prepare()
        for _ in production.rounds():
            production.record()
            production.judge()
        production.settle()
        summary = production.summary()
    tell(summary, as_json=as_json, corpus=production.recipe.corpus)


def measure(
    recipe: Annotated[str | None, typer.Argument(help="A recipe, whose job is measured; or give --metric.")] = None,
    changes: Changes = [],
    corpus: Corpus = Path(),
    metric: Annotated[list[str], typer.Option("--metric", help="Measure the whole corpus with this family.")] = [],
    release: Annotated[str | None, typer.Option(help="With --metric: only the takes of this release.")] = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Score takes that lack a metric: of a recipe's job, of a release, or of a whole corpus, real speech included."""
    if recipe is None:
        tell_measured(_measured(corpus, metric, release=release, on=on, quiet=as_json), as_json=as_json, corpus=corpus)
        return
    with open_production(recipe, changes, on, command="measure", quiet=as_json) as production:
        production.prepare()
        production.measure()
        production.settle()
        summary = production.summary()
    tell(summary, as_json=as_json, corpus=production.recipe.corpus)


def status(corpus: Corpus = Path(), as_json: AsJson = False) -> None:
    """What every job of a corpus has come to, also while one runs."""
    from catalogs.catalog import Catalog
    from curation.reading import job_states

    with Catalog.open(corpus) as catalog:
        for state in job_states(catalog):
            print(json.dumps(plain(state)) if as_json else state.text())


def plan(recipe: RecipeName, changes: Changes = [], on: On = None, as_json: AsJson = False) -> None:
    """Lines, hours, disk, time and cost of a job, with an interval, from a small pilot whose takes are kept."""
    from curation.planning import Plan, plan_job

    with open_production(recipe, changes, on, command="plan", quiet=as_json) as production:
        made: Plan = plan_job(production)
    print(json.dumps(plain(made)) if as_json else made.text())


def doctor(
    speak: Annotated[bool, typer.Option(help="Load the starter voices and let them speak.")] = True,
    as_json: AsJson = False,
) -> None:
    """What works on this machine, tried and not guessed; exit 4 if something is broken."""
    from curation.doctor import examine

    broken = 0
    for finding in examine(speak=speak):
        broken += finding.state == "broken"
        print(json.dumps(plain(finding)) if as_json else finding.text(), flush=True)
    if broken:
        raise SystemExit(4)


def explain(
    take: Annotated[str, typer.Argument(help="The id of a take.")], corpus: Corpus = Path(), as_json: AsJson = False
) -> None:
    """Where a take comes from, what was measured, and why it was kept or dropped."""
    from catalogs.catalog import Catalog
    from curation.reading import explanation

    with Catalog.open(corpus) as catalog:
        found = explanation(catalog, take)
    print(json.dumps(plain(found), default=str) if as_json else found.text())


def retry(
    corpus: Corpus = Path(),
    reason: Annotated[str | None, typer.Option(help="Only failures with this error code.")] = None,
) -> None:
    """Reopen failed items, so that the next run tries them again."""
    from catalogs.catalog import Catalog

    Catalog.open(corpus).lake.close()
    with Catalog.create(corpus) as catalog, catalog.job("retry"):
        count = catalog.reopen(reason=reason)
    print(f"{count} failures reopened; run the job again", file=sys.stderr)


def _measured(folder: Path, names: list[str], *, release: str | None, on: str | None, quiet: bool) -> list["Measured"]:
    """Measure a corpus, or a release, with families by name."""
    from catalogs import takes
    from catalogs.catalog import Catalog
    from catalogs.config import parse_named
    from catalogs.errors import UsageError
    from catalogs.progress import Progress
    from catalogs.release import release_named
    from curation.measuring import measure_missing
    from curation.scope import Scope
    from synthgen.fleet import FleetConfig

    if not names:
        raise UsageError("name a recipe, or the families to measure the corpus with: --metric levels --metric words")
    configs = [parse_named("synthgen.metrics", {"family": n}, field="family", source="--metric") for n in names]
    Catalog.open(folder).lake.close()
    with Catalog.create(folder) as catalog, catalog.job("synthgen measure"):
        run_id = catalog.begin_run(None, f"synthgen measure --metric {' --metric '.join(names)}")
        catalog.seal_abandoned()
        takes.declare(catalog.lake, [config.card() for config in configs])
        fleet = FleetConfig(on=on) if on else FleetConfig()
        among = Scope(release_id=release_named(catalog, release).id if release else None)
        found = measure_missing(catalog, among, configs, fleet=fleet, run_id=run_id, progress=Progress(quiet=quiet))
        catalog.tidy()
        catalog.end_run(run_id, "done")
    return found
