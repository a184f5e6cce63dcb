"""The verbs of the catalog: bring data in, ask it, freeze it, take it out, check it; and the models' own."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalogs import cli_models
from catalogs.failures import told_failures

if TYPE_CHECKING:
    from catalogs.records import Release

PANEL = "Catalog"

Corpus = Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="The corpus folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command(rich_help_panel=PANEL)(ingest)
    app.command(rich_help_panel=PANEL)(sql)
    app.command(rich_help_panel=PANEL)(releases)
    app.command(rich_help_panel=PANEL)(export)
    app.command(rich_help_panel=PANEL)(verify)
    app.command(rich_help_panel=PANEL)(dictionary)
    app.add_typer(cli_models.app, name="models", rich_help_panel=PANEL)


def ingest(
    path: Annotated[Path, typer.Argument(help="A folder or manifest of real speech.")],
    corpus: Corpus,
    layout: Annotated[str, typer.Option(help="auto, ljspeech, kaldi, nemo, lhotse or jsonl.")] = "auto",
    language: Annotated[str, typer.Option(help="Where the corpus does not say.")] = "en",
    licence: Annotated[str, typer.Option(help="Where the corpus does not say.")] = "unknown",
    consent: Annotated[str, typer.Option(help="What the speakers agreed to.")] = "unknown",
    speaker: Annotated[str, typer.Option(help="Where the corpus does not say.")] = "unknown",
    split: Annotated[str | None, typer.Option(help="Where the corpus does not say.")] = None,
    domain: Annotated[str | None, typer.Option(help="Where the corpus does not say.")] = None,
    text: Annotated[str, typer.Option(help="The manifest's column of texts.")] = "text",
    audio: Annotated[str, typer.Option(help="The manifest's column of audio files.")] = "audio",
    as_json: AsJson = False,
) -> None:
    """Bring real speech into a corpus, as takes by human voices."""
    from catalogs.catalog import Catalog
    from catalogs.config import parse
    from catalogs.ingest import SpeechSource
    from catalogs.ingest.storing import ingest_speech

    usual = {"language": language, "licence": licence, "speaker": speaker, "split": split, "domain": domain}
    table = {"path": str(path), "layout": layout, "text": text, "audio": audio, "consent": consent, **usual}
    source = parse(SpeechSource, table, source="ingest")
    command = f"synthgen ingest {path}"
    with Catalog.create(corpus) as catalog, catalog.job(command):
        run_id = catalog.begin_run(None, command)
        catalog.seal_abandoned()
        ingested = ingest_speech(catalog, source, run_id, watch=lambda so_far: print(so_far.text(), file=sys.stderr))
        catalog.tidy()
        catalog.end_run(run_id, "done")
    print(json.dumps(_plain(ingested)) if as_json else ingested.text())
    if ingested.failed:
        print(told_failures(f"{ingested.failed:,} failed", corpus), file=sys.stderr)
        raise SystemExit(5)


def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT; `takes` has a row a take. `-` reads it from stdin.")],
    corpus: Corpus = Path(),
    form: Annotated[str | None, typer.Option("--format", help="table, csv, json, jsonl or parquet.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="A file to write, its format by its name.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of a table on the screen.")] = 40,
    timeout: Annotated[float, typer.Option(help="Seconds after which the query is stopped.")] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Ask the corpus, read-only, also while a job writes it."""
    from catalogs.console import ask
    from catalogs.showing import format_of, save, show

    shape = format_of(form or ("json" if as_json else None), output)
    found = ask(corpus, sys.stdin.read() if statement == "-" else statement, timeout_s=timeout)
    if output:
        save(found, output, shape)
        print(f"{output}: {found.num_rows:,} rows", file=sys.stderr)
        return
    for line in show(found, shape, rows=rows):
        print(line)


def verify(
    corpus: Corpus = Path(),
    repair: Annotated[bool, typer.Option("--repair", help="Save what is sound, forget what is lost.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every take.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every shard and row. Exit code 0: all is well; 3: something is wrong; 5: mended, but takes were lost."""
    from catalogs.catalog import Catalog
    from catalogs.verify import Report
    from catalogs.verify import verify as check

    def watch(report: Report) -> None:
        print(f"\r{report.shards:,} shards, {report.num_bytes / 1e9:.2f} GB", end="", file=sys.stderr, flush=True)

    Catalog.open(corpus).lake.close()  # there must be one
    seen = watch if sys.stderr.isatty() else None
    if repair:
        with Catalog.create(corpus) as catalog, catalog.job("synthgen verify --repair"):
            report = check(catalog, repair=True, deep=deep, watch=seen)
    else:
        with Catalog.open(corpus) as catalog:
            report = check(catalog, deep=deep, watch=seen)
    if seen:
        print(file=sys.stderr)
    print(json.dumps({**_plain(report), "exit_code": report.exit_code}) if as_json else report.text())
    if report.exit_code:
        raise SystemExit(report.exit_code)


def releases(corpus: Corpus = Path(), as_json: AsJson = False) -> None:
    """List the releases of a corpus."""
    from catalogs.catalog import Catalog
    from catalogs.release import releases as all_releases

    with Catalog.open(corpus) as catalog:
        for release in all_releases(catalog):
            if as_json:
                print(json.dumps(_plain(release), default=str))
            else:
                print(release_text(release))


def export(
    release: Annotated[str | None, typer.Argument(help="The name of a release; none for duckdb.")] = None,
    *,
    to: Annotated[Path, typer.Option("--to", help="The folder, or the DuckDB file, to make.")],
    corpus: Corpus = Path(),
    layout: Annotated[
        str, typer.Option("--format", help="shar, webdataset, parquet, nemo, nemo-tarred, kaldi, jsonl; duckdb.")
    ] = "shar",
    rate: Annotated[int | None, typer.Option(help="Sampling rate in hertz; the takes' own if not given.")] = None,
    use: Annotated[str, typer.Option(help="research or commercial; licences are held against it.")] = "research",
    as_json: AsJson = False,
) -> None:
    """Write a release as a data set, its bytes copied wherever format and rate allow; or all tables as one file."""
    from catalogs.catalog import Catalog
    from catalogs.config import parse
    from catalogs.errors import UsageError
    from catalogs.export import ExportConfig
    from catalogs.export import export as write
    from catalogs.release import members, release_named
    from catalogs.single_file import write_single_file

    if (release is None) != (layout == "duckdb"):
        raise UsageError("name a release to export, or none with --format duckdb, which holds the whole corpus")
    if release is None:
        with Catalog.open(corpus) as catalog:
            num_takes = write_single_file(catalog, to)
        told = {"to": str(to), "format": layout, "num_takes": num_takes}
        print(json.dumps(told) if as_json else f"{to}: {num_takes:,} takes, without audio")
        return
    config = parse(ExportConfig, {"format": layout, "rate_hz": rate, "intended_use": use}, source="export")
    with Catalog.open(corpus) as catalog:
        found = release_named(catalog, release)
        report = write(members(catalog, found), found, to=to, config=config)
    if as_json:
        print(json.dumps(_plain(report), default=str))
    else:
        how = "was there already" if report.was_there else "written"
        print(
            f"{report.to}: {report.num_takes:,} takes, {report.audio_s / 3600:.2f} h, {report.num_files:,} files, {how}"
        )


def dictionary(corpus: Corpus = Path(), as_json: AsJson = False) -> None:
    """The data dictionary: every column of `takes` and of what stands beside it, its type, unit, direction, meaning."""
    from catalogs.about_voice import about_voice_dictionary
    from catalogs.catalog import Catalog
    from catalogs.hypotheses import hypotheses_dictionary
    from catalogs.takes import dictionary as columns

    with Catalog.open(corpus) as catalog:
        rows = columns(catalog.lake).to_pylist()
        of_hypotheses = hypotheses_dictionary(catalog.lake).to_pylist()
    rows += about_voice_dictionary({row["column"] for row in rows}).to_pylist() + of_hypotheses
    if as_json:
        print(json.dumps(rows))
        return
    print("| column | type | unit | better | meaning | family |\n|---|---|---|---|---|---|")
    for row in rows:
        family = f"{row['family']} {row['version']}".strip()
        print(f"| {row['column']} | {row['type']} | {row['unit']} | {row['better']} | {row['meaning']} | {family} |")


def release_text(release: "Release") -> str:
    """A release in one line."""
    size = f"{release.num_takes:,} takes, {release.audio_s / 3600:.2f} h"
    return f"{release.name}: {size}, {', '.join(release.licences)}, {release.id}, {release.created:%Y-%m-%d}"


def _plain(record: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)
