"""Texts to be read, and real speech in two corpora that share no speaker and no text: one to train on, one to test on.

    python -m benchmarks.slam_asr.data --speech FOLDER --texts FOLDER --to WORK

``FOLDER`` are those of sets of real speech (``SET/manifest.jsonl``) and of texts (``SET.jsonl``). Under WORK come the
prompts ``orders.jsonl`` (made up), ``general.jsonl`` (home assistant, SLURP, LibriSpeech) and ``twin.jsonl`` (what the
real training part says), none of which is a text of the test; and the corpora ``real`` and ``test``, each with a
release of its name. Speakers are drawn by hash; coffee orders and LibriSpeech are domains.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.slam_asr.orders import orders
from catalogs.ids import seed_of
from catalogs.text import normalise

SPEECH = {"coffee_orders": "orders", "libri_multispk": "libri", "libri_longspk": "libri"}
TRAINING_SHARE = 0.4
NUM_ORDERS = 2000
GENERAL = {"home_assistant_en": 400, "slurp_devel": 700, "librispeech_train100_text": 500}
WORDS = (2, 24)


def prepare(speech: Path, texts: Path, to: Path) -> None:
    """Write the prompts and make the corpora; what is there already stays."""
    to.mkdir(parents=True, exist_ok=True)
    rows = list(recordings(speech))
    test = [row for row in rows if not is_for_training(row["speaker"])]
    tested = {row["text"] for row in test}
    real = [row for row in rows if is_for_training(row["speaker"]) and row["text"] not in tested]
    write(to / "twin.jsonl", unique({"text": row["text"], "domain": row["domain"]} for row in real))
    held = {row["text"] for row in rows}
    made_up = [order for order in orders(NUM_ORDERS + len(held), seed=1) if normalise(order["text"], "en") not in held]
    write(to / "orders.jsonl", made_up[:NUM_ORDERS])
    elsewhere = unique(row for row in general(texts) if row["text"] not in held)
    write(to / "general.jsonl", elsewhere)
    (to / "general.txt").write_text("".join(row["text"] + "\n" for row in elsewhere), encoding="utf-8")
    for name, part in (("real", real), ("test", test)):
        write(to / f"{name}.jsonl", part)
        make_corpus(to / name, to / f"{name}.jsonl", name)


def recordings(speech: Path) -> Iterator[dict[str, Any]]:
    """The real recordings, with normalised texts, their domain, and the whole path of their audio."""
    for name, domain in SPEECH.items():
        folder = (speech / name).resolve()
        for row in rows_of(folder / "manifest.jsonl"):
            yield {
                "audio": str(folder / row["audio"]),
                "text": normalise(row["text"], "en"),
                "speaker": row["speaker"],
                "license": row["license"],
                "domain": domain,
                "slots": {key: value.strip() for key, value in row.get("slots", {}).items()},
            }


def is_for_training(speaker: str) -> bool:
    """Whether a speaker belongs to the training part; of the two who read long, one."""
    if speaker in ("ls26", "ls27"):
        return speaker == "ls26"
    return seed_of("slam_asr", speaker) % 1000 < 1000 * TRAINING_SHARE


def general(texts: Path) -> Iterator[dict[str, str]]:
    """Texts of other domains: of each set those whose hashes come first."""
    for name, number in GENERAL.items():
        found = {normalise(row["text"], "en") for row in rows_of(texts / f"{name}.jsonl")}
        fit = [text for text in found if WORDS[0] <= len(text.split()) <= WORDS[1]]
        for text in sorted(fit, key=lambda text: seed_of("slam_asr", text))[:number]:
            yield {"text": text, "domain": name.split("_")[0]}


def make_corpus(folder: Path, manifest: Path, name: str) -> None:
    """Ingest a manifest of recordings and freeze them all."""
    synthgen = [Path(sys.executable).parent / "synthgen"]
    consent = "published data set"
    subprocess.run([*synthgen, "ingest", manifest, "-c", folder, "--layout", "jsonl", "--consent", consent], check=True)
    subprocess.run([*synthgen, "freeze", name, "-c", folder, "--where", "true"], check=True)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each text once."""
    return list({row["text"]: row for row in rows}.values())


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    asked = parser.parse_args()
    prepare(asked.speech, asked.texts, asked.to)
