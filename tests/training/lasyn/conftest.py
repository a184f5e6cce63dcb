"""Latents that are made up, each phone in its own place of the space, and a guide that has learned to read them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.g2p import Pronouncer
from training import checkpoint
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.checkpoint import Position
from training.ctc import Ctc, CtcConfig
from training.data import text_member
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.phones import NUM_SYMBOLS, NUMBERS, PhoneReader
from training.objective import Utterance

from ..conftest import fit

pytest.importorskip("pocketsphinx")

SPLIT, WIDTH, FRAMES_PER_PHONE = 2, 32, 4
WORDS = ("tea", "coffee", "please", "one", "two", "large", "small", "milk", "no", "cake")
GUIDE = {"method": "ctc", "split": SPLIT}


def texts_of(number: int, *, seed: int) -> list[str]:
    """Texts of three words each, at random."""
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(WORDS), (number, 3), generator=random).tolist()
    return [" ".join(WORDS[index] for index in row) for row in drawn]


TOLD, UNTOLD = texts_of(24, seed=0), texts_of(8, seed=1)


def places() -> torch.Tensor:
    """Where each phone lies, (symbols, WIDTH)."""
    return torch.randn(NUM_SYMBOLS, WIDTH, generator=torch.Generator().manual_seed(7))


def spoken(texts: Sequence[str], *, seed: int = 0) -> list[Utterance]:
    """Utterances with latents that are real as far as this folder goes."""
    random, pronouncer = torch.Generator().manual_seed(seed), Pronouncer(unknown="refuse")
    made = []
    for text in texts:
        numbers = torch.tensor([NUMBERS[phone] for phone in pronouncer.pronounce(text).phones])
        clean = places()[numbers].repeat_interleave(FRAMES_PER_PHONE, dim=0)
        features = (clean + 0.1 * torch.randn(clean.shape, generator=random))[None]
        made.append(Utterance(f"take {text}", text, text, "en", is_synthetic=False, features=features))
    return made


def written(texts: Sequence[str]) -> list[Utterance]:
    """The texts alone."""
    members = [text_member(text) for text in texts]
    return [Utterance(m.take_id, m.text, m.spoken, m.language, is_synthetic=True) for m in members]


def heard_in(objective: GuidedSynthesis, texts: Sequence[str]) -> list[str]:
    """What the guide of a synthesiser writes, greedily, of latents made of texts."""
    read = objective.collate(written(texts)).tensors
    with torch.no_grad():
        latents, lengths = objective.synthesiser(read["phones"], read["num_phones"])
    rows = [row[:length] for row, length in zip(latents, lengths.tolist(), strict=True)]
    return objective._guide.answers(written(texts), rows)


def keep(folder: Path, objective: Any, encoder: Encoder, table: dict[str, Any]) -> str:
    """A checkpoint as a training leaves it."""
    provenance = {"training": "t", "encoder": encoder.id, "recipe": {"objective": table}}
    checkpoint.save(folder, Position(1), trained=objective.trained(), optimizer=None, provenance=provenance)
    return str(folder)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return TinyEncoderConfig(width=WIDTH).build()


@pytest.fixture(scope="session")
def reading(encoder: Encoder) -> Ctc:
    """A recogniser that reads made-up latents."""
    ctc = CtcConfig(split=SPLIT).build(encoder, num_layers=1, seed=0)
    fit(ctc, spoken(TOLD), steps=150)
    return ctc


@pytest.fixture(scope="session")
def guide_folder(reading: Ctc, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> str:
    return keep(tmp_path_factory.mktemp("guide"), reading, encoder, GUIDE)


@pytest.fixture(scope="session")
def reader() -> PhoneReader:
    return PhoneReader("refuse")
