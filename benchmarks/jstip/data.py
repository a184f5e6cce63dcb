"""What a row is measured with: word times, sentences of a domain that nobody trained on, questions, texts held out.

Everything is drawn by hash. Biomedical sentences (BC5CDR, abstracts of PubMed) have a chemical and a disease, and no
figures, abbreviations or brackets, so that there is one way to read them and one to write them: in lower case without
marks, as the texts of training are.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpora import SYNTHGEN, produce, rows_of, unique, write
from benchmarks.slam_asr.rows import freeze_test
from catalogs.config import read_toml
from catalogs.ids import seed_of
from curation.recipe import parse_recipe

HERE = Path(__file__).parent
SPOKEN, QUESTIONS, HELD_OUT, BIOMEDICAL = "spoken", "questions.jsonl", "held_out.txt", "biomedical.jsonl"
"""What comes under WORK: a corpus with the releases `biomedical` and `questions`, and its files."""

_PLAIN = re.compile(r"[A-Za-z ,]+\.?")
_LETTERS = frozenset("bcdefghijklmnopqrstuvwxyz")
_WORDS = range(6, 17)
_LINE = range(8, 41)
"""How many words a biomedical sentence and a text held out may have."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many sentences, texts held out and questions there are at most."""

    biomedical: int = 60
    held_out: int = 200
    questions: int = 1000


def prepare(asr: Path, texts: Path, work: Path, *, sizes: Sizes, voices: Mapping[str, Any]) -> None:
    """Make what is missing; ``voices`` are tables that take the place of those of the recipes."""
    work.mkdir(parents=True, exist_ok=True)
    write(work / BIOMEDICAL, drawn(biomedical(texts / "bc5cdr_ner_train.jsonl"), sizes.biomedical))
    lines = drawn(_held_out(texts / "ljspeech_text.jsonl"), sizes.held_out)
    (work / HELD_OUT).write_text("".join(row["text"] + "\n" for row in lines), encoding="utf-8")
    write(work / QUESTIONS, rows_of(HERE / QUESTIONS)[: sizes.questions])
    for name in (BIOMEDICAL, QUESTIONS):
        read(name.removesuffix(".jsonl"), work, voices)
    freeze_test(asr)


def time_words(asr: Path, heard: Mapping[str, str]) -> None:
    """Find when each word is said in takes of some releases, by corpus; those that have been timed stay."""
    for name, release in heard.items():
        command = [
            str(SYNTHGEN),
            "measure",
            "-c",
            str(asr / name),
            "--metric",
            "timing",
            "--release",
            release,
            "--on",
            "inline",
        ]
        subprocess.run(command, check=True)


def biomedical(path: Path) -> Iterator[dict[str, Any]]:
    """Sentences that can be read in one way, with their chemicals and diseases."""
    for row in rows_of(path):
        text, words = row["text"], re.findall("[A-Za-z]+", row["text"])
        is_spelt = any((word.isupper() and word != "A") or word in _LETTERS for word in words)
        kinds = {entity["type"] for entity in row["entities"]}
        if _PLAIN.fullmatch(text) and len(words) in _WORDS and not is_spelt and kinds >= {"Chemical", "Disease"}:
            entities = [{"type": each["type"], "value": _spoken(each["value"])} for each in row["entities"]]
            yield {"text": _spoken(text), "entities": entities, "domain": "biomedical"}


def drawn(rows: Iterator[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """Those texts whose hashes come first, each once."""
    return sorted(unique(rows), key=lambda row: seed_of("jstip", row["text"]))[:number]


def read(name: str, work: Path, voices: Mapping[str, Any]) -> None:
    """Have the texts of a file read, once each, as the release of its name."""
    table = {
        **read_toml(HERE / "recipes" / f"{name}.toml"),
        **voices,
        "corpus": str(work / SPOKEN),
        "prompts": [{"path": str((work / f"{name}.jsonl").resolve())}],
    }
    produce(parse_recipe(table, folder=Path(), source=name))


def _held_out(path: Path) -> Iterator[dict[str, Any]]:
    for row in rows_of(path):
        if len(row["text"].split()) in _LINE:
            yield {"text": " ".join(row["text"].split())}


def _spoken(text: str) -> str:
    return " ".join(re.findall("[a-z]+", text.lower()))
