"""Checkpoints of the larger voices are loaded whole, as data, and unaltered, or refused in a sentence."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from catalogs.errors import EngineError, UsageError
from catalogs.models import sha256_of_folder

Get: TypeAlias = Callable[[str], Any]

TEXT = "the train leaves at nine"


class Bomb:
    """What an evil checkpoint would hold."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["mms", "coqui_vits", "xtts"])
def test_code_in_a_checkpoint_is_refused_and_not_run(made: Get, name: str, tmp_path: Path) -> None:
    config = made(name).config
    folder = shutil.copytree(config.checkpoint, tmp_path / "evil")
    for weights in (*folder.glob("*.safetensors"), *folder.glob("mod*.pth")):
        weights.unlink()
    weights = folder / ("pytorch_model.bin" if name == "mms" else "model.pth")
    torch.save({"model": {}, "bomb": Bomb(tmp_path / "boom")}, weights)

    with pytest.raises(EngineError, match="pickled code, which is never run here; convert"):
        replace(config, checkpoint=str(folder)).build()

    assert not (tmp_path / "boom").exists()


def test_a_checkpoint_with_a_hole_is_refused(made: Get, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    config = made("mms").config
    folder = shutil.copytree(config.checkpoint, tmp_path / "holed")
    weights = load_file(folder / "model.safetensors")
    del weights["text_encoder.project.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EngineError, match="is no whole VitsModel: 1 of its weights are missing"):
        replace(config, checkpoint=str(folder)).build()


@pytest.mark.parametrize("name", ["mms", "bark"])
def test_weights_under_their_published_names_are_found(made: Get, name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    subject = made(name)
    folder = shutil.copytree(subject.config.checkpoint, tmp_path / "published")
    weights = load_file(folder / "model.safetensors")
    older = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {key.replace(new, old): w for new, old in older.items() for key, w in weights.items() if new in key}
    kept = {key: w for key, w in weights.items() if "parametrizations" not in key}
    save_file(kept | renamed, folder / "model.safetensors", metadata={"format": "pt"})

    reading = subject.but(checkpoint=str(folder)).read(TEXT)

    assert renamed
    np.testing.assert_array_equal(reading.samples, subject.read(TEXT).samples)


def test_a_damaged_checkpoint_is_told_in_one_sentence(made: Get, tmp_path: Path) -> None:
    config = made("mms").config
    folder = shutil.copytree(config.checkpoint, tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"not a model")

    with pytest.raises(EngineError, match="damaged, or no checkpoint of this model"):
        replace(config, checkpoint=str(folder)).build()


def test_loading_leaves_a_checkpoint_as_it_is(made: Get, tmp_path: Path) -> None:
    config = made("xtts").config
    folder = shutil.copytree(config.checkpoint, tmp_path / "copy")
    before = sha256_of_folder(folder)

    replace(config, checkpoint=str(folder)).build()

    assert sha256_of_folder(folder) == before


def test_a_rate_that_the_cards_promised_wrongly_is_refused(made: Get) -> None:
    config = replace(made("mms").config, sample_rate_hz=22_050)

    with pytest.raises(EngineError, match="set sample_rate_hz = 16000"):
        config.build()


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("coqui_vits", {"speakers": ("p227",)}, "did you mean 'p226'"),
        ("xtts", {"speakers": ("ana",)}, "did you mean 'anna'"),
        ("xtts", {"language": "la"}, "does not speak 'la'"),
        ("mms", {"speakers": ("2",)}, 'its speakers are "0" to "1"'),
        ("bark", {"speakers": ("v2/ana",)}, "did you mean 'v2/anna'"),
        ("speecht5", {"speakers": ("ana",)}, "did you mean 'anna'"),
        ("mms", {"batch": 0}, "batch"),
        ("mms", {"temperature": float("nan")}, "temperature"),
        ("xtts", {"top_p": 0.0}, "top_p"),
    ],
)
def test_a_wrong_table_is_told_what_would_be_right(made: Get, name: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        replace(made(name).config, **changes).build()


def test_a_missing_package_is_told_with_the_command_that_gets_it(made: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    config = made("xtts").config
    monkeypatch.delitem(sys.modules, "synthgen.voices.neural.xtts")
    monkeypatch.setitem(sys.modules, "soundfile", None)

    with pytest.raises(EngineError, match=r"soundfile.*pip install 'synthgen-studio\[engines\]'"):
        config.build()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_is_not_there_is_not_replaced_in_silence(made: Get) -> None:
    with pytest.raises(EngineError, match="PyTorch sees no CUDA device"):
        replace(made("mms").config, device="cuda").build()
