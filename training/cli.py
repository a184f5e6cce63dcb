"""The verbs of training."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

PANEL = "Train"

Name = Annotated[str, typer.Argument(help="The folder of a training or a checkpoint, or whisper-tiny-en.")]
Beams = Annotated[int, typer.Option(min=1, help="1 is greedy.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Recipe = Annotated[str, typer.Argument(help="A TOML file.")]
Changes = Annotated[list[str], typer.Option("-o", "--set", metavar="KEY=VALUE", help="Change one setting.")]


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    for verb in (train, evaluate, transcribe, hallucinations, questions, perplexity, probe, latents, merge, vectors):
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
    from training.recipe import load_recipe
    from training.session import train as run_here

    asked = load_recipe(recipe, changes)
    if on == "here" and workers > 1:
        raise UsageError("--workers are Ray's: give --on ray, or start the processes with torchrun")
    if on == "here":
        found = run_here(asked, progress=Progress(quiet=as_json))
    else:
        from training.on_ray import train_on_ray

        found = train_on_ray(asked, address=None if on == "ray" else on, workers=workers)
    if as_json:
        print(json.dumps(asdict(found), default=str))
        return
    loss = "" if found.loss is None else f", loss {found.loss:.3f}"
    print(f"{found.folder}: {found.steps:,} steps over {found.utterances:,} utterances{loss}")
    print(f"the curve is {found.folder / 'curve.svg'}", file=sys.stderr)


def evaluate(
    checkpoint: Name,
    release: Annotated[str, typer.Argument(help="The name of a release.")],
    corpus: Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="Its corpus.")] = Path(),
    split: Annotated[str | None, typer.Option(help="One split of the release; all of it if not given.")] = None,
    against: Annotated[str | None, typer.Option(metavar="CHECKPOINT", help="Another recogniser to compare.")] = None,
    by: Annotated[str, typer.Option(metavar="COLUMNS", help="Columns of takes to slice by: domain,voice")] = "",
    beams: Beams = 1,
    only_unseen: Annotated[
        bool, typer.Option("--only-unseen", help="Leave out takes that share something with training.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a recogniser on a release that it was not trained on; its hypotheses are kept in the corpus."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.evaluation.report import EvaluationConfig
    from training.evaluation.report import evaluate as run
    from training.evaluation.telling import told

    columns = tuple(dict.fromkeys(filter(None, (column.strip() for column in by.split(",")))))
    config = EvaluationConfig(corpus, release, split=split, by=columns, beams=beams, only_unseen=only_unseen)
    names = [checkpoint] if against is None else [checkpoint, against]
    report = run(names, config, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(report)) if as_json else told(report))
    if any(system.failures for system in report.systems):
        raise SystemExit(5)


def transcribe(
    checkpoint: Name,
    audio: Annotated[list[Path], typer.Argument(help="Sound files of any rate, such as WAV or FLAC.")],
    beams: Beams = 1,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Write down what is said in sound files."""
    from training.evaluation.files import transcribe as run
    from training.evaluation.naming import recogniser_named

    failed = 0
    for answers, failures in run(recogniser_named(checkpoint, beams=beams), audio):
        for answer in answers:
            row = {"audio": answer.take_id, "text": answer.text, "hit_limit": answer.hit_limit}
            if answer.labels is not None:
                row |= {"intent": answer.labels.intent, "slots": [[s.name, s.value] for s in answer.labels.values]}
            print(json.dumps(row, ensure_ascii=False) if as_json else f"{answer.take_id}\t{answer.text}", flush=True)
        for failure in failures:
            print(f"{failure.subject_id}: {failure.message}", file=sys.stderr)
        failed += len(failures)
    if failed:
        raise SystemExit(5)


def hallucinations(
    checkpoint: Name,
    noise: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Recordings of noise as well.")] = None,
    sounds: Annotated[int, typer.Option(min=1, help="How many of each kind to make.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="What they are made from.")] = 0,
    language: Annotated[str, typer.Option(help="How words are counted: a BCP 47 tag.")] = "en",
    beams: Beams = 1,
    as_json: AsJson = False,
) -> None:
    """See what a recogniser makes up where nobody speaks: in silence, noise, hum, and the tails of rooms."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.evaluation.hallucinations import HallucinationConfig
    from training.evaluation.hallucinations import hallucinations as run
    from training.evaluation.telling import told_hallucinations

    config = HallucinationConfig(sounds, seed, noise, language, beams)
    found = run(checkpoint, config, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(found)) if as_json else told_hallucinations(found))
    if found.failures:
        raise SystemExit(5)


def questions(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a training or a checkpoint.")],
    release: Annotated[str, typer.Argument(help="A release whose takes read the questions.")],
    file: Annotated[Path, typer.Argument(help="JSON lines with text, choices, and answer, counted from 0.")],
    corpus: Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="Its corpus.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Ask multiple-choice questions by speech and by text, and see how far the answers are apart."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.evaluation.questions import ask
    from training.evaluation.telling import told_answers

    found = ask(checkpoint, corpus, release, file, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(found)) if as_json else told_answers(found))


def perplexity(
    checkpoint: Annotated[Path, typer.Argument(help="The folder of a training or a checkpoint.")],
    file: Annotated[Path, typer.Argument(help="A UTF-8 file with a text on each line.")],
    as_json: AsJson = False,
) -> None:
    """See what training has cost the language model: perplexity per token, before and after."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.evaluation.perplexity import perplexity as run

    found = run(checkpoint, file, progress=Progress(quiet=as_json))
    if as_json:
        print(json.dumps(asdict(found)))
        return
    print(f"perplexity {found.before:.2f} before, {found.after:.2f} after; {found.num_tokens:,} tokens")
    print(f"{found.num_texts:,} texts; left out, as training had them: {found.left_out:,}", file=sys.stderr)


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
    from training.lasyn.telling import told

    config = QualityConfig(real, split=split, texts=texts, guide=guide, takes=takes, only_unseen=only_unseen)
    report = quality(checkpoint, config, progress=Progress(quiet=as_json))
    print(json.dumps(asdict(report), default=str) if as_json else told(report))
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
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the cosines, as SVG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the task vectors of a corpus: what they are made of, how large they are, how they lie to each other."""
    from dataclasses import asdict

    from training.merging.angles import registered
    from training.merging.plots import plot_cosines
    from training.merging.telling import told_vectors

    found = registered(corpus)
    if plot is not None:
        plot_cosines(found, plot)
    print(json.dumps(asdict(found)) if as_json else told_vectors(found))
