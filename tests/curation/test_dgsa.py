from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import UsageError
from catalogs.records import (
    Line,
    Prompt,
    VoiceCard,
)
from curation.dgsa.config import DgsaConfig, Weights, weights_of
from curation.dgsa.pairs import EXPRESSIVITY, STABILITY, DgsaTake, left_out, preferences_of
from curation.dgsa.toggles import Mode, bank_of, has_toggle, in_mode, mode_of
from curation.metrics.prosody import Prosody, ProsodyConfig
from synthgen.casting import Casting, CastingConfig, Manner, Part
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.kokoro import KokoroConfig
from synthgen.voices.piper import PiperConfig
from synthgen.voices.tone import ToneConfig

CONFIG = DgsaConfig()
ROLES = ("expressive", "stable", "real", "own")


def card(engine: str, config: str = "{}", speaker: str = "anna") -> VoiceCard:
    return VoiceCard.new(
        engine=engine, speaker=speaker, language="en", sample_rate_hz=16_000, checkpoint_sha256="", licence="CC0-1.0",
        consent="given", temperature="noise", config=config,
    )  # fmt: skip


def take(take_id: str, role: str = "own", **how) -> DgsaTake:
    fields = {"prompt_id": "p", "identity": "anna", "wer": 0.1, "f0_sd_st": 3.0, "is_kept": True} | how
    return DgsaTake(take_id=take_id, role=role, **fields)


def dual_mode(prompts: Sequence[Prompt], voice: VoiceCard, *, config: DgsaConfig = CONFIG) -> list[Line]:
    casting = Casting(CastingConfig(), [Part(voice, 1)], Spoken(SpokenConfig()))
    made = [item for prompt in prompts for item in casting.lines(prompt, config.manners)]
    assert all(isinstance(item, Line) for item in made)
    return made


def pairs(takes: Sequence[DgsaTake], config: DgsaConfig = CONFIG) -> list[tuple[str, str, str]]:
    return [(p.winner, p.loser, p.objective) for p in preferences_of(takes, config, iteration=1)]


@pytest.mark.parametrize(
    ("share", "stability", "expressivity"), [(0.67, 0.66, 0.34), (0.8, 0.4, 0.6), (1.0, 0.0, 1.0), (0.75, 0.5, 0.5)]
)
def test_expressivity_weighs_more_the_more_is_synthetic(share: float, stability: float, expressivity: float) -> None:
    found = weights_of(share, CONFIG)

    assert found.stability == pytest.approx(stability)
    assert found.expressivity == pytest.approx(expressivity)


@given(share=st.floats(0, 1), threshold=st.floats(0, 0.99))
def test_weights_sum_to_one_above_the_threshold_and_are_switched_below(share: float, threshold: float) -> None:
    off, steady = (weights_of(share, DgsaConfig(threshold=threshold, below=b)) for b in ("sft", "stability"))

    if share <= threshold:
        assert off == Weights(0.0, 0.0)
        assert steady == Weights(1.0, 0.0)
    else:
        assert off == steady
        assert off.stability + off.expressivity == pytest.approx(1)
        assert 0 <= off.expressivity <= 1


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        weights_of(share, CONFIG)


def test_a_real_reading_wins_over_both_modes() -> None:
    found = [take("r", "real", is_kept=False), take("e", "expressive"), take("s", "stable"), take("o")]

    assert pairs(found) == [("r", "e", STABILITY), ("r", "s", EXPRESSIVITY)]


def test_without_one_fewer_errors_win_for_stability_and_more_movement_for_expressivity() -> None:
    found = [
        take("best", wer=0.0, f0_sd_st=1.0),
        take("lively", wer=0.2, f0_sd_st=5.0),
        take("e", "expressive", wer=0.5, f0_sd_st=6.0),
        take("s", "stable", wer=0.05, f0_sd_st=2.0),
    ]

    assert pairs(found) == [("best", "e", STABILITY), ("lively", "s", EXPRESSIVITY)]


def test_the_modes_may_win_over_each_other() -> None:
    found = [take("e", "expressive", wer=0.3, f0_sd_st=4.0), take("s", "stable", wer=0.0, f0_sd_st=2.0)]

    assert pairs(found) == [("s", "e", STABILITY), ("e", "s", EXPRESSIVITY)]


@pytest.mark.parametrize(
    "winner",
    [
        {"is_kept": False},
        {"wer": 0.9},
        {"wer": None, "f0_sd_st": None},
        {"wer": 0.5, "f0_sd_st": 2.1},
        {"identity": "bela"},
        {"prompt_id": "another"},
    ],
    ids=["dropped", "wrong", "unmeasured", "no better", "another speaker", "another text"],
)
def test_what_is_no_better_reading_of_the_same_text_by_the_same_speaker_never_wins(winner: dict) -> None:
    better = {"wer": 0.0, "f0_sd_st": 9.0} | winner
    found = [take("w", **better), take("e", "expressive", wer=0.5), take("s", "stable", wer=0.5, f0_sd_st=2.0)]

    assert pairs(found, replace(CONFIG, max_wer=0.6)) == ([("e", "s", EXPRESSIVITY)])


MISSING = [None, float("nan")]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("real", [[], [take("r", "real", wer=None, f0_sd_st=None, is_kept=False)]])
def test_a_take_that_was_not_heard_neither_wins_nor_loses(missing: float | None, real: list[DgsaTake]) -> None:
    found = [
        *real,
        take("clean", wer=0.0, f0_sd_st=9.0),
        take("e", "expressive", wer=missing, f0_sd_st=9.9),
        take("s", "stable", wer=missing, f0_sd_st=1.0),
    ]

    assert pairs(found) == []
    assert left_out(found) == dict.fromkeys("es", "wer missing: in no pair")


@pytest.mark.parametrize("missing", MISSING)
def test_a_take_without_pitch_is_compared_by_its_words_alone(missing: float | None) -> None:
    found = [
        take("clean", wer=0.0, f0_sd_st=missing),
        take("e", "expressive", wer=0.3, f0_sd_st=missing),
        take("s", "stable", wer=0.2, f0_sd_st=missing),
    ]

    assert pairs(found) == [("clean", "e", STABILITY)]
    assert set(left_out(found)) == {"clean", "e", "s"}
    assert set(left_out(found).values()) == {"f0_sd_st missing: in no pair for expressivity"}


def takes_strategy() -> st.SearchStrategy[list[DgsaTake]]:
    one = st.builds(
        DgsaTake,
        take_id=st.uuids().map(str),
        prompt_id=st.sampled_from("pq"),
        identity=st.sampled_from(("anna", "bela")),
        role=st.sampled_from(ROLES),
        wer=st.none() | st.floats(0, 2) | st.just(float("nan")),
        f0_sd_st=st.none() | st.floats(0, 9) | st.just(float("nan")),
        is_kept=st.booleans(),
    )
    return st.lists(one, max_size=12, unique_by=lambda t: t.take_id)


@given(takes=takes_strategy(), data=st.data())
def test_pairs_are_of_one_speaker_and_text_and_do_not_depend_on_the_order(takes, data) -> None:
    found = preferences_of(takes, CONFIG, iteration=1)
    shuffled = data.draw(st.permutations(takes))

    by_id = {t.take_id: t for t in takes}
    for p in found:
        winner, loser = by_id[p.winner], by_id[p.loser]
        assert winner.identity == loser.identity
        assert winner.prompt_id == loser.prompt_id == p.prompt_id
        assert p.winner != p.loser
        assert loser.role == {STABILITY: "expressive", EXPRESSIVITY: "stable"}[p.objective]
        assert not winner.lacks(p.objective)
        assert not loser.lacks(p.objective)
    assert preferences_of(shuffled, CONFIG, iteration=1) == found


@pytest.mark.parametrize(
    "made",
    [
        *KokoroConfig(speakers=("jf_alpha", "jf_alpha:0.6+jm_kumo:0.4")).cards(),
        *PiperConfig().cards(),
        card("mms"),
        card("coqui", '{"model":"vits"}'),
        card("coqui", '{"model":"xtts","styles":["carl"],"temperature":null}'),
        card("bark", '{"temperature":0.7}'),
        card("transplant", '{"styles":["lively","sad"]}'),
        *ToneConfig().cards(),
    ],
    ids=lambda c: c.name,
)
def test_every_toggle_has_two_modes_that_are_told_apart_and_keeps_the_timbre(made: VoiceCard) -> None:
    expressive, stable = (bank_of(made, mode) for mode in Mode)

    assert len(stable) == 1
    assert not {(m.style, m.temperature) for m in expressive} & {(m.style, m.temperature) for m in stable}
    assert {m.timbre for m in (*expressive, *stable)} == {""}
    assert [mode_of(made, m) for m in expressive] == [Mode.EXPRESSIVE] * len(expressive)
    assert [mode_of(made, m) for m in (*stable, Manner("elsewhere"))] == [Mode.STABLE, None]
    assert mode_of(made, replace(expressive[0], timbre="bela")) is None


def test_bark_has_no_preset_and_xtts_a_neutral_recording_when_style_is_off() -> None:
    xtts = card("coqui", '{"model":"xtts","styles":["carl"],"temperature":0.6}')

    assert bank_of(card("bark", '{"temperature":0.7}'), Mode.STABLE) == (Manner("plain", temperature=0.7),)
    assert bank_of(xtts, Mode.STABLE) == (Manner("carl", temperature=0.6),)


def test_a_voice_without_a_style_is_refused() -> None:
    (espeak,) = EspeakConfig().cards()

    assert not has_toggle(espeak)
    with pytest.raises(UsageError, match="one way only"):
        bank_of(espeak, Mode.STABLE)
    with pytest.raises(UsageError, match="neutral recording"):
        bank_of(card("coqui", '{"model":"xtts","styles":[]}'), Mode.STABLE)


def test_every_prompt_is_read_in_both_modes_by_one_voice() -> None:
    texts = ("good morning", "see you at nine")
    prompts = [Prompt(Prompt.id_of(t, "en"), t, "en") for t in texts]
    (kokoro,) = KokoroConfig().cards()

    lines = dual_mode(prompts, kokoro)

    modes = [mode_of(kokoro, Manner(line.style or "")) for line in lines]
    assert [(line.prompt_id, mode) for line, mode in zip(lines, modes, strict=True)] == [
        (prompt.id, mode) for prompt in prompts for mode in Mode
    ]
    assert lines == dual_mode(prompts, kokoro)


@given(st.text(min_size=1), st.integers(1, 9))
def test_readings_take_the_styles_of_a_bank_in_turn_and_none_twice_without_a_seed(text: str, takes: int) -> None:
    banked, prompt_id = card("transplant", '{"styles":["glad","sad","calm"]}'), Prompt.id_of(text, "en")

    found = list(replace(CONFIG, takes=takes).manners(banked, prompt_id))

    assert len({(m.style, m.number) for m in found}) == len(found) == min(takes, 3) + 1
    assert len({m.style for m in found}) == len(found)


def test_every_style_of_a_bank_comes_first_for_some_texts() -> None:
    banked = card("transplant", '{"styles":["glad","sad","calm"]}')

    first = [next(CONFIG.manners(banked, Prompt.id_of(str(n), "en"))).style for n in range(60)]

    assert {style: first.count(style) > 10 for style in first} == {"glad": True, "sad": True, "calm": True}


def test_a_voice_that_draws_may_read_each_mode_several_times() -> None:
    (piper,) = PiperConfig().cards()
    prompt = Prompt(Prompt.id_of("good morning", "en"), "good morning", "en")

    lines = dual_mode([prompt], piper, config=replace(CONFIG, takes=3))

    assert [line.temperature for line in lines] == [1.0] * 3 + [0.2] * 3
    assert len({line.style for line in lines[:3]}) == 3
    assert len({line.seed for line in lines}) == 6


def test_a_mode_at_a_temperature_is_a_style_or_the_noise_itself() -> None:
    ((kokoro,), (piper,)) = KokoroConfig().cards(), PiperConfig().cards()

    assert in_mode(kokoro, Mode.STABLE, 0.7) == (Manner("jf_nezumi", temperature=0.7),)
    assert {manner.temperature for manner in in_mode(kokoro, Mode.EXPRESSIVE, 0.7)} == {0.7}
    assert [in_mode(piper, mode, 0.7)[0] for mode in Mode] == [Manner(temperature=0.7), Manner(temperature=0.14)]
    assert all(mode_of(kokoro, manner) is Mode.EXPRESSIVE for manner in in_mode(kokoro, Mode.EXPRESSIVE, 1.3))
    assert [mode_of(piper, Manner(temperature=t)) for t in (0.14, 0.7, 1.0, 1.3)] == [
        Mode.STABLE, None, Mode.EXPRESSIVE, Mode.EXPRESSIVE,
    ]  # fmt: skip
    assert mode_of(piper, Manner("speed:1.15", temperature=0.7)) is Mode.EXPRESSIVE


@pytest.mark.slow
@pytest.mark.parametrize("speaker", ["jm_kumo", "jf_tebukuro"])
def test_a_kokoro_timbre_moves_more_with_its_style_on(speaker: str, make_clip) -> None:
    config = KokoroConfig(speakers=(speaker,))
    (made,) = config.cards()
    voice, metric = config.build(), ProsodyConfig().build()
    text = "The weather was cold, and nobody wanted to go outside."
    spreads = []
    for mode in Mode:
        style = bank_of(made, mode)[0].style or None
        line = Line.new(prompt_id="p", voice_id=made.id, text=text, normaliser="none", style=style)
        (reading,) = voice.speak([line])
        (score,) = metric.measure([make_clip(reading.samples, rate_hz=reading.sample_rate_hz)])
        spreads.append(Prosody(*score.values).f0_sd_st)

    expressive, stable = spreads

    assert expressive > stable + CONFIG.least_gain_st
