"""Ways to hear the same clips with the same Whisper: `python -m benchmarks recognisers --speech FOLDER`.

All use base, int8, greedy, on one thread, at temperature 0. Two in five clips carry a fault (`curation.words.faults`).
Word errors are those of the other clips; a verdict is "WER at most 0.25", and kappa is the agreement of all verdicts
with those of the plain loop, and with whether a fault was put in. The ways take turns, batch by batch, so that whatever
else the machine does slows all.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import soundfile

from benchmarks.metrics import _clips as clips_of_our_voices
from catalogs.clip import Clip
from catalogs.ids import content_id
from catalogs.models import fetch
from catalogs.signal import to_float32, to_int16
from catalogs.text import WordErrors
from curation.recogniser import RATE_HZ, Recogniser
from curation.recognisers.cascade import Cascade
from curation.recognisers.whisper import Whisper, WhisperSettings
from curation.words.accepted import match_accepted
from curation.words.faults import Specimen, specimens

SETS = {
    "ljspeech": "en",
    "libri_multispk": "en",
    "coffee_orders": "en",
    "kerstin_de": "de",
    "nathalie_nl": "nl",
}
BATCH = 32
WORST_WER = 0.25
LONGEST_S = 29.0
GAP_S = 1.0

Way: TypeAlias = Callable[[Sequence[Clip]], list[str]]
Model: TypeAlias = Any  # of faster_whisper, which has no types


@dataclass
class Tally:
    """What one way of hearing cost, and what it heard."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    heard: list[str] = field(default_factory=list)

    def time(self, way: Way, clips: Sequence[Clip]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        self.heard += way(clips)
        self.cpu_s += time.process_time() - cpu
        self.wall_s += time.perf_counter() - wall


def measure(speech: Path | None, *, clips: int = 12) -> str:
    """A table for English and one for other languages; ``clips`` of each set, and of each of two voices of ours."""
    found = sorted([*_real(speech, clips), *_synthetic(clips)], key=lambda clip: clip.take_id)  # a mixture
    ways = _ways()
    groups = {"English": [c for c in found if c.language == "en"], "Others": [c for c in found if c.language != "en"]}
    return "\n".join(_compared(ways, clips, title=title) for title, clips in groups.items() if clips)


def _compared(ways: dict[str, Way], clips: Sequence[Clip], *, title: str) -> str:
    spoilt = specimens(clips)
    tallies = {name: Tally() for name in ways}
    for way in ways.values():
        way(clips[:1])  # loads what is loaded late
    for start in range(0, len(spoilt), BATCH):
        for name, way in ways.items():
            fresh = [specimen.clip for specimen in spoilt[start : start + BATCH]]
            tallies[name].time(way, fresh)
    return _table(spoilt, tallies, title=title)


def _real(speech: Path | None, clips: int) -> Iterator[Clip]:
    for name, language in SETS.items() if speech else ():
        yield from islice(_recorded(speech / name, language), clips)


def _recorded(folder: Path, language: str) -> Iterator[Clip]:
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in sorted(rows, key=lambda row: content_id("clip", row["id"])):
        if row["duration"] <= LONGEST_S and row["sr"] == RATE_HZ:
            samples, _ = soundfile.read(folder / row["audio"], dtype="float32")
            stored = to_float32(to_int16(samples))
            take_id = content_id("take", folder.name, row["id"])
            yield Clip(
                take_id, content_id("voice", row["speaker"]), stored, RATE_HZ, row["text"], row["text"], language
            )


def _synthetic(clips: int) -> Iterator[Clip]:
    for clip in clips_of_our_voices(2 * clips):
        yield Clip(clip.take_id, clip.voice_id, clip.at(RATE_HZ), RATE_HZ, clip.text, clip.spoken, clip.language)


def _ways() -> dict[str, Way]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    weights = fetch("whisper-base")
    model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=1)
    batched = BatchedInferencePipeline(model)
    fitted = Whisper(weights, WhisperSettings())
    small = Whisper(fetch("whisper-tiny-en"), WhisperSettings())
    return {
        "plain loop": lambda clips: [_alone(model, clip) for clip in clips],
        "the same after 0.25 s of silence": lambda clips: [_alone(model, _later(clip)) for clip in clips],
        "BatchedInferencePipeline": lambda clips: _side_by_side(batched, clips),
        "packing": lambda clips: _packed(model, clips),
        "ours, full windows": _ours(Whisper(weights, WhisperSettings(windows="full"))),
        "ours, fitted windows (the default)": _ours(fitted),
        "… with the likelihood of the text": _ours(fitted, likelihood=True),
        "… in a cascade behind tiny.en": _ours(Cascade(small, fitted)),
    }


def _ours(recogniser: Recogniser, *, likelihood: bool = False) -> Way:
    def hear(clips: Sequence[Clip]) -> list[str]:
        waves, texts = [clip.samples for clip in clips], [clip.text for clip in clips]
        heard = recogniser.hear(waves, texts, languages=[clip.language for clip in clips], likelihood=likelihood)
        return [hearing.transcript.text if hearing.transcript else "" for hearing in heard]

    return hear


def _alone(model: Model, clip: Clip) -> str:
    segments, _ = model.transcribe(
        clip.samples, language=clip.language, beam_size=1, temperature=0.0, without_timestamps=True
    )
    return " ".join(segment.text.strip() for segment in segments)


def _later(clip: Clip) -> Clip:
    """How far the plain loop agrees with itself is the best that can be asked of another way of hearing."""
    return replace(clip, samples=np.concatenate([np.zeros(RATE_HZ // 4, np.float32), clip.samples]))


def _side_by_side(pipeline: Model, clips: Sequence[Clip]) -> list[str]:
    """The pipeline decodes stretches of one wave side by side: each clip is one."""
    heard: dict[str, str] = {}
    for language in dict.fromkeys(clip.language for clip in clips):
        group = [clip for clip in clips if clip.language == language]
        ends = np.cumsum([len(clip.samples) for clip in group]) / RATE_HZ
        starts = [0.0, *ends[:-1]]
        segments, _ = pipeline.transcribe(
            np.concatenate([clip.samples for clip in group]),
            language=language,
            beam_size=1,
            temperature=0.0,
            batch_size=16,
            clip_timestamps=[{"start": start, "end": end} for start, end in zip(starts, ends, strict=True)],
        )
        heard |= _shared_out(segments, [clip.take_id for clip in group], ends)
    return [heard[clip.take_id] for clip in clips]


def _packed(model: Model, clips: Sequence[Clip]) -> list[str]:
    """Several clips in one window, told apart by time stamps; one that is not heard as its text is heard alone."""
    heard: dict[str, str] = {}
    for pack in _packs(clips):
        gap = np.zeros(int(GAP_S * RATE_HZ), np.float32)
        wave = np.concatenate([part for clip in pack for part in (clip.samples, gap)])
        ends = np.cumsum([len(clip.samples) + len(gap) for clip in pack]) / RATE_HZ
        segments, _ = model.transcribe(
            wave, language=pack[0].language, beam_size=1, temperature=0.0, condition_on_previous_text=False
        )
        heard |= _shared_out(segments, [clip.take_id for clip in pack], ends)
    return [
        heard[clip.take_id] if _errors(clip, heard[clip.take_id]).errors == 0 else _alone(model, clip) for clip in clips
    ]


def _packs(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Clips of one language in their order, as many as fit into a window."""
    for language in dict.fromkeys(clip.language for clip in clips):
        pack: list[Clip] = []
        for clip in (clip for clip in clips if clip.language == language):
            if sum(one.duration_s + GAP_S for one in [*pack, clip]) > LONGEST_S + GAP_S:
                yield pack
                pack = []
            pack.append(clip)
        yield pack


def _shared_out(segments: Any, names: Sequence[str], ends: Sequence[float]) -> dict[str, str]:
    """Give each segment to the stretch that its middle lies in."""
    texts: dict[str, list[str]] = {name: [] for name in names}
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        owner = int(np.searchsorted(ends, middle))
        texts[names[min(owner, len(names) - 1)]].append(segment.text.strip())
    return {name: " ".join(parts) for name, parts in texts.items()}


def _errors(clip: Clip, heard: str) -> WordErrors:
    return match_accepted((clip.text, clip.spoken), heard, language=clip.language).errors


def _table(spoilt: Sequence[Specimen], tallies: dict[str, Tally], *, title: str) -> str:
    audio_s = sum(specimen.clip.duration_s for specimen in spoilt)
    plain = next(iter(tallies.values()))
    faulty = sum(specimen.fault is not None for specimen in spoilt)
    lines = [
        f"### Hearing, {title}: {len(spoilt)} clips, {audio_s:.0f} s, {faulty} of them faulty; one thread",
        "",
        "| | audio s per CPU s | ratio | audio s per s | WER % | kappa, plain loop | kappa, truth |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        sound = [(s.clip, heard) for s, heard in zip(spoilt, tally.heard, strict=True) if s.fault is None]
        wer = sum((_errors(clip, heard) for clip, heard in sound), WordErrors()).wer
        lines.append(
            f"| {name} | {audio_s / tally.cpu_s:.1f} | {plain.cpu_s / tally.cpu_s:.2f}× "
            f"| {audio_s / tally.wall_s:.1f} | {100 * wer:.2f} "
            f"| {kappa(_verdicts(spoilt, tally), _verdicts(spoilt, plain)):.3f} "
            f"| {kappa(_verdicts(spoilt, tally), [s.fault is None for s in spoilt]):.3f} |"
        )
    return "\n".join(lines) + "\n"


def _verdicts(spoilt: Sequence[Specimen], tally: Tally) -> list[bool]:
    pairs = zip(spoilt, tally.heard, strict=True)
    return [_errors(specimen.clip, heard).wer <= WORST_WER for specimen, heard in pairs]


def kappa(ours: Sequence[bool], theirs: Sequence[bool]) -> float:
    """Cohen's kappa: agreement beyond chance, 1 if they always agree."""
    agree = float(np.mean(np.equal(ours, theirs)))
    yes, also = float(np.mean(ours)), float(np.mean(theirs))
    chance = yes * also + (1 - yes) * (1 - also)
    return 1.0 if chance == 1 else (agree - chance) / (1 - chance)
