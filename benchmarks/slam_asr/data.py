"""Texts to be read, and real speech in two corpora that share no speaker and no text: one to train on, one to test on.

    python -m benchmarks.slam_asr.data --speech FOLDER --texts FOLDER --to WORK

``FOLDER`` are those of sets of real speech (``SET/manifest.jsonl``) and of texts (``SET.jsonl``). Under WORK come the
prompts ``orders.jsonl`` (made up), ``general.jsonl`` (home assistant, SLURP, LibriSpeech), ``long.jsonl`` (LibriSpeech)
and ``twin.jsonl`` (what the real training part says), none of which is a text of the test; and the corpora ``real`` and
``test``, each with a release of its name. Speakers are drawn by hash; coffee orders and LibriSpeech are domains.
"""

import argparse
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.corpora import freeze, ingest, rows_of, unique, write, write_text
from benchmarks.slam_asr.orders import orders
from catalogs.ids import seed_of
from catalogs.text import normalise

SPEECH = {"coffee_orders": "orders", "libri_multispk": "libri", "libri_longspk": "libri"}
TRAINING_SHARE = 0.4
NUM_ORDERS = 2000
GENERAL = {"home_assistant_en": 400, "slurp_devel": 700, "librispeech_train100_text": 500}
SHORT = range(2, 25)
LONG = {"librispeech_train100_text": 400}
"""How many texts of a set; those of `LONG` have more words than `SHORT` ones, as sentences read from books do."""


def prepare(speech: Path, texts: Path, to: Path) -> None:
    """Write the prompts and make the corpora; what is there already stays."""
    to.mkdir(parents=True, exist_ok=True)
    real, test = parts(speech)
    write(to / "twin.jsonl", unique({"text": row["text"], "domain": row["domain"]} for row in real))
    held = {row["text"] for row in recordings(speech)}
    made_up = [order for order in orders(NUM_ORDERS + len(held), seed=1) if normalise(order["text"], "en") not in held]
    write(to / "orders.jsonl", made_up[:NUM_ORDERS])
    short, long = texts_of(texts, GENERAL, SHORT, held), texts_of(texts, LONG, range(SHORT.stop, 56), held)
    write(to / "general.jsonl", short)
    write(to / "long.jsonl", long)
    write_text(to / "general.txt", "".join(row["text"] + "\n" for row in (*short, *long)))
    for name, part in (("real", real), ("test", test)):
        write(to / f"{name}.jsonl", part)
        ingest(to / f"{name}.jsonl", to / name)
        freeze(to / name, {name: "true"})


def parts(speech: Path, *, as_said: bool = False) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The recordings to train on and those to test on, which share no speaker and no text."""
    rows = list(recordings(speech, as_said=as_said))
    test = [row for row in rows if not is_for_training(row["speaker"])]
    tested = {normalise(row["text"], "en") for row in test}
    kept = [row for row in rows if is_for_training(row["speaker"]) and normalise(row["text"], "en") not in tested]
    return kept, test


def recordings(speech: Path, *, as_said: bool = False) -> Iterator[dict[str, Any]]:
    """The real recordings, with their domain, and the whole path of their audio.

    Texts are normalised ("8 ounce"), or in small letters as they are said.
    """
    for name, domain in SPEECH.items():
        folder = (speech / name).resolve()
        for row in rows_of(folder / "manifest.jsonl"):
            yield {
                "audio": str(folder / row["audio"]),
                "text": row["text"].lower() if as_said else normalise(row["text"], "en"),
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


def texts_of(
    folder: Path, numbers: Mapping[str, int], words: Container[int], held: Container[str]
) -> list[dict[str, str]]:
    """Texts of so many words: of each set those whose hashes come first, without those held out."""
    chosen = []
    for name, number in numbers.items():
        found = {normalise(row["text"], "en") for row in rows_of(folder / f"{name}.jsonl")}
        fit = sorted((text for text in found if len(text.split()) in words), key=lambda text: seed_of("slam_asr", text))
        chosen += [{"text": text, "domain": name.split("_")[0]} for text in fit[:number] if text not in held]
    return unique(chosen)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    asked = parser.parse_args()
    prepare(asked.speech, asked.texts, asked.to)
