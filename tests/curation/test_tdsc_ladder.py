"""The steps at which candidates are read, in one mode or in two, and the accounts of what each was good for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import UsageError
from catalogs.ids import content_id
from catalogs.records import Line
from curation.dgsa.toggles import Mode, bank_of, in_mode
from curation.tdsc.accounts import accounts_of, set_scores, table
from curation.tdsc.candidates import Candidate, Text
from curation.tdsc.config import TdscConfig
from curation.tdsc.controller import plan_round
from curation.tdsc.ladder import How, Ladder
from synthgen.casting import Manner
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.kokoro import KokoroConfig
from synthgen.voices.piper import PiperConfig

PAPER = TdscConfig(spend="evenly")
(KOKORO,) = KokoroConfig(speakers=("jm_kumo",)).cards()
(PIPER,) = PiperConfig().cards()
FLAT = "jf_nezumi"
BANK = [manner.style for manner in bank_of(KOKORO, Mode.EXPRESSIVE)]
LIVELY = BANK[0]
STYLED = "jf_alpha"


def dual(config: TdscConfig = PAPER) -> Ladder:
    return Ladder(config, [KOKORO, PIPER])


def text(*candidates: Candidate, voice_id: str = KOKORO.id, name: str = "t") -> Text:
    line = Line.new(prompt_id=content_id(name), voice_id=voice_id, text="ten letters", normaliser="none")
    return Text(line, content_id("group", name), ("", False), tuple(candidates))


def tried(style: str, temperature: float, *, words: float = 0.0, iteration: int = 1) -> Candidate:
    """A candidate that only its words can make fail."""
    take_id = content_id("take", style, temperature, iteration)
    return Candidate(temperature, iteration, take_id, 2.0, words, 0.0, 1.0, is_kept=True, style=style)


def test_every_step_is_read_in_both_modes_the_coolest_first() -> None:
    steps = dual().steps(KOKORO.id, 1)

    assert [[(manner.style, manner.temperature) for manner in bank] for bank in steps] == [
        [(style, temperature) for style in styles] for temperature in (0.7, 1.0, 0.9) for styles in (BANK, [FLAT])
    ]


def test_where_noise_is_the_style_the_mode_scales_the_temperature() -> None:
    steps = dual().steps(PIPER.id, 1)

    assert [bank[0] for bank in steps] == [Manner(temperature=t) for t in (0.7, 0.14, 1.0, 0.2, 0.9, 0.18)]


def test_without_dual_mode_a_voice_reads_in_its_own_style() -> None:
    ladder = Ladder(PAPER)

    assert ladder.steps(KOKORO.id, 2) == [(Manner(temperature=t),) for t in (0.7, 1.0, 1.0)]
    assert not ladder.is_expressive(KOKORO.id, "", 0.7)
    assert len(ladder) == 3


def test_all_candidates_are_spread_over_both_modes() -> None:
    assert len(dual()) == 6
    assert dual().evenly() == (2,) * 6
    assert dual(replace(PAPER, candidates=14)).evenly() == (3, 3, 2, 2, 2, 2)


@given(
    temperatures=st.lists(st.floats(0.1, 2.0), max_size=4),
    more=st.integers(0, 20),
    is_dual=st.booleans(),
)
def test_an_even_round_reads_every_step_in_both_modes(temperatures: list[float], more: int, is_dual: bool) -> None:
    size = (len(temperatures) + 1) * (len(Mode) if is_dual else 1)
    config = TdscConfig(temperatures=tuple(temperatures), candidates=size + more)

    counts = Ladder(config, [KOKORO] if is_dual else []).evenly()

    assert len(counts) == size
    assert sum(counts) == config.candidates
    assert min(counts) >= 1
    assert all(0 <= before - after <= 1 for before, after in pairwise(counts))


@pytest.mark.parametrize(
    ("iteration", "places"),
    [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 1, 2, 3, 2, 3]), (3, [0, 1, 2, 3, 4, 5]), (5, [0, 1, 2, 3, 4, 5])],
)
@pytest.mark.parametrize("card", [KOKORO, PIPER], ids=lambda card: card.name)
def test_a_reading_is_found_on_its_step_in_every_round(card, iteration: int, places: Sequence[int]) -> None:
    ladder = dual()

    steps = ladder.steps(card.id, iteration)

    for bank, place in zip(steps, places, strict=True):
        assert {ladder.step_of(card.id, m.style, m.temperature) for m in bank} == {place}
        assert {ladder.is_expressive(card.id, m.style, m.temperature) for m in bank} == {place % 2 == 0}


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.text(), st.integers(1, 3))
@pytest.mark.parametrize("card", [KOKORO, PIPER], ids=lambda card: card.name)
def test_readings_take_the_styles_of_a_bank_in_turn_and_no_line_is_made_twice(card, counts, name, rounds) -> None:
    ladder, prompt_id, bank = dual(), content_id(name), bank_of(card, Mode.EXPRESSIVE)
    made = Counter[How]()
    lively, lines = [], []
    for iteration in range(1, rounds + 1):
        for manner in list(ladder.readings(card.id, prompt_id, iteration, counts=counts, made=made)):
            made[manner.style, manner.temperature] += 1
            lines.append(manner)
            lively += [manner.style] if ladder.is_expressive(card.id, manner.style, manner.temperature) else []

    assert len(set(lines)) == len(lines) == rounds * sum(counts)
    assert len(lively) == rounds * sum(counts[::2])
    if len(bank) > 1:
        tries = [lively.count(manner.style) for manner in bank]
        assert max(tries) - min(tries) <= 1
        assert all(one != other for one, other in pairwise(lively))


def test_a_reading_that_no_round_asks_for_counts_as_the_last_step() -> None:
    assert dual().step_of(KOKORO.id, LIVELY, 3.0) == 5
    assert dual().step_of(KOKORO.id, "elsewhere", 0.7) == 5


def test_the_modes_of_a_voice_never_share_a_step() -> None:
    for card in (KOKORO, PIPER):
        asked = {
            mode: {m for k in range(1, 6) for t in PAPER.ladder(k) for m in in_mode(card, mode, t)} for mode in Mode
        }

        assert not asked[Mode.EXPRESSIVE] & asked[Mode.STABLE]


def test_a_voice_without_a_style_to_turn_off_has_no_ladder_of_two_modes() -> None:
    (espeak,) = EspeakConfig().cards()

    with pytest.raises(UsageError, match="reads in one way only"):
        Ladder(PAPER, [espeak]).steps(espeak.id, 1)


def test_tries_go_to_the_mode_that_serves() -> None:
    config = TdscConfig()
    seen = [tried(s, t, words=0.0 if s == FLAT else 0.9) for s in (LIVELY, FLAT) for t in (0.7, 1.0, 0.9)] * 6

    steps = plan_round([text(*seen), text(name="new")], config, dual(config))[content_id("group", "new")]

    lively, flat = sum(steps[::2]), sum(steps[1::2])
    assert flat > lively


def test_each_mode_has_an_account_of_its_own() -> None:
    texts = [text(tried(STYLED, 0.7, words=0.9), tried(FLAT, 0.7)), text(tried(STYLED, 0.7), tried("", 0.7))]

    accounts = accounts_of(texts, PAPER)
    scores = {(s.metric, s.subset): (s.value, s.num_items) for s in set_scores(content_id("job"), accounts)}

    assert [(a.style, a.tries, a.accepted, a.audio_s) for a in accounts] == [
        ("", 1, 1, 2.0), (STYLED, 2, 1, 4.0), (FLAT, 1, 1, 2.0),
    ]  # fmt: skip
    assert scores["tdsc_pass_rate", f"k=1 T=0.7 style={STYLED}"] == (0.5, 2)
    assert scores["tdsc_pass_rate", "k=1 T=0.7 style=jf_nezumi"] == (1.0, 1)
    assert scores["tdsc_contribution", f"k=1 T=0.7 style={STYLED}"] == (1 / 3, 3)
    assert [line.split()[2] for line in table(accounts).splitlines()] == ["style", "own", STYLED, FLAT]


def test_a_job_without_styles_writes_what_it_always_wrote() -> None:
    accounts = accounts_of([text(tried("", 0.7), tried("", 1.0, words=0.9, iteration=2))], PAPER)

    scores = set_scores(content_id("job"), accounts)

    assert [(s.subset, s.metric, s.version, s.value, s.num_items) for s in scores] == [
        ("k=1 T=0.7", "tdsc_pass_rate", "1", 1.0, 1),
        ("k=1 T=0.7", "tdsc_contribution", "1", 1.0, 1),
        ("k=2 T=1", "tdsc_pass_rate", "1", 0.0, 1),
        ("k=2 T=1", "tdsc_contribution", "1", 0.0, 0),
    ]
    assert table(accounts).splitlines() == [
        "round  temperature  readings  accepted  pass rate (95 %)     audio",
        "    1         0.70         1         1  100% ( 21% to 100%)       2 s",
        "    2         1.00         1         0    0% (  0% to  79%)       2 s",
    ]
