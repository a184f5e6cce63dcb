"""The baseline: the starter Whisper tiny.en as it came, which a trained recogniser is held against."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from catalogs.errors import EngineError
from catalogs.ids import canonical, content_id
from catalogs.models import artefact, fetch
from catalogs.progress import Progress
from catalogs.text import primary
from training.answering import Answer
from training.members import Member, Wave, waves_of

BASELINE = "whisper-tiny-en"

_COMPUTE = "int8"
_THREADS = 2
"""Sums depend on how many threads share them."""
_MOST_TOKENS = 224
"""Of one window of 30 s."""


class Baseline:
    """See `Recogniser`. It runs on the CPU through faster-whisper: at temperature 0, every window on its own."""

    def __init__(self, *, beams: int = 1) -> None:
        """Load it.

        Raises:
            ModelMissing: if its weights are not to be had.
        """
        from faster_whisper import WhisperModel

        self.name = BASELINE
        self.id = content_id("recogniser", artefact(BASELINE).sha256)
        self.decoding = canonical(
            {"beams": beams, "compute": _COMPUTE, "threads": _THREADS, "faster-whisper": version("faster-whisper")}
        )
        self._beams = beams
        self._model: Any = WhisperModel(str(fetch(BASELINE)), device="cpu", compute_type=_COMPUTE, cpu_threads=_THREADS)

    def prepare(self, members: Sequence[Member], progress: Progress) -> None:  # noqa: ARG002  # nothing is kept
        """See that all is English, which is all that it knows.

        Raises:
            EngineError: if something is not.
        """
        for member in members:
            if primary(member.language) != "en":
                raise EngineError(f"{BASELINE} knows English alone, and take {member.take_id} is {member.language!r}")

    def transcribe(self, members: Sequence[Member]) -> list[Answer]:
        """Hear takes."""
        return self.hear(dict(zip([m.take_id for m in members], waves_of(members), strict=True)))

    def hear(self, waves: Mapping[str, Wave]) -> list[Answer]:
        """Hear waves, one by one: on a CPU, together is slower."""
        return [self._answer(name, wave) for name, wave in waves.items()]

    def _answer(self, name: str, wave: Wave) -> Answer:
        segments, _ = self._model.transcribe(
            wave,
            language="en",
            beam_size=self._beams,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        found = list(segments)
        counts = [len(segment.tokens) for segment in found]
        text = " ".join(segment.text.strip() for segment in found).strip()
        return Answer(name, text, sum(counts), hit_limit=any(count >= _MOST_TOKENS for count in counts))
