"""The verb of DGSA: pairs of takes of one voice, its style on and off, and what weight each objective gets."""

import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from curation.verbs.options import CURATE, AsJson, Corpus

Real = Annotated[
    list[str], typer.Option("--real", metavar="VOICE=HUMAN", help="A voice that speaks as a real speaker.")
]
Job = Annotated[
    str | None, typer.Option("--job", help="The takes of a job (name or id) by its policy and its [dgsa]; else all.")
]


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=CURATE)(dgsa)


def dgsa(
    corpus: Corpus = Path(),
    job: Job = None,
    share: Annotated[float | None, typer.Option(help="The synthetic share; that of the takes without it.")] = None,
    threshold: Annotated[float | None, typer.Option(help="The share from which expressivity counts, 0.5.")] = None,
    real: Real = [],
    iteration: Annotated[int, typer.Option(help="The round that the pairs belong to.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Note which takes win over expressive and stable readings of their own voice, and weigh the two objectives."""
    from catalogs.catalog import Catalog
    from catalogs.errors import UsageError
    from curation.dgsa.config import DgsaConfig, weights_of
    from curation.dgsa.jobs import job_named
    from curation.dgsa.pairs import EXPRESSIVITY, STABILITY
    from curation.dgsa.rows import CORPUS, note_preferences, synthetic_share

    if share is not None and not 0 <= share <= 1:
        raise UsageError(f"dgsa: --share is from 0 to 1, not {share}")
    Catalog.open(corpus).lake.close()
    with Catalog.create(corpus) as catalog, catalog.job("synthgen dgsa"):
        whose, config = job_named(catalog, job) if job else (CORPUS, DgsaConfig())
        try:
            config = replace(config, **_given(threshold, real))
        except ValueError as error:
            raise UsageError(f"dgsa: {error}; --real takes VOICE=HUMAN, such as coqui/anna=human/anna") from error
        noted = note_preferences(catalog, config, whose, iteration=iteration)
        measured = synthetic_share(catalog, whose) if share is None else share
    weights = weights_of(measured or 0.0, config)
    counts = {name: sum(p.objective == name for p in noted.pairs) for name in (STABILITY, EXPRESSIVITY)}
    if as_json:
        told = {"synthetic_share": measured, "pairs": counts, "weights": asdict(weights)}
        print(json.dumps(told | {"left_out": len(noted.left_out)}))
        return
    print(f"pairs: {counts[STABILITY]:,} for stability, {counts[EXPRESSIVITY]:,} for expressivity")
    for why, number in sorted(Counter(noted.left_out.values()).items()):
        print(f"left out: {number:,} takes, {why}")
    print(
        f"synthetic share {measured or 0.0:.1%}: weight {weights.stability:.2f} for stability, "
        f"{weights.expressivity:.2f} for expressivity"
    )
    if weights.stability == weights.expressivity == 0:
        print(f"up to {config.threshold:.0%} nothing is tuned")


def _given(threshold: float | None, real: list[str]) -> dict[str, Any]:
    """The settings that the command line gives in place of the job's."""
    given: dict[str, Any] = {} if threshold is None else {"threshold": threshold}
    return given | ({"real": dict(pair.split("=", 1) for pair in real)} if real else {})
