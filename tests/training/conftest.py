from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from catalogs.audio import Place
from catalogs.ids import seed_of
from training.ctc import Ctc, CtcConfig
from training.members import Member
from training.objective import Utterance
from training.sampling import Draw

WIDTH = 12
TEXTS = ("good morning", "see you at nine", "lights off please", "a large tea", "what is due today")


def make_member(number: int, *, is_synthetic: bool = True, duration_s: float | None = None) -> Member:
    text = TEXTS[number % len(TEXTS)]
    return Member(
        take_id=f"take-{number:04d}", text=text, spoken=text, language="en", is_synthetic=is_synthetic,
        speaker=f"voice-{number % 3}", domain="", split="train", pcm_sha256=f"{number:064d}",
        duration_s=duration_s or 1.0 + (number * 7 % 20) / 10, corpus=Path("none"), place=Place("none.tar", 0, 1),
    )  # fmt: skip


def make_features(draw: Draw) -> torch.Tensor:
    """Frames that hint at the characters of the text, with noise of the take's own, (1, T, WIDTH)."""
    random = torch.Generator().manual_seed(seed_of(draw.member.take_id, draw.variant) % 2**31)
    letters = torch.tensor([ord(char) % WIDTH for char in draw.member.text for _ in range(3)])
    frames = torch.nn.functional.one_hot(letters, WIDTH).float()
    return (frames + 0.1 * torch.randn(frames.shape, generator=random))[None]


def make_utterances(draws: Sequence[Draw]) -> list[Utterance]:
    return [
        Utterance(m.take_id, m.text, m.spoken, "en", m.is_synthetic, draw.variant, features=make_features(draw))
        for draw, m in ((draw, draw.member) for draw in draws)
    ]


@pytest.fixture
def members() -> list[Member]:
    return [make_member(number, is_synthetic=number % 3 > 0) for number in range(60)]


@pytest.fixture
def new_ctc() -> Callable[[], Ctc]:
    def make() -> Ctc:
        torch.manual_seed(3)
        return Ctc(WIDTH, CtcConfig(dropout=0.1))

    return make
