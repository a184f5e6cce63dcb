"""The espeak-ng voices: a hundred languages, a hundred variants of each, formant synthesis, very fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from catalogs.errors import EngineError
from catalogs.records import Line, VoiceCard
from catalogs.signal import to_float32
from synthgen import espeak
from synthgen.phonemes import words_alone
from synthgen.voice import Reading
from synthgen.voices.speakers import check_in_range, check_some, check_speaker, refuse_style, table_of
from synthgen.word_times import word_times

RATE_HZ = 22_050


@dataclass(frozen=True)
class EspeakConfig:
    """Speakers are language voices, with or without a variant: "en-us", "de", "en-gb+f3".

    ``rate`` is in words a minute, 80 to 450; ``pitch`` from 0 to 99.
    """

    engine: Literal["espeak"] = "espeak"
    speakers: tuple[str, ...] = ("en-us",)
    rate: int = 175
    pitch: int = 50

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker.

        Raises:
            UsageError: for a speaker that espeak-ng does not have, or a rate or pitch out of range.
            EngineError: if espeak-ng is not installed, since its data list its voices.
        """
        check_some(self.speakers, engine=self.engine)
        check_in_range("rate", self.rate, low=80, high=450, engine=self.engine)
        check_in_range("pitch", self.pitch, low=0, high=99, engine=self.engine)
        return tuple(self._card(speaker) for speaker in self.speakers)

    def _card(self, speaker: str) -> VoiceCard:
        language, plus, variant = speaker.partition("+")
        check_speaker(language, espeak.languages(), engine=self.engine)
        if plus:
            check_speaker(variant, espeak.variants(), engine=f"{self.engine} {language}+…")
        return VoiceCard.new(
            engine=self.engine,
            speaker=speaker,
            language=language,
            sample_rate_hz=RATE_HZ,
            checkpoint_sha256=espeak.fingerprint(),
            licence="GPL-3.0-or-later",
            consent="nobody's voice: formant synthesis",
            config=table_of(self, speaker),
        )

    def build(self) -> "EspeakVoice":
        """Start the library.

        Raises:
            EngineError: if it is not installed, with the command that installs it.
        """
        return EspeakVoice(self)


class EspeakVoice:
    """Reads lines with espeak-ng."""

    def __init__(self, config: EspeakConfig) -> None:
        self._config = config
        self._speakers = {card.id: card.speaker for card in config.cards()}
        self._espeak = espeak.Espeak()

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines.

        Raises:
            EngineError: for a text that has no sound, or that espeak-ng cannot read.
            UsageError: for a line with a style or a timbre.
        """
        return [self._read(line) for line in lines]

    def _read(self, line: Line) -> Reading:
        refuse_style(line, engine=self._config.engine)
        if not line.text:
            return Reading(np.zeros(0, np.float32), RATE_HZ)
        speaker = self._speakers[line.voice_id]
        speech = self._espeak.speak(line.text, voice=speaker, rate=self._config.rate, pitch=self._config.pitch)
        if speech.rate_hz != RATE_HZ:
            raise EngineError(f"espeak-ng speaks at {speech.rate_hz} Hz, not at the {RATE_HZ} Hz of its card")
        if not speech.samples.any():
            raise EngineError(f"espeak-ng has no sound for the text {line.text!r}")
        alone = words_alone(line.text, self._espeak, language=speaker)
        return Reading(to_float32(speech.samples), RATE_HZ, word_times=word_times(speech.sounds, alone))
