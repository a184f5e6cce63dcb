"""The rows: from one projector, equal steps of equal tokens, and what these are made of.

What rows go on from is one of `STARTS`: a projector that has heard no order, or one that has heard a few.

"TTS pairs" are the orders as they were read, transcribed as the others are. All pairs of a row are drawn alike, so
orders are there as much of its pairs as they are of the hours: 44 % with the corpora of docs/results/slam_asr.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from catalogs.progress import Progress
from training.mixing.mixture import KINDS
from training.recipe import parse_recipe
from training.session import train

GENERAL: Mapping[str, str] = {"general": "general", "long": "long"}
"""Synthetic speech out of the domain, which every row has: releases by corpus."""
ORDERS = "orders"
BASE = "asr"
"""The row that the others are held against."""


@dataclass(frozen=True, slots=True)
class Start:
    """What rows go on from: a model of SLAM-ASR, and the speech that every row has, releases by corpus.

    ``recipe`` is the file of their recipe. ``beside`` is the share of the tokens that is not transcribed where a row
    has texts or interleaving, and of those that are that of orders as pairs; None leaves both to the row.
    """

    model: str
    heard: Mapping[str, str]
    recipe: str = "training"
    beside: float | None = None

    def to_time(self, rows: Iterable[str]) -> dict[str, str]:
        """The releases whose words have to be timed for some rows; orders only where their takes are interleaved."""
        has_orders = any(ROWS[name].has_pairs and ROWS[name].interleaved for name in rows)
        return {**self.heard, **({ORDERS: ORDERS} if has_orders else {})}


STARTS: Mapping[str, Start] = {
    "elsewhere": Start("elsewhere", GENERAL),
    "synthetic": Start("synthetic-0", {**GENERAL, "twin": "raw"}, "training-synthetic", 0.2),
}
"""The latter has heard one synthetic reading of 174 texts, 126 of them orders that people had made up."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a row is called, its shares of the tokens, what units it is interleaved in, and whether it hears orders.

    Its shares add up to 1, slots of audio included. Interleaved are the takes of its pairs; texts are those of the
    orders, which ``made_asr`` and ``made_interleaved`` hear as what a synthesiser makes of them.
    """

    told: str
    asr: float
    interleaved: float = 0.0
    text: float = 0.0
    made_asr: float = 0.0
    made_interleaved: float = 0.0
    granularity: Literal["word", "segment", "mixed"] = "mixed"
    has_pairs: bool = False

    @property
    def hears_texts(self) -> bool:
        """Whether slots are made of texts."""
        return self.made_asr > 0 or self.made_interleaved > 0

    def shares(self, beside: float | None) -> dict[str, float]:
        """Its shares by kind; with ``beside`` each kind but ASR has so much, whatever the row says."""
        said: dict[str, float] = {kind: getattr(self, kind) for kind in KINDS}
        if beside is None:
            return said
        others = {kind: beside if share else 0.0 for kind, share in said.items() if kind != "asr"}
        return {"asr": 1 - sum(others.values()), **others}


ROWS: Mapping[str, Row] = {
    BASE: Row("ASR", 1.0),
    "text": Row("+ text of the orders", 0.75, text=0.25),
    "words": Row("+ interleaved, words", 0.5, 0.5, granularity="word"),
    "segments": Row("+ interleaved, segments", 0.5, 0.5, granularity="segment"),
    "mixed": Row("+ interleaved, mixed", 0.5, 0.5),
    "text-mixed": Row("+ text + interleaved, mixed", 0.375, 0.375, 0.25),
    "made": Row("+ made slots of the orders, transcribed", 0.5, made_asr=0.5),
    "made-words": Row("+ made slots of the orders, words", 0.5, made_interleaved=0.5, granularity="word"),
    "pairs": Row("+ TTS pairs of the orders", 1.0, has_pairs=True),
    "pairs-mixed": Row("+ TTS pairs + interleaved, mixed", 0.5, 0.5, has_pairs=True),
}
CLAIMS = (BASE, "text-mixed", "pairs")
"""The rows that are run if none is named: those that claims are made of."""


@dataclass(frozen=True)
class Experiment:
    """Where all of it lies, what rows start from, their recipe without what a row decides, and that of ``slots``."""

    asr: Path
    work: Path
    begun: Start
    steps: int
    threads: int
    recipe: Mapping[str, Any]
    slots: Mapping[str, Any]

    @property
    def start(self) -> Path:
        """The model that rows go on from."""
        return self.asr / "models" / self.begun.model

    @property
    def kept(self) -> Path:
        """Where models are trained and measures are kept, in folders of these names."""
        return self.work if self.begun == STARTS["elsewhere"] else self.work / f"from-{self.begun.model}"

    def folder(self, name: str, seed: int) -> Path:
        """Where a row is trained."""
        return self.kept / "models" / f"{name}-{seed}"

    @property
    def synthesiser(self) -> Path:
        """Where what makes slots of texts is trained."""
        return self.kept / "models" / "slots"


def trained(experiment: Experiment, name: str, seed: int) -> Path:
    """Train a row, or what is missing of it, after its slots are prepared; gives its folder."""
    table = table_of(experiment, name, seed)
    train(parse_recipe(table, source=table["name"]), progress=Progress())
    return experiment.folder(name, seed)


def prepare_slots(experiment: Experiment, names: Iterable[str]) -> None:
    """Train what makes slots of texts, if some of the rows have any; it reads the texts of all rows."""
    if not any(ROWS[name].hears_texts for name in names):
        return
    folder, recipe = experiment.synthesiser, experiment.slots
    table = {
        **recipe,
        "name": folder.name,
        "folder": str(folder),
        "data": [{"corpus": str(experiment.asr / corpus), "texts": corpus} for corpus in (*GENERAL, ORDERS)],
        "objective": recipe["objective"] | {"guide_from": str(experiment.start)},
        "loop": recipe["loop"] | {"threads": experiment.threads},
    }
    train(parse_recipe(table, source=folder.name), progress=Progress())


def table_of(experiment: Experiment, name: str, seed: int) -> dict[str, Any]:
    """The recipe of a row."""
    row, recipe, folder = ROWS[name], experiment.recipe, experiment.folder(name, seed)
    heard = {**experiment.begun.heard, **({ORDERS: ORDERS} if row.has_pairs else {})}
    data = [{"corpus": str(experiment.asr / corpus), "release": release} for corpus, release in heard.items()]
    objective = recipe["objective"] | {"projector_from": str(experiment.start)}
    if row.hears_texts:
        objective |= {"made": {"synthesiser_from": str(experiment.synthesiser)}}
    if row.text or row.hears_texts:
        data.append({"corpus": str(experiment.asr / ORDERS), "texts": ORDERS})
    mixture = recipe["mixture"]
    return {
        **recipe,
        "name": folder.name,
        "folder": str(folder),
        "data": data,
        "mixture": mixture
        | row.shares(experiment.begun.beside)
        | _shares_of_asr(row, mixture, experiment.begun.beside)
        | {"tokens": experiment.steps * mixture["batch_tokens"]}
        | {"choosing": mixture.get("choosing", {}) | {"granularity": row.granularity}},
        "objective": objective,
        "loop": recipe["loop"] | {"steps": experiment.steps, "threads": experiment.threads, "seed": seed},
    }


def _shares_of_asr(row: Row, mixture: Mapping[str, Any], of_pairs: float | None) -> dict[str, Any]:
    """The shares of releases in what a row transcribes, if they have any: those of the recipe, and of its pairs."""
    shares = mixture.get("asr_shares")
    if shares is None or of_pairs is None or not row.has_pairs:
        return {}
    return {"asr_shares": {ORDERS: of_pairs} | {name: (1 - of_pairs) * share for name, share in shares.items()}}
