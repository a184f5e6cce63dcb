"""What is special about the espeak voices: many languages, variants, and an optional package."""

import sys

import pytest

from catalogs.errors import EngineError, UsageError
from catalogs.records import Line
from synthgen import espeak
from synthgen.voices.espeak import EspeakConfig


def test_speakers_are_languages_with_variants() -> None:
    cards = EspeakConfig(speakers=("en-us", "en-us+f3", "vi")).cards()

    assert [card.language for card in cards] == ["en-us", "en-us", "vi"]
    assert len({card.id for card in cards}) == 3


@pytest.mark.parametrize(("speaker", "nearest"), [("en-usa", "en-us"), ("en-us+f33", "f3"), ("de+", "")])
def test_an_unknown_speaker_is_refused_with_the_nearest(speaker: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=nearest):
        EspeakConfig(speakers=(speaker,)).cards()


@pytest.mark.parametrize("wrong", [EspeakConfig(rate=10), EspeakConfig(pitch=100), EspeakConfig(speakers=())])
def test_a_wrong_setting_is_refused(wrong: EspeakConfig) -> None:
    with pytest.raises(UsageError):
        wrong.cards()


def test_a_text_without_sound_is_refused_by_name() -> None:
    config = EspeakConfig()
    card = config.cards()[0]
    silent = Line.new(prompt_id=card.id, voice_id=card.id, text="…", normaliser="none")

    with pytest.raises(EngineError, match="no sound for the text '…'"):
        config.build().speak([silent])


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)

    with pytest.raises(EngineError, match=r"pip install 'synthgen-studio\[espeak\]'"):
        espeak.installation.__wrapped__()
