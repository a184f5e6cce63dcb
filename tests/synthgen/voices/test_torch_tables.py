"""What the tables of the larger voices say of a voice before anything is loaded."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from catalogs.errors import ModelMissing, UsageError
from synthgen.voices.bark import BarkConfig
from synthgen.voices.coqui import CoquiConfig
from synthgen.voices.mms import MmsConfig

Get: TypeAlias = Callable[[str], Any]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_tables_are_read_without_torch() -> None:
    program = (
        "import sys\n"
        "from synthgen.voices import bark, coqui, mms, speecht5\n"
        f"mms.MmsConfig(checkpoint='facebook/mms-tts-lao', revision='{COMMIT}', language='lo').cards()\n"
        "print({'torch', 'transformers', 'TTS', 'huggingface_hub'} & set(sys.modules))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("revision", [None, "main", "v2.0.3", COMMIT[:7]])
def test_a_hub_id_must_be_pinned_to_a_commit(revision: str | None) -> None:
    config = MmsConfig(checkpoint="facebook/mms-tts-lao", revision=revision, language="lo")

    with pytest.raises(UsageError, match="a hub id needs `revision`, a full commit"):
        config.cards()


def test_another_commit_is_another_voice() -> None:
    config = MmsConfig(checkpoint="facebook/mms-tts-lao", revision=COMMIT, language="lo")
    later = replace(config, revision=COMMIT[::-1])

    assert config.cards()[0].speaker == "mms-tts-lao"
    assert config.cards()[0].checkpoint_sha256 != later.cards()[0].checkpoint_sha256


def test_a_checkpoint_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    config = MmsConfig(checkpoint=str(tmp_path / "gone"), language="lo")

    with pytest.raises(ModelMissing, match="there is no checkpoint at"):
        config.cards()


def test_a_hub_that_cannot_be_reached_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    config = MmsConfig(checkpoint="facebook/mms-tts-lao", revision=COMMIT, language="lo")

    with pytest.raises(ModelMissing, match=r"facebook/mms-tts-lao@0123.* cannot be had from the model hub") as told:
        config.build()

    assert "\n" not in str(told.value)


def test_what_no_ear_can_tell_is_no_other_voice(made: Get) -> None:
    config = made("coqui_vits").config
    retold = replace(config, licence="Apache-2.0", consent="signed", num_gpus=0.25, num_cpus=4)

    assert [card.id for card in retold.cards()] == [card.id for card in config.cards()]
    assert retold.cards()[0].licence == "Apache-2.0"


def test_a_recording_belongs_to_the_speakers_who_use_it(made: Get, tmp_path: Path) -> None:
    config = made("xtts").config
    references = shutil.copytree(config.references, tmp_path / "references")
    config = replace(config, references=str(references))
    before = {card.speaker: card.id for card in config.cards()}

    shutil.copy(references / "carl.wav", references / "emil.wav")
    with_emil = {card.speaker: card.id for card in config.cards()}
    shutil.copy(references / "carl.wav", references / "anna.wav")
    with_another_anna = {card.speaker: card.id for card in config.cards()}

    assert with_emil == before
    assert {name for name in before if with_another_anna[name] != before[name]} == {"anna"}


def test_licences_are_those_of_the_weights() -> None:
    pinned = {"revision": COMMIT, "speakers": ("a",)}

    assert CoquiConfig(**pinned).cards()[0].licence == "CPML (non-commercial, outputs included)"
    assert MmsConfig(checkpoint="facebook/mms-tts-lao", revision=COMMIT, language="lo").licence == "CC-BY-NC-4.0"
    assert BarkConfig(**pinned).cards()[0].licence == "MIT"
