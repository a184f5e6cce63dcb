"""The verbs of evaluation: what a recogniser hears, makes up, and answers."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="The folder of a training or a checkpoint, or whisper-tiny-en.")]
Beams = Annotated[int, typer.Option(min=1, help="1 is greedy.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer, *, panel: str) -> None:
    """Mount the verbs."""
    for verb in (evaluate, transcribe, hallucinations, questions, perplexity):
        app.command(rich_help_panel=panel)(verb)


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
            line = f"{answer.take_id}\t{' '.join(answer.text.split())}"  # a language model may break lines
            print(json.dumps(row, ensure_ascii=False) if as_json else line, flush=True)
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
