"""The trainings: the guide on real speech, what makes latents of texts, and a recogniser for each row.

All rows go on from the guide, which is their real-only baseline with fewer steps, and take equal steps of equally many
seconds. Latents and audio are made of the same texts.

With "ctc" and "transducer" the real speech has orders among it, and the recogniser is new; with "whisper" it has none,
and Whisper's decoder is to learn from texts what can be ordered. With "slu" it has orders, goes on
from the guide of "whisper", and learns to write what is ordered before what is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalogs.config import read_toml
from catalogs.progress import Progress
from training.lasyn.methods import DualTrainingMethod
from training.recipe import TrainRecipe, parse_recipe
from training.session import train

RECIPES = Path(__file__).parent / "recipes"


MADE_BY: Mapping[str | None, str] = {
    None: "row",
    **dict.fromkeys(("fixed", "matched", "masked", "untrained"), "fixed"),
    "diffusion": "diffusion",
    **dict.fromkeys(("heard diffusion", "noisier diffusion"), "heard-codes"),
}
"""The recipe that a row needs, by what makes its latents."""


@dataclass(frozen=True)
class Recogniser:
    """What hears: its table, the release of real speech, and whose texts a guide reads.

    ``begins_as`` is the recogniser whose guide, synthesisers and recipes it takes but for those it has itself.
    """

    name: str
    table: Mapping[str, Any]
    real: str
    texts: Sequence[str]
    begins_as: str | None = None

    @property
    def split(self) -> int:
        """The layer of the encoder that latents are of."""
        return int(self.table["split"])

    def recipe(self, name: str) -> dict[str, Any]:
        """One of its recipes."""
        paths = [folder / f"{name}.toml" for folder in self._folders]
        return dict(read_toml(next((path for path in paths if path.exists()), paths[0])))

    def rows(self) -> list[str]:
        """The rows that there are recipes for."""
        there = {path.stem for folder in self._folders for path in folder.glob("*.toml")}
        return [name for name, row in ROWS.items() if MADE_BY[row.made] in there]

    @property
    def _folders(self) -> list[Path]:
        return [RECIPES / name for name in (self.name, self.begins_as) if name]


_WHISPER = {"method": "whisper_decoder", "split": 4}
RECOGNISERS: Mapping[str, Recogniser] = {
    each.name: each
    for each in (
        Recogniser("ctc", {"method": "ctc", "split": 2}, "real", ("orders", "general", "long")),
        Recogniser("transducer", {"method": "transducer", "split": 2}, "real", ("orders", "general", "long")),
        Recogniser("whisper", _WHISPER, "real-libri", ("orders", "general")),
        Recogniser("slu", {**_WHISPER, "writes": "labels"}, "real", (), begins_as="whisper"),
    )
}


@dataclass(frozen=True)
class Row:
    """What stands beside real speech: ``heard`` a corpus of audio, ``made`` the synthesiser of latents.

    ``texts`` are the shares of texts over the epochs; ``real`` is that of real speech in what is heard.
    """

    heard: bool = False
    made: str | None = None
    texts: Sequence[float] = (0.5,)
    real: float = 0.5
    objective: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sampling(self) -> dict[str, Any]:
        """The shares, as a recipe has them."""
        shares: dict[str, Any] = {"texts": list(self.texts)} if self.made else {}
        return shares | ({"real": [self.real]} if self.heard else {})


REAL, TTS, FIXED, DIFFUSION = "real", "+ TTS audio", "+ LaSyn, fixed", "+ LaSyn, diffusion"
ROWS: Mapping[str, Row] = {
    REAL: Row(),
    TTS: Row(heard=True),
    FIXED: Row(made="fixed"),
    DIFFUSION: Row(made="diffusion"),
    "+ TTS audio + LaSyn, fixed": Row(heard=True, made="fixed", texts=(1 / 3,)),
    "+ LaSyn, fixed and matched": Row(made="matched"),
    "+ LaSyn, fixed on masked phones": Row(made="masked"),
    "+ LaSyn, untrained": Row(made="untrained"),
    "+ LaSyn, untrained, nearly all masked": Row(made="untrained", objective={"mask": 0.99}),
    "+ LaSyn, fixed, texts first": Row(made="fixed", texts=(1.0, 1.0, 0.5, 0.5)),
    "+ LaSyn, fixed, nothing masked": Row(made="fixed", objective={"mask": 0.0}),
    "+ LaSyn, fixed, nearly all masked": Row(made="fixed", objective={"mask": 0.99}),
    "+ LaSyn, fixed, 25 % texts": Row(made="fixed", texts=(0.25,)),
    "+ LaSyn, fixed, 75 % texts": Row(made="fixed", texts=(0.75,)),
    "+ LaSyn, fixed, 90 % texts": Row(made="fixed", texts=(0.9,)),
    "+ LaSyn, diffusion, 25 % texts": Row(made="diffusion", texts=(0.25,)),
    "+ LaSyn, diffusion, 75 % texts": Row(made="diffusion", texts=(0.75,)),
    "+ LaSyn, diffusion, 90 % texts": Row(made="diffusion", texts=(0.9,)),
    "+ LaSyn, diffusion, texts alone": Row(made="diffusion", texts=(1.0,)),
    "+ LaSyn, heard diffusion": Row(made="heard diffusion"),
    "+ LaSyn, heard diffusion, more noise": Row(made="noisier diffusion"),
}
CLAIMS = (REAL, TTS, FIXED, DIFFUSION)
"""Rows with several seeds."""


def _fit(recipe: TrainRecipe) -> object:
    return train(recipe, progress=Progress())


@dataclass(frozen=True)
class Experiment:
    """Where the corpora of SLAM-ASR lie, where the models come, what hears, how many threads train it, and by what."""

    asr: Path
    work: Path
    recogniser: Recogniser
    threads: int
    fit: Callable[[TrainRecipe], object] = _fit

    @property
    def models(self) -> Path:
        """Where all trainings lie."""
        return self.work / ("models" if self.recogniser.name == "ctc" else f"models-{self.recogniser.name}")

    def pairs(self, corpus: str) -> dict[str, Any]:
        """Speech and its texts; the real ones in a corpus of our own, where they are written as they are said."""
        if corpus == "real":
            return {"corpus": str(self.work / corpus), "release": self.recogniser.real}
        return {"corpus": str(self.asr / corpus), "release": corpus}

    def texts(self, corpus: str) -> dict[str, Any]:
        """Texts alone."""
        return {"corpus": str(self.asr / corpus), "texts": corpus}

    def guide(self) -> Path:
        """The recogniser of real speech."""
        if before := self._before:
            return before.guide()
        return self._trained("guide", "guide", {"data": [self.pairs("real")]})

    def synthesiser(self, kind: str) -> Path:
        """What makes latents of texts, of a kind in `MADE_BY`; it hears no order but the few real ones.

        One that is "masked" has had as many phones hidden as rows hide, so that it knows the mask. One that is
        "untrained" has taken a first step at next to no rate: what its latents still teach is the texts, not what these
        sound like. "heard diffusion" has an autoencoder that went on through the guide; "noisier diffusion" has it too,
        is told no voice, and has as much noise beside codes of variance 1 as the paper has beside its data.
        """
        if before := self._before:
            return before.synthesiser(kind)
        if MADE_BY[kind] == "fixed":
            return self._fixed(kind)
        data = {"data": [self.pairs(name) for name in ("real", "general", "long")]}
        if kind == "diffusion":
            small = self._trained("autoencoder", "autoencoder", data)
        else:
            hearing = {"objective": {"hearing": {"guide_from": str(self.guide()), "weight": 0.2}}}
            start = {"start_from": str(self._trained("codes", "codes", data))}
            small = self._trained("heard-codes", "heard-codes", data | start | hearing)
        objective: dict[str, Any] = {"autoencoder_from": str(small)}
        if kind == "noisier diffusion":
            objective["diffusion"] = {"noise": {"mean": -0.5}}
        return self._trained("diffusion", _plain(kind), data | {"objective": objective})

    def _fixed(self, kind: str) -> Path:
        data = [self.texts(name) for name in self.recogniser.texts]
        changes: dict[str, Any] = {"data": data, "objective": {"guide_from": str(self.guide())}}
        if kind == "matched":
            data.append(self.pairs("real"))
            changes["objective"] |= {"matching": {"kind": "mmd", "frames": 256}}
            changes["sampling"] = {"texts": [0.75]}
        if kind == "masked":
            changes["objective"] |= {"mask": DualTrainingMethod.mask}
        if kind == "untrained":
            changes["loop"] = {"steps": 1}
        return self._trained("fixed", kind, changes)

    def row(self, name: str, *, seed: int) -> Path:
        """The recogniser of a row."""
        row, guide = ROWS[name], str(self.guide())
        data = [self.pairs("real"), *([self.pairs("orders")] if row.heard else [])]
        table = self.recogniser.table
        changes: dict[str, Any] = {"objective": table, "start_from": guide}
        if row.made:
            data.append(self.texts("orders"))
            made = str(self.synthesiser(row.made))
            dual = {"method": "lasyn", "recogniser": table, "guide_from": guide, "synthesiser_from": made}
            changes = {"objective": dual | dict(row.objective)}
        changes |= {"data": data, "sampling": row.sampling, "loop": {"seed": seed}}
        return self._trained("row", f"{_plain(name)}-{seed}", changes)

    @property
    def _before(self) -> "Experiment | None":
        """That of the recogniser whose guide it takes."""
        name = self.recogniser.begins_as
        return None if name is None else replace(self, recogniser=RECOGNISERS[name])

    def _trained(self, recipe: str, name: str, changes: Mapping[str, Any]) -> Path:
        """Train by a recipe with changes in its tables, or find it done."""
        folder = self.models / name
        table = self.recogniser.recipe(recipe)
        for key, value in changes.items():
            table[key] = table.get(key, {}) | value if isinstance(value, dict) else value
        table["loop"] = table["loop"] | {"threads": self.threads}
        table |= {"name": name, "folder": str(folder)}
        self.fit(parse_recipe(table, source=name))
        return folder


def _plain(name: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in name.lower()).split())
