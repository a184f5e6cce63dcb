"""Casting: which voices read which prompts, how, and how often — as rows, before anything is recorded."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import product
from math import log
from typing import TypeAlias, TypeVar

from catalogs.ids import Id, content_id, seed_of
from catalogs.records import Failure, Line, Prompt, VoiceCard
from synthgen.spoken import Spoken
from synthgen.text_checks import check

T = TypeVar("T")

STAGE = "cast"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a prompt is read. "" is the voice's own style or timbre, None its own temperature.

    ``number`` tells readings apart that differ in nothing but their seed.
    """

    style: str = ""
    timbre: str = ""
    temperature: float | None = None
    number: int = 0


Manners: TypeAlias = Callable[[VoiceCard, Id], Iterable[Manner]]
"""How a voice reads a prompt, by its id."""


@dataclass(frozen=True, slots=True)
class CastingConfig:
    """How prompts and voices come together.

    ``voices_per_prompt`` is how many of the voices that speak a prompt's language read it, drawn by ``ratios``
    (voice name patterns to weights, 1 where none fits); None is all of them. Every one of those readings is made once
    for each style, timbre and temperature that its patterns name, ``takes`` times for a voice with a temperature.
    An empty style or timbre, "", is the voice's own.
    """

    seed: int = 0
    voices_per_prompt: int | None = None
    ratios: Mapping[str, float] = field(default_factory=dict)
    takes: int = 1
    temperatures: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    styles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timbres: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.takes < 1:
            raise ValueError("casting.takes must be at least 1")
        if self.voices_per_prompt is not None and self.voices_per_prompt < 1:
            raise ValueError("casting.voices_per_prompt must be at least 1")
        if any(weight < 0 for weight in self.ratios.values()):
            raise ValueError("casting.ratios must not be negative")
        if self.ratios and self.voices_per_prompt is None:
            raise ValueError("casting.ratios say which voices are drawn: give casting.voices_per_prompt too")
        if any(t < 0 for values in self.temperatures.values() for t in values):
            raise ValueError("casting.temperatures must not be negative")

    def manners(self, card: VoiceCard) -> Iterator[Manner]:
        """How a voice reads every prompt it is given."""
        temperatures = first_match(self.temperatures, card.name, ()) if card.temperature is not None else ()
        styles = first_match(self.styles, card.name, ("",))
        timbres = first_match(self.timbres, card.name, ("",))
        for style, timbre, temperature in product(styles, timbres, temperatures or (None,)):
            for number in range(self.takes if temperature is not None else 1):
                yield Manner(style, timbre, temperature, number)

    def idle_patterns(self, cards: Sequence[VoiceCard]) -> list[tuple[str, str]]:
        """Patterns that fit none of these voices, and so would do nothing: (key, pattern)."""
        return [
            (key, pattern)
            for key in ("ratios", "temperatures", "styles", "timbres")
            for pattern in getattr(self, key)
            if not any(fnmatchcase(card.name, pattern) for card in cards)
        ]


@dataclass(frozen=True, slots=True)
class Part:
    """A voice as a recipe casts it: its card, and how many of its lines are read at once."""

    card: VoiceCard
    batch: int


class Casting:
    """Turns prompts into lines; the same prompts and configuration give the same lines, in the same order."""

    def __init__(self, config: CastingConfig, parts: Sequence[Part], spoken: Spoken) -> None:
        self._config = config
        self._parts = sorted(parts, key=lambda part: part.card.name)
        self._spoken = spoken
        self._normaliser = spoken.version
        self._open: dict[Id, list[Line]] = {}

    def lines(self, prompt: Prompt, manners: Manners | None = None) -> Iterator[Line | Failure]:
        """The lines of one prompt, read as the configuration or ``manners`` say.

        Lines of fixed batches come when their batch is full, or with `rest`.
        """
        parts = [p for p in self._parts if speaks(p.card, prompt.language)]
        if not parts:
            known = sorted({p.card.language for p in self._parts})
            message = f"no voice of this recipe speaks {prompt.language!r}; they speak {', '.join(known)}"
            yield Failure(STAGE, prompt.id, 1, "no_voice", message)
            return
        text = self._spoken(prompt.text, prompt.language)
        reason = check(prompt.text, text, prompt.language)
        if reason is not None:
            yield Failure(STAGE, prompt.id, 1, reason.code, reason.message)
            return
        drawn = self._drawn(parts, prompt)
        if not drawn:
            yield Failure(STAGE, prompt.id, 1, "no_voice", "casting.ratios gives all voices that speak it weight 0")
        for part in drawn:
            for manner in manners(part.card, prompt.id) if manners else self._config.manners(part.card):
                yield from self._in_batch(part, self._line(part.card, prompt.id, text, manner))

    def again(self, line: Line, manner: Manner) -> Iterator[Line]:
        """A text that was cast before, read by the same voice in another manner; batches as with `lines`."""
        part = next(p for p in self._parts if p.card.id == line.voice_id)
        yield from self._in_batch(part, self._line(part.card, line.prompt_id, line.text, manner))

    def rest(self) -> Iterator[Line]:
        """The lines of batches that did not fill up."""
        for lines in self._open.values():
            yield from _fixed(lines)
        self._open = {}

    def _drawn(self, parts: Sequence[Part], prompt: Prompt) -> Sequence[Part]:
        wanted = self._config.voices_per_prompt
        if wanted is None:
            return parts
        weighted = [(self._draw(part, prompt), part.card.name, part) for part in parts]
        return [part for key, _, part in sorted(weighted, key=lambda w: w[:2])[:wanted] if key < float("inf")]

    def _draw(self, part: Part, prompt: Prompt) -> float:
        """A key by which the smallest are drawn with these weights (Efraimidis and Spirakis 2006, as exponentials)."""
        weight = first_match(self._config.ratios, part.card.name, 1.0)
        if weight <= 0:
            return float("inf")
        uniform = (seed_of("draw", self._config.seed, prompt.id, part.card.id) + 1) / 2**63
        return -log(uniform) / weight

    def _line(self, card: VoiceCard, prompt_id: Id, text: str, manner: Manner) -> Line:
        style, timbre, temperature = manner.style, manner.timbre, manner.temperature
        how = (style, timbre, temperature, manner.number)
        return Line.new(
            prompt_id=prompt_id,
            voice_id=card.id,
            text=text,
            normaliser=self._normaliser,
            style=style or None,
            timbre=timbre or None,
            temperature=temperature,
            seed=None if temperature is None else seed_of(self._config.seed, prompt_id, card.id, *how),
        )

    def _in_batch(self, part: Part, line: Line) -> Iterator[Line]:
        if part.card.batch_exact:
            yield line
            return
        batch = self._open.setdefault(part.card.id, [])
        batch.append(line)
        if len(batch) == part.batch:
            yield from _fixed(self._open.pop(part.card.id))


def speaks(card: VoiceCard, language: str) -> bool:
    """Whether a voice reads prompts of a language: the tags agree as far as the shorter one goes ("en", "en-us")."""
    ours, theirs = card.language.lower().split("-"), language.lower().split("-")
    return all(a == b for a, b in zip(ours, theirs, strict=False))


def first_match(patterns: Mapping[str, T], name: str, default: T) -> T:
    """The value of the first pattern (``kokoro/*``) that fits a voice's name."""
    return next((value for pattern, value in patterns.items() if fnmatchcase(name, pattern)), default)


def _fixed(lines: Sequence[Line]) -> Iterator[Line]:
    batch_id = content_id("batch", [line.id for line in lines])
    for line in lines:
        yield replace(line, batch_id=batch_id)
