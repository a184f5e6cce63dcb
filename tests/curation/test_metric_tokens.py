import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.metrics.tokens import HELD_S, LOOPED_ABOVE, Tokens, TokensConfig, describe
from curation.tdsc.config import TdscConfig
from curation.tokenisers.codebook import PAUSE, Codebook, fit
from curation.tokenisers.distance import mean_distance, reading_distance
from curation.tokenisers.frames import FrameEncoder
from curation.tokenisers.sequences import TokenRows, held, held_share, looped_share, repetition_rate, runs
from curation.tokenisers.tokeniser import CODEBOOK

TEXT = "Please turn on the light in the kitchen, and then come back to me."
CODES = st.lists(st.integers(0, 6), max_size=60)


@pytest.fixture(scope="module")
def metric():
    return TokensConfig().build()


def tokens_of(metric, clip) -> Tokens:
    return Tokens(*metric.measure([clip])[0].values)


@pytest.mark.parametrize("k", [1, 4, 8])
def test_the_repetition_rate_of_a_constant_is_one_and_of_distinct_tokens_none(k) -> None:
    assert repetition_rate([7] * 40, k=k) == 1.0
    assert repetition_rate(range(40), k=k) == 0.0


def test_the_repetition_rate_is_that_of_the_definition() -> None:
    assert repetition_rate([1, 1, 1, 2, 2], k=1) == 3 / 4
    assert repetition_rate([1, 1, 1, 2, 2], k=2) == 1 / 3
    assert repetition_rate([1, 1], k=4) == 0.0


@settings(deadline=None)
@given(CODES, st.integers(1, 6))
def test_repetition_is_a_share(codes, k) -> None:
    assert 0 <= repetition_rate(codes, k=k) <= 1
    assert 0 <= looped_share(np.array(codes, np.int64)) < 1
    assert 0 <= held_share(np.array(codes, np.int64), longer_than=k) <= 1


@settings(deadline=None)
@given(CODES)
def test_runs_hold_no_pause_and_no_equal_neighbours(codes) -> None:
    found = runs(np.array(codes, np.int64))

    assert PAUSE not in found
    assert (np.diff(found) != 0).all()


def test_dwelling_on_a_sound_is_no_loop_and_saying_it_all_again_is() -> None:
    phrase = np.arange(1, 21)

    assert looped_share(np.repeat(phrase, 8)) == 0.0
    assert looped_share(np.concatenate((phrase, [PAUSE] * 9, phrase))) > 0.4


def test_a_voice_that_is_stuck_on_one_unit_for_a_second_repeats_too_much() -> None:
    before, after = np.repeat(np.arange(1, 31), 5), np.repeat(np.arange(31, 61), 5)

    found = describe(np.concatenate((before, np.full(50, 7), after)), rate_hz=50)
    fluent = describe(np.concatenate((before, after)), rate_hz=50)

    assert found.token_held_s == pytest.approx(1 + 2 * 0.1)
    assert found.token_repetition > 0.1 > LOOPED_ABOVE
    assert not TdscConfig().repeats_little(found.token_repetition)
    assert (fluent.token_held_s, fluent.token_repetition) == (pytest.approx(0.3), 0.0)


@pytest.mark.parametrize("wavering", [[7, 7, 7, 8], [7, 8, 9], [7, 7, 8, 8, 9, 9, 8]])
def test_an_encoder_that_wavers_between_a_few_codes_hears_one_sound(wavering) -> None:
    tokens = np.concatenate((np.arange(20, 60), np.resize(wavering, 60), np.arange(60, 99)))

    found = describe(tokens, rate_hz=50)

    assert found.token_held_s == pytest.approx(1.2, abs=0.05)
    assert found.token_repetition > 0.3


def test_long_vowels_and_long_silences_are_not_stuck() -> None:
    vowels = np.repeat(np.arange(1, 31), 8)

    found = describe(np.concatenate((vowels[:120], np.full(300, PAUSE), vowels[120:])), rate_hz=50)

    assert found.token_held_s == pytest.approx(0.48)
    assert found.token_repetition == 0.0


@settings(deadline=None)
@given(CODES, st.integers(1, 4))
def test_what_is_held_is_the_longest_stretch_of_few_codes_around_a_token(codes, most) -> None:
    found = held(np.array(codes, np.int64), codes=most)

    for place in range(len(codes)):
        around = [
            stop - start
            for start in range(place + 1)
            for stop in range(place + 1, len(codes) + 1)
            if PAUSE not in codes[start:stop] and len(set(codes[start:stop])) <= most
        ]
        assert found[place] == max(around, default=0)


def test_a_stuck_sound_is_heard_and_the_same_clip_with_a_pause_is_not(metric, say, make_clip) -> None:
    wave = say(TEXT).at(16_000)
    vowel = round(0.65 * 16_000)  # of "light"
    piece = wave[vowel : vowel + 320]

    stuck = tokens_of(metric, make_clip(np.concatenate((wave[:vowel], np.tile(piece, 75), wave[vowel:]))))
    paused = tokens_of(metric, make_clip(np.concatenate((wave[:vowel], np.zeros(24_000, np.float32), wave[vowel:]))))

    assert stuck.token_held_s > HELD_S > paused.token_held_s
    assert stuck.token_repetition > LOOPED_ABOVE > paused.token_repetition


def test_a_clip_is_tokenised_from_first_speech_to_last(metric, say, make_clip) -> None:
    clip = say(TEXT)
    silent = np.zeros(8000, np.float32)
    padded = make_clip(np.concatenate((silent, clip.at(16_000), silent)), text=TEXT)

    own, with_silence = tokens_of(metric, clip), tokens_of(metric, padded)

    assert own.token_count == pytest.approx(50 * clip.duration_s, rel=0.25)
    assert with_silence.token_count == pytest.approx(own.token_count, rel=0.1)
    assert own.token_repetition < LOOPED_ABOVE


def test_pauses_are_marked_and_not_counted(metric, say, make_clip) -> None:
    one, other = say("Good morning to you."), say("How are you today?")
    joined = np.concatenate((one.at(16_000), np.zeros(16_000, np.float32), other.at(16_000)))

    found = tokens_of(metric, make_clip(joined))

    assert found.speech_tokens.count(PAUSE) > 30
    assert found.token_count == sum(code != PAUSE for code in found.speech_tokens)


def test_a_loop_is_heard(metric, say, make_clip) -> None:
    clip = say("Please turn on the light.")

    found = tokens_of(metric, make_clip(np.tile(clip.at(16_000), 4)))

    assert found.token_repetition > 3 * LOOPED_ABOVE


def test_silence_has_no_tokens(metric, make_clip) -> None:
    assert tokens_of(metric, make_clip(np.zeros(16_000, np.float32))) == Tokens()
    assert describe(np.zeros(20, np.int32), rate_hz=50) == Tokens()


def test_another_text_is_farther_away_than_another_voice(metric, say) -> None:
    clip, voice, text = say(TEXT), say(TEXT, speaker="en-gb"), say("What time does the last train leave for London?")

    own, by_voice, by_text = (tokens_of(metric, c).speech_tokens for c in (clip, voice, text))

    near, far = reading_distance(own, by_voice, rate_hz=50), reading_distance(own, by_text, rate_hz=50)
    assert 0 < near.per_token < far.per_token <= 1


@settings(deadline=None)
@given(CODES, CODES, CODES)
def test_the_distance_of_readings_is_a_metric(one, other, third) -> None:
    def edits(a: list[int], b: list[int]) -> int:
        return reading_distance(a, b, rate_hz=50).edits

    assert edits(one, one) == 0
    assert edits(one, other) == edits(other, one)
    assert edits(one, third) <= edits(one, other) + edits(other, third)


def test_the_distance_has_weights_and_units() -> None:
    found = reading_distance([1, 2, 3, 4], [1, 2, 9, 9, 9, 4], rate_hz=50)
    dear = reading_distance([1, 2, 3, 4], [1, 2, 9, 9, 9, 4], rate_hz=50, weights=(2, 2, 1))

    assert (found.edits, found.per_token, found.per_second) == (3, 0.5, 3 * 50 / 5)
    assert dear.edits == 5
    assert reading_distance([], [], rate_hz=50).per_second == 0


def test_one_reading_has_no_distance_to_others() -> None:
    assert np.isnan(mean_distance([np.array([1, 2])], rate_hz=50))


@settings(deadline=None)
@given(st.lists(CODES, max_size=8))
def test_rows_come_back_as_they_went_in(rows) -> None:
    held = TokenRows.of(rows)

    assert [row.tolist() for row in held] == rows
    assert [row.tolist() for row in held.spoken()] == [[code for code in row if code != PAUSE] for row in rows]
    backwards = held.of_rows(np.arange(len(rows))[::-1])
    assert [row.tolist() for row in backwards] == rows[::-1]


def test_a_codebook_finds_the_clusters_and_survives_a_file(tmp_path) -> None:
    random = np.random.default_rng(2)
    centres = 20 * np.eye(4, 6)
    frames = (np.repeat(centres, 200, axis=0) + random.normal(0, 0.5, (800, 6))).astype(np.float32)
    made = fit(frames, size=12, seed=1, made_from={"credit": "nobody"})

    made.save(tmp_path / "codes.npz")
    again = Codebook.load(tmp_path / "codes.npz")

    codes = again.codes(frames).reshape(4, 200)
    assert all(not set(one) & set(other) for i, one in enumerate(codes) for other in codes[:i])
    assert (again.sha256, codes.min() >= 1, codes.max() <= 12) == (made.sha256, True, True)


def test_the_shipped_codebook_is_small_and_says_whose_speech_it_was() -> None:
    codebook = Codebook.load(CODEBOOK)

    assert CODEBOOK.stat().st_size < 300_000
    assert "CC BY 4.0" in json.loads(codebook.provenance)["credit"]
    assert codebook.sha256[:12] in TokensConfig().card().version


def test_long_waves_are_encoded_in_parts_of_whole_frames() -> None:
    wave = np.random.default_rng(3).normal(0, 0.1, 16_000 * 45 + 123).astype(np.float32)

    assert FrameEncoder().frames(wave).shape == (len(wave) // 320, 384)


def test_a_quiet_clip_has_nearly_the_tokens_of_a_loud_one(metric, say) -> None:
    clip = say(TEXT)
    quiet = replace(clip, samples=clip.samples * np.float32(0.3), _resampled={})

    loud, soft = tokens_of(metric, clip).speech_tokens, tokens_of(metric, quiet).speech_tokens

    assert reading_distance(loud, soft, rate_hz=50).per_token < 0.1
