"""Load an XTTS checkpoint as its publishers wrote it, but as data: no code in it is run."""

from pathlib import Path

import torch
from TTS.config.shared_configs import BaseDatasetConfig
from TTS.tts.configs.xtts_config import XttsArgs, XttsAudioConfig, XttsConfig
from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
from TTS.tts.models.xtts import Xtts

from catalogs.errors import ModelMissing
from catalogs.models.pretrained import told_plainly
from synthgen.voices.neural.loading import load_tensors

# Plain settings that the published XTTS checkpoint carries beside its tensors, under its present
# and its older names.
_INERT = [
    XttsArgs,
    XttsAudioConfig,
    (XttsArgs, "TTS.tts.models.xtts.XttsArgs"),
    (XttsAudioConfig, "TTS.tts.models.xtts.XttsAudioConfig"),
    XttsConfig,
    BaseDatasetConfig,
]


def load_xtts(folder: Path) -> Xtts:
    """Load an XTTS with its tokenizer, in inference mode, on the CPU. No file of the folder is written to.

    Raises:
        ModelMissing: if a file is not there.
        EngineError: if it is no XTTS, or holds code.
    """
    weights = next((p for p in (folder / "model.safetensors", folder / "model.pth") if p.exists()), None)
    vocabulary = folder / "vocab.json"
    if weights is None or not vocabulary.exists():
        raise ModelMissing(f"{folder} is no XTTS checkpoint: it needs config.json, vocab.json and model.pth")
    loaded = load_tensors(weights, inert=_INERT)
    with told_plainly(folder):
        config = XttsConfig()
        config.load_json(folder / "config.json")
        model = Xtts(config)
        model.tokenizer = VoiceBpeTokenizer(vocab_file=vocabulary)
        model.init_models()
        model.load_state_dict(_inference_weights(loaded.get("model", loaded)))
        model.eval()
    return model


def _inference_weights(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights that speaking needs: no encoder of training, and none twice under another name."""
    named = {name.removeprefix("xtts."): value for name, value in weights.items()}
    unused = ("torch_mel_spectrogram_", "dvae.", "gpt.gpt_inference.", "gpt.gpt.wte.")
    return {name: value for name, value in named.items() if not name.startswith(unused)}
