"""Made-up members and features for the loop; a tiny random language model, and utterances of random features."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from typer.testing import CliRunner

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.ids import content_id, seed_of
from catalogs.progress import Progress
from curation.production import Production
from curation.recipe import parse_recipe
from synthgen.cli import app
from training import session
from training.backbones.causal_lm import Ends, LanguageModel
from training.ctc import Ctc, CtcConfig
from training.loop import Loop
from training.members import Member
from training.objective import Utterance
from training.recipe import parse_recipe as parse_training
from training.sampling import Draw

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}

TEXTS = [
    "one small black coffee please",
    "two large teas with milk",
    "what is my balance",
    "turn the kitchen light off",
    "pay my bill",
    "a cup of tea and a cake",
    "how late is it",
    "stop",
]

Produce = Callable[..., Path]
MakeUtterances = Callable[..., list[Utterance]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny matrices are multiplied fastest by one thread, however many tests run beside this one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE as language models have it, with room for any text."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=340, initial_alphabet=sorted(alphabet), special_tokens=sorted(SPECIAL.values(), reverse=True)
    )
    made.train_from_iterator([f" {text}" for text in TEXTS], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, **SPECIAL)


@pytest.fixture
def lm(tokenizer: PreTrainedTokenizerFast) -> LanguageModel:
    """Two layers with weights large enough that tokens and positions make a difference."""
    return LanguageModel(tiny_lm(len(tokenizer)), tokenizer, id="tiny", ends=Ends(0, 1))


@pytest.fixture
def counting_lm(tokenizer: PreTrainedTokenizerFast) -> LanguageModel:
    """One that learned where each position is, and so notices if padding moves it; the other only counts distances."""
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=512,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = GPT2LMHeadModel(config).eval()
    return LanguageModel(module, tokenizer, id="counting", ends=Ends(0, 1))


def tiny_lm(vocab_size: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def make_utterances() -> MakeUtterances:
    """Utterances of these texts; the n-th has ``frames[n]`` frames of random features."""

    def make(
        texts: Sequence[str] = TEXTS,
        *,
        frames: Sequence[int] | None = None,
        layers: int = 1,
        width: int = 12,
        seed: int = 0,
    ) -> list[Utterance]:
        generator = torch.Generator().manual_seed(seed)
        frames = frames or [20 + 3 * len(text) for text in texts]
        return [
            Utterance(
                take_id=content_id("take", text, length, n),
                text=text,
                spoken=text,
                language="en",
                is_synthetic=True,
                features=torch.randn(layers, length, width, generator=generator),
            )
            for n, (text, length) in enumerate(zip(texts, frames, strict=True))
        ]

    return make


@pytest.fixture(scope="session")
def produce() -> Produce:
    """Texts, or prompts with labels, read by voices: a release of this name in the corpus of a folder."""

    def make(
        folder: Path,
        name: str,
        *,
        prompts: Sequence[str | dict[str, Any]],
        speakers: Sequence[str],
        engine: str = "tone",
        family: str = "levels",
    ) -> Path:
        rows = [prompt if isinstance(prompt, dict) else {"text": prompt} for prompt in prompts]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        table = {
            "name": name,
            "corpus": str(folder / "corpus"),
            "prompts": [{"path": f"{name}.jsonl"}],
            "voices": [{"engine": engine, "speakers": list(speakers)}],
            "metrics": [{"family": family}],
            "fleet": {"on": "inline"},
        }
        job = parse_recipe(table, folder=folder, source="test")
        with Catalog.create(job.corpus) as catalog, catalog.job("test"):
            run_id = catalog.begin_run(job.job_id, "test")
            Production(job, catalog, run_id=run_id, progress=Progress(quiet=True)).run()
        return job.corpus

    return make


@pytest.fixture(scope="session")
def record() -> Produce:
    """Texts that a person has said, each a noisy tone of its own: a release of real takes in the corpus of a folder."""

    def make(folder: Path, name: str, *, texts: Sequence[str], speaker: str, language: str = "en") -> Path:
        corpus, recorded = folder / "corpus", folder / f"recorded-{name}"
        recorded.mkdir()
        rows = []
        for text in texts:
            random = np.random.default_rng(seed_of("recorded", speaker, text))
            tone = 0.3 * np.sin(np.arange(12_800) * random.uniform(0.05, 0.09))
            soundfile.write(recorded / f"{len(rows)}.wav", tone + random.normal(0, 0.02, len(tone)), 16_000)
            rows.append({"audio": f"{len(rows)}.wav", "text": text, "speaker": speaker, "language": language})
        (recorded / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        said = ", ".join(f"'{text}'" for text in texts)
        where = f"origin = 'real' AND text IN ({said})"
        for words in (["ingest", str(recorded)], ["freeze", name, "--where", where]):
            done = CliRunner().invoke(app, [*words, "-c", str(corpus)])
            assert done.exit_code == 0, done.output
        return corpus

    return make


def train_on_told(folder: Path, corpus: Path, name: str, objective: dict[str, Any], *, layer: int = -1) -> None:
    """One step of training on the release "told"; features are kept beside it."""
    train_on("told", folder, corpus, name, objective, layer=layer)


def train_on(
    release: str, folder: Path, corpus: Path, name: str, objective: dict[str, Any], *, layer: int = -1, **more: Any
) -> Path:
    """One step of training on a release; features are kept beside it. ``more`` are further keys of the recipe."""
    table = {
        "name": name,
        "folder": str(folder / name),
        "data": [{"corpus": str(corpus), "release": release, "split": None}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(folder / "features"), "layers": [layer]},
        "objective": objective,
        "loop": {"epochs": 1, "steps": 1, "threads": 1, "log_every": 1, "save_every": 1},
    }
    return session.train(parse_training(table | more, source="test"), progress=Progress(quiet=True)).folder


def fit(objective: Any, utterances: Sequence[Utterance], *, steps: int, rate: float = 3e-3) -> list[float]:
    """Train on all utterances at once; losses per target."""
    batch = objective.collate(utterances)
    optimiser = torch.optim.AdamW(objective.trained().values(), lr=rate)
    losses = []
    for _ in range(steps):
        total = objective.loss(batch).total / batch.num_targets
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(float(total.detach()))
    return losses


@contextmanager
def killed_behind_a_checkpoint() -> Iterator[None]:
    """What trains in here dies when its first checkpoint has been written."""
    save = Loop._save

    def dying(self: Loop, *args: Any) -> None:
        save(self, *args)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_save", dying)
        with pytest.raises(KeyboardInterrupt):
            yield


def table_of_three(produce: Produce, folder: Path, **loop: Any) -> dict[str, Any]:
    """The recipe of a training by CTC on three takes, with a checkpoint at every step."""
    corpus = produce(folder, "told", prompts=("tea", "coffee", "a cup"), speakers=["anna"])
    return {
        "name": "small",
        "data": [{"corpus": str(corpus), "release": "told"}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(folder / "features")},
        "objective": {"method": "ctc"},
        "sampling": {"batch_s": 4.0},
        "loop": {"threads": 1, "log_every": 1, "save_every": 1, **loop},
    }


WIDTH = 12
READ = ("good morning", "see you at nine", "lights off please", "a large tea", "what is due today")


def make_member(number: int, *, is_synthetic: bool = True, duration_s: float | None = None) -> Member:
    text = READ[number % len(READ)]
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


def drawn_utterances(draws: Sequence[Draw]) -> list[Utterance]:
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
