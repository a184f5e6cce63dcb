"""The family `codes`, on clips and in a job with a voice that has codes of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.catalog import Catalog
from catalogs.clip import Clip
from catalogs.records import Line, VoiceCard
from curation.metrics.codes import Codes, CodesConfig
from curation.policies.policy import Policy, Threshold
from curation.production import Production
from curation.recipe import Recipe
from synthgen.voice import Reading
from synthgen.voices.tone import Tone, ToneConfig

MakeClip = Callable[..., Clip]
MakeRecipe = Callable[..., Recipe]
Produce = Callable[..., Production]


def measured(clip: Clip) -> Codes:
    (score,) = CodesConfig().build().measure([clip])
    assert score.take_id == clip.take_id
    return Codes(*score.values)  # type: ignore[arg-type]  # the values are those of its columns


def test_a_voice_that_is_stuck_repeats_itself(make_clip: MakeClip) -> None:
    second = make_clip(np.zeros(16_000, np.float32))

    assert measured(replace(second, codes=(7,) * 50)) == Codes(50, 1.0, 50.0)
    assert measured(replace(second, codes=tuple(range(20)))) == Codes(20, 0.0, 20.0)
    assert measured(replace(second, codes=(0, 0, 0, 0, 0, 1))) == Codes(6, 0.5, 6.0)


def test_without_codes_there_are_no_figures(make_clip: MakeClip) -> None:
    clip = make_clip(np.zeros(16_000, np.float32))

    assert measured(clip) == Codes()
    assert measured(replace(clip, codes=())) == Codes(code_count=0)
    assert measured(replace(make_clip(np.zeros(0, np.float32)), codes=(1,))) == Codes(code_count=1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_the_share_is_that_of_its_definition(make_clip: MakeClip, codes: list[int]) -> None:
    places = range(max(len(codes) - 4, 0))
    stuck = sum(len(set(codes[place : place + 5])) == 1 for place in places)

    found = measured(replace(make_clip(np.zeros(160, np.float32)), codes=tuple(codes)))

    assert found.code_repetition == pytest.approx(stuck / len(places) if places else 0.0)


@dataclass(frozen=True)
class SpellerConfig:
    """A tone that says which letters it hums, each three times; a "z" gets it stuck."""

    tone: ToneConfig

    def cards(self) -> tuple[VoiceCard, ...]:
        return tuple(replace(card, tokens="letters") for card in self.tone.cards())

    def build(self) -> "Speller":
        return Speller(self.tone.build())


class Speller:
    def __init__(self, tone: Tone) -> None:
        self._tone = tone

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        readings = self._tone.speak(lines)
        return [replace(reading, tokens=_codes(line.text)) for reading, line in zip(readings, lines, strict=True)]


def _codes(text: str) -> tuple[int, ...]:
    return tuple(ord(char) - 97 for char in text.replace(" ", "") for _ in range(40 if char == "z" else 3))


def test_a_policy_may_go_by_the_codes_of_a_voice_on_arrival_and_later(
    catalog: Catalog, make_recipe: MakeRecipe, produce: Produce
) -> None:
    policy = Policy(thresholds={"code_repetition": Threshold(max=0.1)})
    texts = ["a cab", "a maze"]
    voice = SpellerConfig(ToneConfig(speakers=("speller",), duration_s_per_char=0.01))
    changes: dict[str, Any] = {"voices": (voice,), "policy": policy}
    production = produce(make_recipe(texts, metrics=(CodesConfig(),), **changes))

    summary = production.run()
    on_arrival = figures(catalog, production)
    catalog.lake.run("DELETE FROM score_codes")
    production.measure()

    assert summary.kept == 1
    assert [count for count, _ in on_arrival] == [3 * 4, 3 * 4 + 40]
    assert figures(catalog, production) == on_arrival


def figures(catalog: Catalog, production: Production) -> list[tuple[int, float]]:
    return catalog.lake.rows(
        """
        SELECT code_count, code_repetition FROM score_codes JOIN take ON take.id = take_id JOIN job_line USING (line_id)
        WHERE job_line.job_id = $job_id::UUID ORDER BY code_count
        """,
        job_id=production.job_id,
    )
