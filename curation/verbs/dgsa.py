"""The verb of DGSA: pairs of takes of one voice, its style on and off, and what weight each objective gets."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalogs.errors import UsageError
from curation.verbs.options import CURATE, AsJson, Corpus

if TYPE_CHECKING:
    from curation.dgsa.config import DgsaConfig
    from curation.dgsa.rows import Noted

Real = Annotated[
    list[str], typer.Option("--real", metavar="VOICE=HUMAN", help="A voice that speaks as a real speaker.")
]
Job = Annotated[
    str | None, typer.Option("--job", help="The takes of a job (name or id), by its policy and its rules; else all.")
]


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=CURATE)(dgsa)


def dgsa(
    corpus: Corpus = Path(),
    job: Job = None,
    share: Annotated[float | None, typer.Option(help="The synthetic share; that of the takes without it.")] = None,
    threshold: Annotated[float | None, typer.Option(help="The share from which expressivity counts, 0.5.")] = None,
    below: Annotated[str | None, typer.Option(help="What is tuned up to it: sft is nothing, or stability.")] = None,
    real: Real = [],
    iteration: Annotated[int, typer.Option(help="The round that the pairs belong to.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Note which takes win over expressive and stable readings of their own voice, and weigh the two objectives."""
    from catalogs.catalog import Catalog
    from curation.dgsa.config import DgsaConfig
    from curation.dgsa.jobs import job_named
    from curation.dgsa.rows import CORPUS, note_preferences

    given = {"share": share, "threshold": threshold, "below": below, "real": _pairs(real) or None}
    _changed(DgsaConfig(), given)  # what cannot be is refused before anything is opened
    Catalog.open(corpus).lake.close()
    with Catalog.create(corpus) as catalog, catalog.job("synthgen dgsa"):
        whose, settings = job_named(catalog, job) if job else (CORPUS, DgsaConfig())
        config = _changed(settings, given)
        noted = note_preferences(catalog, config, whose, iteration=iteration)
    print(json.dumps(_plain(noted)) if as_json else "\n".join(_told(noted, config)))


def _pairs(real: list[str]) -> dict[str, str]:
    found = [pair.partition("=")[::2] for pair in real]
    if wrong := [pair for pair, named in zip(real, found, strict=True) if not all(named)]:
        raise UsageError(f"dgsa: --real takes VOICE=HUMAN, such as coqui/anna=human/anna, not {wrong[0]!r}")
    return dict(found)


def _changed(config: "DgsaConfig", given: dict[str, Any]) -> "DgsaConfig":
    """The settings with those that the command line gives in their place."""
    from catalogs.config import parse

    changes = {key: value for key, value in given.items() if value is not None}
    return parse(type(config), asdict(config) | changes, source="dgsa")


def _counts(noted: "Noted") -> dict[str, int]:
    from curation.dgsa.pairs import EXPRESSIVITY, STABILITY

    return {name: sum(pair.objective == name for pair in noted.pairs) for name in (STABILITY, EXPRESSIVITY)}


def _plain(noted: "Noted") -> dict[str, Any]:
    weights, left_out = asdict(noted.weights), len(noted.left_out)
    return {"synthetic_share": noted.share, "pairs": _counts(noted), "weights": weights, "left_out": left_out}


def _told(noted: "Noted", config: "DgsaConfig") -> list[str]:
    counts, weights = _counts(noted), noted.weights
    lines = ["pairs: " + ", ".join(f"{number:,} for {name}" for name, number in counts.items())]
    lines += [f"left out: {number:,} takes, {why}" for why, number in sorted(Counter(noted.left_out.values()).items())]
    lines.append(
        f"synthetic share {noted.share or 0.0:.1%}: weight {weights.stability:.2f} for stability, "
        f"{weights.expressivity:.2f} for expressivity"
    )
    return [*lines, *([] if any(asdict(weights).values()) else [f"up to {config.threshold:.0%} nothing is tuned"])]
