"""What a text costs on one core: as a latent, and as audio of the fastest voice with the encoder that hears it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks.corpora import rows_of
from catalogs.config import parse_named
from catalogs.records import Line
from catalogs.signal import resample
from synthgen.spoken import Spoken, SpokenConfig
from training.backbones.encoders import RATE_HZ, Encoder, WhisperConfig
from training.data import text_member
from training.lasyn.edm import SamplerConfig
from training.lasyn.loading import synthesiser
from training.lasyn.phones import PhoneReader
from training.objective import Utterance

NUM_TEXTS, BATCH = 64, 32


def measure(prompts: Path, made_by: Sequence[Path], *, split: int) -> list[str]:
    """CPU seconds of a text, as Markdown: for audio, and for each of some trained synthesisers."""
    torch.set_num_threads(1)
    texts = [row["text"] for row in rows_of(prompts)[:NUM_TEXTS]]
    encoder = WhisperConfig(dtype="bfloat16").build()
    audio_s = _cpu_s(_speaker(encoder, split=split), texts)
    lines = [
        "| | CPU s per text | cheaper than audio |",
        "|---|---:|---:|",
        f"| Piper and the encoder | {audio_s:.4f} | |",
    ]
    for folder in made_by:
        made_s = _cpu_s(_maker(folder, encoder, split=split), texts)
        lines.append(f"| {folder.name} | {made_s:.4f} | {audio_s / made_s:.0f}× |")
    return lines


def _cpu_s(make: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """CPU seconds of a text; the first batch loads and warms, and does not count."""
    make(texts[:BATCH])
    began = time.process_time()
    for start in range(0, len(texts), BATCH):
        make(texts[start : start + BATCH])
    return (time.process_time() - began) / len(texts)


def _speaker(encoder: Encoder, *, split: int) -> Callable[[Sequence[str]], object]:
    table = {"engine": "piper", "threads": 1}
    config = parse_named("synthgen.voices", table, field="engine", source="benchmark")
    voice, card, spoken = config.build(), config.cards()[0], Spoken(SpokenConfig())

    def speak(texts: Sequence[str]) -> object:
        said = [(spoken(text, "en"), number) for number, text in enumerate(texts)]
        lines = [
            Line.new(prompt_id="", voice_id=card.id, text=text, normaliser=spoken.version, temperature=0.9, seed=seed)
            for text, seed in said
        ]
        readings = voice.speak(lines)
        waves = [torch.from_numpy(resample(r.samples, from_hz=r.sample_rate_hz, to_hz=RATE_HZ)) for r in readings]
        return encoder.encode(waves, layers=(split,))

    return speak


def _maker(folder: Path, encoder: Encoder, *, split: int) -> Callable[[Sequence[str]], object]:
    made, reader = synthesiser(str(folder), encoder, split=split, sampler=SamplerConfig()), PhoneReader("read")

    def make(texts: Sequence[str]) -> object:
        members = [text_member(text) for text in texts]
        read = reader.batch([Utterance(m.take_id, m.text, m.spoken, m.language, is_synthetic=True) for m in members])
        with torch.inference_mode():
            return made(read["phones"], read["num_phones"])

    return make
