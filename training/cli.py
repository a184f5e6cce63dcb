"""The verbs of training."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from training.evaluation import verbs as evaluation
from training.timing import verbs as timing

PANEL = "Train"

_LARGEST = 2**63 - 1
"""The largest number that a corpus keeps."""

Name = Annotated[str, typer.Argument(help="The folder of a training or a checkpoint, or whisper-tiny-en.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Recipe = Annotated[str, typer.Argument(help="A TOML file.")]
Changes = Annotated[list[str], typer.Option("-o", "--set", metavar="KEY=VALUE", help="Change one setting.")]

Choices = Annotated[
    list[str],
    typer.Option("-o", "--set", metavar="KEY=VALUE", help="granularity=word, segments.at=silence, confidence=0.1"),
]


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command(rich_help_panel=PANEL)(train)
    app.command(rich_help_panel=PANEL)(variants)
    evaluation.register(app, panel=PANEL)
    timing.register(app, panel=PANEL)
    for verb in (interleave, probe, latents, merge, vectors):
        app.command(rich_help_panel=PANEL)(verb)


def train(
    recipe: Recipe,
    changes: Changes = [],
    on: Annotated[str, typer.Option(help="here, ray, or the address of a Ray cluster.")] = "here",
    workers: Annotated[int, typer.Option(min=1, help="Processes to train with, on Ray.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Train a recogniser on releases; run again, it goes on where it was."""
    from dataclasses import asdict

    from catalogs.errors import UsageError
    from catalogs.progress import Progress
    from training.curve import PLOT
    from training.processes import processes
    from training.recipe import load_recipe
    from training.session import train as run_here

    asked = load_recipe(recipe, changes)
    if on == "here" and workers > 1:
        raise UsageError("--workers are Ray's: give --on ray, or start the processes with torchrun")
    if on == "here":
        found = run_here(asked, progress=Progress(quiet=as_json))
        if not processes().is_main_process:
            return  # the first of torchrun's processes speaks for all
    else:
        from training.on_ray import train_on_ray

        found = train_on_ray(asked, address=None if on == "ray" else on, workers=workers)
    if as_json:
        print(json.dumps(asdict(found), default=str))
        return
    loss = "" if found.loss is None else f", loss {found.loss:.3f}"
    print(f"{found.folder}: {found.steps:,} steps over {found.utterances:,} utterances{loss}")
    if (found.folder / PLOT).exists():
        print(f"the curve is {found.folder / PLOT}", file=sys.stderr)


def variants(
    recipe: Recipe,
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the sounds come: a new folder.")],
    changes: Changes = [],
    takes: Annotated[int, typer.Option(min=1, help="How many takes.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Listen to what the augmentation of a recipe makes of takes, and see how each variant was made."""
    from dataclasses import asdict

    from training.augmentation.sounding import sound_out
    from training.data import read_data
    from training.recipe import load_recipe

    asked = load_recipe(recipe, changes)
    members = [member for config in asked.data for member in read_data(config)[1]]
    for made in sound_out(asked.augmentation, members, takes=takes, to=to):
        told = "; ".join(_told(step) for step in made.steps)
        print(json.dumps(asdict(made), default=str) if as_json else f"{made.sound}\t{told or 'as it is'}", flush=True)


def _told(step: Mapping[str, float | str]) -> str:
    """A step by its name, and what was drawn for it."""
    drawn = [f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in step.items()]
    return ", ".join([str(step["step"]), *drawn[1:]])


def interleave(
    release: Annotated[str, typer.Argument(help="The name of a release.")],
    corpus: Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="Its corpus.")] = Path(),
    changes: Choices = [],
    split: Annotated[str | None, typer.Option(help="One split of the release; all of it if not given.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=_LARGEST, help="What is drawn is drawn from it.")] = 0,
    texts: Annotated[
        str | None, typer.Option(metavar="FILE|RELEASE", help="Texts alone: a file, or what a release says.")
    ] = None,
    language: Annotated[str, typer.Option(help="That of texts in a file which name none: a BCP 47 tag.")] = "en",
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Export them as well, into a new folder.")] = None,
    use: Annotated[str, typer.Option(help="research or commercial; licences are held against it.")] = "research",
    as_json: AsJson = False,
) -> None:
    """Make speech and text in turn of a release's takes: rows of its corpus, and a data set to train others on."""
    from dataclasses import asdict
    from functools import partial

    from catalogs.catalog import Catalog
    from catalogs.config import override, parse
    from catalogs.export import ExportConfig
    from catalogs.export.sequences import check_sequences, export_sequences
    from catalogs.progress import Progress
    from training.interleaving.choosing import Choosing
    from training.interleaving.sequences import InterleaveConfig, interleave_release
    from training.interleaving.telling import told

    allowed = parse(ExportConfig, {"format": "parquet", "intended_use": use}, source="interleave").intended_use
    choosing = parse(Choosing, override({}, changes), source="choosing")
    config = InterleaveConfig(release, split, choosing, seed=seed, texts=texts, language=language)
    check = None if to is None else partial(check_sequences, to=to, use=allowed)
    report = interleave_release(corpus, config, progress=Progress(quiet=as_json), check=check)
    exported = None
    if to is not None:
        with Catalog.open(corpus) as catalog:
            exported = export_sequences(catalog, report.interleaving, to=to, use=allowed)
    if as_json:
        print(json.dumps({**asdict(report), "exported": exported and asdict(exported)}, default=str))
        return
    print(told(report, exported))


def probe(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a training or a checkpoint.")],
    real: Annotated[str, typer.Option(metavar="CORPUS/RELEASE", help="A release with real takes.")],
    synthetic: Annotated[str, typer.Option(metavar="CORPUS/RELEASE", help="One with synthetic takes of its texts.")],
    split: Annotated[str | None, typer.Option(help="One split of both; all of them if not given.")] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Also perturb takes, and see what that does.")] = False,
    takes: Annotated[int, typer.Option(min=1, help="How many of each kind to hear at most.")] = 200,
    as_json: AsJson = False,
) -> None:
    """See in which layers a recogniser tells synthetic speech from real; rows and plots are kept beside it."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.probing.report import ProbeConfig
    from training.probing.report import probe as run
    from training.probing.telling import told

    config = ProbeConfig(real, synthetic, split=split, takes=takes, sweep=sweep)
    report = run(checkpoint, config, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(report), default=str) if as_json else told(report))
    print(f"rows and plots are in {report.folder}", file=sys.stderr)


def latents(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a synthesiser, lasyn_fixed or lasyn_diffusion.")],
    real: Annotated[str, typer.Option(metavar="CORPUS/RELEASE", help="A release with real takes.")],
    split: Annotated[str | None, typer.Option(help="One split of it; all of it if not given.")] = None,
    texts: Annotated[Path | None, typer.Option(metavar="FILE", help="Further texts, one on each line.")] = None,
    guide: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Who hears; else the synthesiser's own.")] = None,
    takes: Annotated[int, typer.Option(min=4, help="How many takes to hear at most.")] = 200,
    only_unseen: Annotated[
        bool, typer.Option("--only-unseen", help="Leave out takes that share something with training.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """See how good a synthesiser's latents are: what is heard in them, and how far from real ones they are."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.lasyn.quality import QualityConfig, quality
    from training.lasyn.reports import keep
    from training.lasyn.telling import told
    from training.probing.pairing import parts_of

    config = QualityConfig(real, split=split, texts=texts, guide=guide, takes=takes, only_unseen=only_unseen)
    report = quality(checkpoint, config, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(report), default=str) if as_json else told(report))
    keep(parts_of(real)[0], report)
    print(f"rows are in {report.folder}", file=sys.stderr)


def merge(recipe: Recipe, changes: Changes = [], as_json: AsJson = False) -> None:
    """Add what sets real speech apart from synthetic in some domains to a model of another."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.merging.merge import merge as run
    from training.merging.recipe import load_merge
    from training.merging.telling import told_merge

    found = run(load_merge(recipe, changes), progress=Progress(quiet=as_json))
    print(json.dumps(asdict(found), default=str) if as_json else told_merge(found))


def vectors(
    corpus: Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="Its corpus.")] = Path(),
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the cosines, as .svg, .png or .pdf.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the task vectors of a corpus: what they are made of, how large they are, how they lie to each other."""
    from dataclasses import asdict

    from training.merging.angles import registered
    from training.merging.plots import check_drawable, plot_cosines
    from training.merging.telling import told_vectors

    if plot is not None:
        check_drawable(plot)
    found = registered(corpus)
    if plot is not None:
        plot_cosines(found, plot)
    print(json.dumps(asdict(found)) if as_json else told_vectors(found))
