"""Which styles are lively for a voice, keep its timbre, and are understood: the tables behind `curation.dgsa.banks`.

    python -m benchmarks.styles --engine kokoro --speakers jm_kumo jf_alpha

Every text is read once in every style. Kokoro's styles are the prosody halves of its speakers, mixtures of them with
the voice's own half, and the own half followed more strongly, all without noise; Piper's are speeds, with the published
noise. Similarity is to the voice's own takes of the other texts; distance is to its own reading of the same text.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.temperature import prompts, read
from catalogs.clip import Clip
from catalogs.config import parse_named
from catalogs.ids import seed_of
from catalogs.records import Line, Prompt, VoiceCard
from curation.dgsa.banks import KOKORO_STABLE
from curation.dgsa.config import DgsaConfig
from curation.metric import Metric
from curation.metrics.pace import PaceConfig
from curation.metrics.prosody import ProsodyConfig
from curation.metrics.speaker import SpeakerConfig
from curation.metrics.tokens import TokensConfig
from curation.metrics.words import WordsConfig
from curation.tokenisers.distance import reading_distance
from curation.tokenisers.frames import FRAMES_HZ
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voice import Voice
from synthgen.voices.blends import parse_style
from synthgen.voices.kokoro import SPEAKERS

LEAST_SIMILARITY = 0.95
"""Of that which the voice's own takes have among themselves."""

MOST_MORE_WER = 0.05
SPEEDS = (0.8, 0.87, 1.15, 1.25)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a style does to a voice: means over texts; WER over all words, distance in edits a second."""

    style: str
    f0_sd_st: float
    chars_per_s: float
    similarity: float
    wer: float
    distance: float


def measure(engine: str, speakers: Sequence[str] = (), *, texts: int = 8) -> str:
    """A table a voice, as Markdown, and the bank that follows from it."""
    table = {"engine": engine, **({"speakers": list(speakers)} if speakers else {})}
    config = parse_named("synthgen.voices", table, field="engine", source="benchmark")
    voice, metrics = config.build(), [_loaded(c) for c in _FAMILIES]
    told = ["## Styles", ""]
    for card in config.cards():
        found = show(voice, card, styles_of(card), metrics, prompts(texts))
        told += [_markdown(card, found), "", f"Bank of {card.name}: {bank(found, _stable(card))}", ""]
    return "\n".join(told)


def styles_of(card: VoiceCard) -> list[str]:
    """The styles to try, the voice's own first."""
    if card.engine == "piper":
        return ["", *(f"speed:{speed:g}" for speed in SPEEDS)]
    others = [name for name in SPEAKERS if name != card.speaker]
    mixed = [f"{card.speaker}+{name}" for name in others]
    written = [*others, *mixed, f"{card.speaker}*1.5"]
    return ["", *(str(parse_style(style, SPEAKERS, engine=card.engine)) for style in written)]


def show(
    voice: Voice, card: VoiceCard, styles: Sequence[str], metrics: Sequence["_Loaded"], texts: Sequence[Prompt]
) -> list[Shown]:
    """What each style does, the first being the voice's own."""
    spoken = Spoken(SpokenConfig())
    figures: dict[str, list[dict[str, Any]]] = {}
    for style in styles:
        clips = [clip for prompt in texts for clip in read(voice, [_line(card, prompt, style, spoken)], prompt)]
        figures[style] = _figures(clips, metrics)
    own = figures[styles[0]]
    return [_shown(style, figures[style], own) for style in styles]


def bank(found: Sequence[Shown], stable: str | None) -> list[str]:
    """The styles that keep timbre and words and move more than the stable one, the liveliest first.

    Without a stable style (Piper's is less noise) they need not move more.
    """
    own = found[0]
    least_st = -np.inf
    if stable is not None:
        least_st = next(s.f0_sd_st for s in found if s.style == stable) + DgsaConfig().least_gain_st
    fit = [
        s
        for s in found
        if s.f0_sd_st >= least_st
        and s.similarity >= LEAST_SIMILARITY * own.similarity
        and s.wer <= own.wer + MOST_MORE_WER
    ]
    return [s.style for s in sorted(fit, key=lambda s: -s.f0_sd_st)]


def _stable(card: VoiceCard) -> str | None:
    if card.engine == "piper":
        return None
    return "" if card.speaker == KOKORO_STABLE else KOKORO_STABLE


def _line(card: VoiceCard, prompt: Prompt, style: str, spoken: Spoken) -> Line:
    is_drawn = card.engine == "piper"
    return Line.new(
        prompt_id=prompt.id,
        voice_id=card.id,
        text=spoken(prompt.text, prompt.language),
        normaliser=spoken.version,
        style=style or None,
        temperature=1.0 if is_drawn else None,
        seed=seed_of("benchmark", prompt.id, style) if is_drawn else None,
    )


def _shown(style: str, figures: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]]) -> Shown:
    errors = sum(f[name] or 0 for f in figures for name in ("substitutions", "insertions", "deletions"))
    apart = [
        reading_distance(f["speech_tokens"] or (), o["speech_tokens"] or (), rate_hz=FRAMES_HZ).per_second
        for f, o in zip(figures, own, strict=True)
    ]
    return Shown(
        style=style,
        f0_sd_st=float(np.nanmean([_number(f["f0_sd_st"]) for f in figures])),
        chars_per_s=float(np.nanmean([_number(f["chars_per_s"]) for f in figures])),
        similarity=float(np.mean(_similarities(_embeddings(figures), _embeddings(own)))),
        wer=errors / max(sum(f["ref_words"] or 0 for f in figures), 1),
        distance=float(np.mean(apart)),
    )


def _similarities(takes: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of each take and the mean of the own takes of all other texts; (texts, D) both."""
    references = own.sum(axis=0) - own
    return np.asarray((takes * references).sum(axis=1) / np.linalg.norm(references, axis=1))


def _embeddings(figures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    return np.array([f["speaker_embedding"] for f in figures], np.float64)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


@dataclass(frozen=True, slots=True)
class _Loaded:
    columns: tuple[str, ...]
    metric: Metric


_FAMILIES = (ProsodyConfig(), PaceConfig(), SpeakerConfig(), TokensConfig(), WordsConfig())


def _loaded(config: Any) -> _Loaded:
    return _Loaded(tuple(column.name for column in config.card().columns), config.build())


def _figures(clips: Sequence[Clip], metrics: Sequence[_Loaded]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in clips]
    for loaded in metrics:
        for figures, score in zip(found, loaded.metric.measure(clips), strict=True):
            figures |= dict(zip(loaded.columns, score.values, strict=True))
    return found


def _markdown(card: VoiceCard, found: Sequence[Shown]) -> str:
    head = "| F0 spread, semitones | characters/s | similarity | of its own | WER | distance from its own, edits/s |"
    rows = [f"| {card.name} {head}", "|---|---:|---:|---:|---:|---:|---:|"]
    own = found[0].similarity
    rows += [
        f"| {s.style or 'own'} | {s.f0_sd_st:.2f} | {s.chars_per_s:.1f} | {s.similarity:.3f} "
        f"| {s.similarity / own:.3f} | {s.wer:.1%} | {s.distance:.1f} |"
        for s in found
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="kokoro", choices=("kokoro", "piper"))
    parser.add_argument("--speakers", nargs="*", default=())
    parser.add_argument("--texts", type=int, default=8)
    asked = parser.parse_args()
    print(measure(asked.engine, asked.speakers, texts=asked.texts))
