from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.records import Failure, Line, Prompt, VoiceCard
from synthgen.casting import Casting, CastingConfig, Part, first_match, speaks
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voices.tone import ToneConfig

SPOKEN = Spoken(SpokenConfig())


def prompts(count: int, *, language: str = "en") -> list[Prompt]:
    texts = [f"this is sentence {number}" for number in range(count)]
    return [Prompt(Prompt.id_of(text, language), text, language) for text in texts]


def prompt(text: str, language: str = "en") -> Prompt:
    return Prompt(Prompt.id_of(text, language), text, language)


def voice(name: str, *, language: str = "en", batch_exact: bool = True, tempered: bool = False) -> VoiceCard:
    engine, _, speaker = name.partition("/")
    return VoiceCard.new(
        engine=engine,
        speaker=speaker,
        language=language,
        sample_rate_hz=16_000,
        checkpoint_sha256="ab",
        licence="CC0-1.0",
        consent="given",
        temperature="spread" if tempered else None,
        batch_exact=batch_exact,
    )


def cast(read: Iterable[Prompt], *cards: VoiceCard, batch: int = 4, **config: Any) -> list[Line | Failure]:
    casting = Casting(CastingConfig(**config), [Part(card, batch) for card in cards], SPOKEN)
    return [*(made for each in read for made in casting.lines(each)), *casting.rest()]


def lines(read: Iterable[Prompt], *cards: VoiceCard, **config: Any) -> list[Line]:
    return [made for made in cast(read, *cards, **config) if isinstance(made, Line)]


def failures(read: Iterable[Prompt], *cards: VoiceCard, **config: Any) -> list[Failure]:
    return [made for made in cast(read, *cards, **config) if isinstance(made, Failure)]


def batches(made: Sequence[Line]) -> dict[str | None, list[str]]:
    found: dict[str | None, list[str]] = {}
    for line in made:
        found.setdefault(line.batch_id, []).append(line.id)
    return found


def test_every_voice_reads_every_prompt_unless_told_otherwise() -> None:
    made = lines(prompts(3), voice("tone/a"), voice("tone/b"))

    assert len(made) == 6
    assert Counter(line.voice_id for line in made) == {voice("tone/a").id: 3, voice("tone/b").id: 3}


def test_the_same_casting_gives_the_same_lines_in_the_same_order() -> None:
    cards = [voice("tone/a", tempered=True), voice("tone/b"), voice("hum/c", batch_exact=False)]
    how: dict[str, Any] = {"voices_per_prompt": 2, "takes": 2, "temperatures": {"tone/*": (0.5, 1.0)}}

    first = cast(prompts(50), *cards, **how)
    second = cast(prompts(50), *reversed(cards), **how)

    assert first == second


def test_voices_are_drawn_in_the_ratios_that_were_asked_for() -> None:
    cards = {name: voice(name) for name in ("tone/a", "tone/b", "hum/c")}
    shares = {"tone/a": 0.6, "tone/b": 0.3, "hum/c": 0.1}
    number = 3_000

    made = lines(prompts(number), *cards.values(), voices_per_prompt=1, ratios={"tone/a": 6, "tone/*": 3})

    counts = Counter(line.voice_id for line in made)
    for name, share in shares.items():
        four_deviations = 4 * sqrt(number * share * (1 - share))
        assert abs(counts[cards[name].id] - number * share) < four_deviations, name


def test_a_prompt_is_read_by_as_many_different_voices_as_were_asked_for() -> None:
    cards = [voice(f"tone/{letter}") for letter in "abcde"]

    made = lines(prompts(40), *cards, voices_per_prompt=3)

    read_by = Counter((line.prompt_id, line.voice_id) for line in made)
    assert set(read_by.values()) == {1}
    assert set(Counter(prompt_id for prompt_id, _ in read_by).values()) == {3}


def test_a_voice_of_weight_nought_is_never_drawn() -> None:
    made = lines(prompts(40), voice("tone/a"), voice("tone/b"), voices_per_prompt=2, ratios={"tone/b": 0})

    assert {line.voice_id for line in made} == {voice("tone/a").id}
    assert len(made) == 40


def test_a_prompt_left_without_any_voice_by_the_ratios_is_a_failure() -> None:
    found = failures(prompts(2), voice("tone/a"), voices_per_prompt=1, ratios={"*": 0})

    assert [failure.error for failure in found] == ["no_voice", "no_voice"]


def test_another_seed_draws_other_voices() -> None:
    cards = [voice("tone/a"), voice("tone/b")]

    first = lines(prompts(40), *cards, voices_per_prompt=1, seed=1)
    second = lines(prompts(40), *cards, voices_per_prompt=1, seed=2)

    assert [line.voice_id for line in first] != [line.voice_id for line in second]


def test_who_reads_a_prompt_does_not_depend_on_the_prompts_around_it() -> None:
    cards = [voice("tone/a"), voice("tone/b"), voice("tone/c")]
    many = prompts(30)

    together = lines(many, *cards, voices_per_prompt=1)
    alone = [line for each in many for line in lines([each], *cards, voices_per_prompt=1)]

    assert together == alone


def test_styles_timbres_and_temperatures_are_combined() -> None:
    made = lines(
        prompts(1), voice("tone/a", tempered=True),
        styles={"tone/*": ("", "b")}, timbres={"*": ("", "c", "d")}, temperatures={"tone/a": (0.5, 1.0)}, takes=2,
    )  # fmt: skip

    asked = Counter((line.style, line.timbre, line.temperature) for line in made)
    assert set(asked) == {(s, t, k) for s in (None, "b") for t in (None, "c", "d") for k in (0.5, 1.0)}
    assert set(asked.values()) == {2}
    assert len({line.id for line in made}) == 24


def test_a_voice_without_temperature_reads_a_line_once_and_without_a_seed() -> None:
    made = lines(prompts(1), voice("tone/a"), temperatures={"*": (0.5, 1.0)}, takes=3)

    assert [(line.temperature, line.seed) for line in made] == [(None, None)]


def test_every_tempered_take_has_a_seed_of_its_own_that_belongs_to_its_line() -> None:
    cards = [voice("tone/a", tempered=True), voice("tone/b", tempered=True)]
    how: dict[str, Any] = {"temperatures": {"*": (0.5, 1.0)}, "takes": 3}

    made = lines(prompts(10), *cards, **how)
    one_voice_from_the_middle_on = lines(prompts(10)[5:], cards[1], **how)

    assert len({line.seed for line in made}) == len(made) == 120
    assert set(one_voice_from_the_middle_on) <= set(made)


def test_the_first_pattern_that_fits_a_voice_holds() -> None:
    patterns = {"tone/a": 1, "tone/*": 2, "*": 3}

    assert [first_match(patterns, name, 0) for name in ("tone/a", "tone/b", "hum/a")] == [1, 2, 3]
    assert first_match({"tone/*": 2}, "hum/a", 0) == 0


def test_lines_of_a_voice_whose_batches_change_its_samples_get_fixed_batches() -> None:
    made = lines(prompts(10), voice("hum/a", batch_exact=False), batch=4)

    assert [len(ids) for ids in batches(made).values()] == [4, 4, 2]
    assert None not in batches(made)


def test_lines_of_an_exact_voice_have_no_batch() -> None:
    made = lines(prompts(10), voice("tone/a"))

    assert set(batches(made)) == {None}


def test_two_such_voices_do_not_share_a_batch() -> None:
    made = lines(prompts(6), voice("hum/a", batch_exact=False), voice("hum/b", batch_exact=False), batch=4)

    voices = {line.batch_id: line.voice_id for line in made}
    assert len(voices) == 4
    assert all(voices[line.batch_id] == line.voice_id for line in made)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(1, 30), batch=st.integers(1, 7))
def test_no_line_is_lost_or_doubled_by_batching(count: int, batch: int) -> None:
    inexact = lines(prompts(count), voice("hum/a", batch_exact=False), batch=batch)
    exact = lines(prompts(count), voice("hum/a"))

    assert [line.text for line in inexact] == [line.text for line in exact]
    assert len({line.id for line in inexact}) == count
    assert max(len(ids) for ids in batches(inexact).values()) <= batch


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ("en", "en", True),
        ("en", "en-us", True),
        ("en-US", "en", True),
        ("en-us", "EN-us", True),
        ("en-us", "en-gb", False),
        ("en", "de", False),
        ("en", "enm", False),
    ],
)
def test_a_voice_reads_a_language_as_far_as_the_shorter_tag_goes(ours: str, theirs: str, wanted: bool) -> None:
    assert speaks(voice("tone/a", language=ours), theirs) is wanted


def test_a_prompt_goes_to_the_voices_of_its_language_only() -> None:
    german, english = voice("tone/g", language="de"), voice("tone/e", language="en-us")

    made = lines([prompt("guten Morgen", "de"), prompt("good morning", "en")], german, english)

    assert [line.voice_id for line in made] == [german.id, english.id]


def test_a_prompt_that_no_voice_speaks_is_a_failure_that_says_what_they_speak() -> None:
    (failure,) = failures([prompt("bonjour", "fr")], voice("tone/a"), voice("tone/b", language="de"))

    assert (failure.stage, failure.error) == ("cast", "no_voice")
    assert failure.subject_id == Prompt.id_of("bonjour", "fr")
    assert failure.message == "no voice of this recipe speaks 'fr'; they speak de, en"


@pytest.mark.parametrize(
    ("text", "error"),
    [("…!?", "unspeakable"), ("🎉🎉", "only_emoji"), ("hello {name}", "placeholder"), ("доброе утро", "wrong_script")],
)
def test_a_text_that_cannot_be_read_aloud_is_a_failure_and_never_a_line(text: str, error: str) -> None:
    made = cast([prompt(text)], voice("tone/a"))

    assert [type(each) for each in made] == [Failure]
    assert [each.error for each in made if isinstance(each, Failure)] == [error]


def test_lines_carry_the_spoken_form_and_the_version_of_what_made_it() -> None:
    (line,) = lines([prompt("call me at 5")], voice("tone/a"))

    assert line.text == "call me at five"
    assert line.normaliser == SPOKEN.version


def test_prompts_that_are_spoken_alike_are_read_once_by_an_exact_voice() -> None:
    made = lines([prompt("call me at 5"), prompt("call me at five")], voice("tone/a"))

    assert made[0].id == made[1].id


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"takes": 0}, "takes must be at least 1"),
        ({"voices_per_prompt": 0}, "voices_per_prompt must be at least 1"),
        ({"ratios": {"*": -1.0}, "voices_per_prompt": 1}, "ratios must not be negative"),
        ({"ratios": {"*": 1.0}}, "give casting.voices_per_prompt too"),
        ({"temperatures": {"*": (0.5, -0.5)}}, "temperatures must not be negative"),
    ],
)
def test_a_casting_that_makes_no_sense_is_refused(config: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        CastingConfig(**config)


def test_patterns_that_fit_no_voice_are_found() -> None:
    config = CastingConfig(temperatures={"tone/*": (0.5,), "tune/*": (1.0,)}, styles={"hum": ("a",)})

    idle = config.idle_patterns(ToneConfig(speakers=("a", "b")).cards())

    assert idle == [("temperatures", "tune/*"), ("styles", "hum")]
