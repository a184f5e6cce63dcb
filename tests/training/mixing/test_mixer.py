"""The epochs of a mixture: shares by tokens, both variants in turn, and the promises of every sampler."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.errors import TrainingError
from catalogs.ids import seed_of
from training.augmentation.step import Lengthening
from training.data import text_member
from training.interleaving.choosing import Choosing, Part, interleave
from training.interleaving.words import Word, unheard
from training.members import Member
from training.mixing.mixer import Mixer, Variants
from training.mixing.mixture import KINDS, MixtureConfig
from training.mixing.sources import Sources
from training.sampling import Draw

from ..conftest import make_member

MEMBERS = [make_member(number, is_synthetic=number % 3 > 0) for number in range(40)]
TEXTS = [f"text number {number} of a file" for number in range(30)]
AS_THEY_ARE = Variants()
CONFIG = MixtureConfig(asr=0.5, interleaved=0.3, text=0.2, batch_tokens=120)


def length_of(draw: Draw) -> int:
    """A slot for every tenth of a second that is heard, and a token for every letter that is read."""
    if draw.parts is None:
        return 8 + round(10 * draw.member.duration_s) + len(draw.member.text)
    return 2 + sum(
        max(1, round(10 * (part.end_s - part.start_s))) if part.modality == "speech" else len(part.text)
        for part in draw.parts
    )


def words_of(member: Member) -> list[Word]:
    return [Word(text, n / 4, n / 4 + 0.2) for n, text in enumerate(member.text.split())]


def mixer(
    config: MixtureConfig = CONFIG, *, seed: int = 0, variants: Variants = AS_THEY_ARE, context: int = 500
) -> Mixer:
    words = {member.take_id: words_of(member) for member in MEMBERS}
    texts = [text_member(text) for text in TEXTS]
    sources = Sources(config, MEMBERS, MEMBERS, texts, words | {m.take_id: unheard(m.text) for m in texts})
    return Mixer(sources, length_of, context=context, seed=seed, epochs=3, variants=variants)


def kind_of(draw: Draw) -> str:
    is_text = draw.member.place is None
    if draw.parts is None:
        return "made_asr" if is_text else "asr"
    if not any(part.modality == "speech" for part in draw.parts):
        return "text"
    return "made_interleaved" if is_text else "interleaved"


def test_a_share_that_is_too_small_for_anything_is_told() -> None:
    small = MixtureConfig(asr=0.5, interleaved=0.49, text=0.01, tokens=600)

    of_small, of_all, of_nothing = (mixer(config) for config in (small, CONFIG, replace(small, tokens=1)))

    assert "text" not in {kind_of(draw) for draw in drawn(of_small)}
    assert of_small.undrawn().startswith(
        "mixture: too small a share of 600 tokens for what comes first, text (0.01): none"
    )
    assert of_all.undrawn() == ""
    with pytest.raises(TrainingError, match=r"asr \(0.5\) and interleaved \(0.49\) and text .* nothing to train on"):
        of_nothing.undrawn()


def drawn(of: Mixer, epoch: int = 0) -> list[Draw]:
    return [draw for batch in of.batches(epoch) for draw in batch]


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(0, 10)] * len(KINDS)).filter(any), st.integers(1_000, 20_000), st.integers(0, 5))
def test_every_kind_has_its_share_of_the_tokens_to_half_a_sequence(
    weights: tuple[int, ...], tokens: int, epoch: int
) -> None:
    shares = dict(zip(KINDS, (weight / sum(weights) for weight in weights), strict=True))
    config = MixtureConfig(**shares, tokens=tokens)

    sums: Counter[str] = Counter()
    for draw in drawn(mixer(config), epoch):
        sums[kind_of(draw)] += length_of(draw)

    longest = max(length_of(Draw(member, 0)) for member in MEMBERS)  # drawn, or left out as too long
    assert all(abs(sums[kind] - shares[kind] * tokens) <= longest / 2 + 1e-6 for kind in KINDS)


def test_without_a_number_of_tokens_nothing_comes_twice_and_one_kind_comes_whole() -> None:
    config = MixtureConfig(alternation="heard_first", choosing=Choosing("word"))

    draws = drawn(mixer(config))

    counts = {kind: Counter(draw.member.take_id for draw in draws if kind_of(draw) == kind) for kind in KINDS[:2]}
    assert all(max(count.values()) == 1 for count in counts.values())
    assert max(map(len, counts.values())) >= len(MEMBERS) - 1


def test_an_epoch_is_the_same_again_and_another_is_not() -> None:
    batches = [list(mixer().batches(0)) for _ in range(2)]

    assert batches[0] == batches[1]
    assert list(mixer().batches(1)) != batches[0] != list(mixer(seed=1).batches(0))


def test_a_batch_holds_so_many_tokens_and_kinds_are_mixed() -> None:
    batches = list(mixer().batches(0))

    assert all(sum(map(length_of, batch)) <= CONFIG.batch_tokens for batch in batches)
    assert sum(len({kind_of(draw) for draw in batch}) > 1 for batch in batches) > len(batches) / 2


@pytest.mark.parametrize("steps", [None, 1, 5, 1000])
def test_a_schedule_is_of_what_the_steps_hear(steps: int | None) -> None:
    of = mixer()
    batches = [list(of.batches(epoch)) for epoch in range(3)]
    whole = sum(-(-len(each) // 2) for each in batches)

    taken, draws = of.schedule(2, steps=steps)

    assert taken == min(whole, steps or whole)
    assert draws == [draw for each in batches for batch in each for draw in batch][: len(draws)]


def test_both_variants_of_a_take_come_in_turn_with_the_same_units() -> None:
    config = MixtureConfig(asr=0.0, interleaved=1.0, choosing=Choosing("word"))
    epochs = [{draw.member.take_id: draw.parts or () for draw in drawn(mixer(config), epoch)} for epoch in (0, 1)]

    for take_id in epochs[0].keys() & epochs[1].keys():
        one, other = (parts[take_id] for parts in epochs)
        assert [part.text for part in one] == [part.text for part in other]
        assert all(a.modality != b.modality for a, b in zip(one[:-1], other[:-1], strict=True))
    assert {parts[0].modality for parts in epochs[0].values()} == {"speech", "text"}


def in_turn(*, tokens: int | None, seed: int = 0) -> Mixer:
    return mixer(MixtureConfig(asr=0.0, interleaved=1.0, tokens=tokens, choosing=Choosing("word")), seed=seed)


def test_passes_go_on_from_epoch_to_epoch_and_no_sequence_comes_again_in_the_next() -> None:
    of = in_turn(tokens=1_600)  # some passes and a part
    sequences: dict[str, list[tuple[Part, ...]]] = {}
    for epoch in range(4):
        for draw, _ in of.plan(epoch):
            sequences.setdefault(draw.member.take_id, []).append(draw.parts or ())

    whole = [parts for parts in sequences.values() if len(parts[0]) > 2]  # others have one variant to hear
    assert len({len(parts) for parts in whole}) > 1
    assert all(len(parts) > 2 * 4 for parts in whole)
    assert all(one[0].modality != other[0].modality for parts in whole for one, other in pairwise(parts))


@pytest.mark.parametrize("tokens", [300, None])
def test_of_one_pass_an_epoch_the_epoch_says_which_sequence_comes(tokens: int | None) -> None:
    of = in_turn(tokens=tokens)
    for epoch in range(4):
        for draw, _ in of.plan(epoch):
            take_id = draw.member.take_id
            expected = interleave(
                words_of(draw.member),
                Choosing("word"),
                take_id=take_id,
                seed=seed_of(0, epoch // 2),
                heard_first=(seed_of("variant", 0, take_id) + epoch) % 2 == 0,
            )
            assert draw.again == 0
            assert list(draw.parts or ()) == expected


def test_an_epoch_is_the_same_whichever_was_planned_before() -> None:
    forwards, backwards = in_turn(tokens=1_600), in_turn(tokens=1_600)

    found = [forwards.plan(epoch) for epoch in range(4)]

    assert [backwards.plan(epoch) for epoch in (3, 1, 2, 0)] == [found[epoch] for epoch in (3, 1, 2, 0)]


@pytest.mark.parametrize(("alternation", "first"), [("heard_first", "speech"), ("read_first", "text")])
def test_one_variant_alone_can_be_asked_for(alternation: str, first: str) -> None:
    config = MixtureConfig(asr=0.0, interleaved=1.0, alternation=alternation, choosing=Choosing("word"))

    draws = drawn(mixer(config))

    assert {draw.parts[0].modality for draw in draws if draw.parts} == {first}
    assert all(draw.parts[-1].modality == "text" for draw in draws if draw.parts)


def test_takes_are_heard_in_variants_and_interleaved_ones_as_they_are() -> None:
    heard: dict[str, set[int]] = {kind: set() for kind in KINDS}
    for epoch in range(6):
        for draw in drawn(mixer(variants=Variants(2)), epoch):
            heard[kind_of(draw)].add(draw.variant)

    assert heard == {"asr": {0, 1, 2}, "interleaved": {0}, "text": {0}, "made_asr": set(), "made_interleaved": set()}


@settings(max_examples=10, deadline=None)
@given(st.floats(0.8, 2), st.floats(0, 0.5), st.integers(0, 5))
def test_a_variant_counts_as_long_as_it_is_on_the_mean(slower: float, longer_s: float, epoch: int) -> None:
    expected = Lengthening(slower, longer_s)
    config = MixtureConfig(asr=0.5, interleaved=0.0, text=0.5, tokens=8_000)

    sums: Counter[str] = Counter()
    for draw in drawn(mixer(config, variants=Variants(3, Lengthening(3.0, 1.0), expected)), epoch):
        heard_s = expected.longest_s(draw.member.duration_s) if draw.variant else draw.member.duration_s
        sums[kind_of(draw)] += length_of(replace(draw, member=replace(draw.member, duration_s=heard_s)))

    longest = max(length_of(Draw(replace(m, duration_s=expected.longest_s(m.duration_s)), 0)) for m in MEMBERS)
    assert all(abs(sums[kind] - 4_000) <= longest / 2 + 1e-6 for kind in ("asr", "text"))


def test_the_longest_variant_of_a_take_fits_into_a_row() -> None:
    longest = max(length_of(Draw(replace(m, duration_s=3 * m.duration_s), 0)) for m in MEMBERS)
    variants = Variants(3, at_most=Lengthening(3.0))
    config = MixtureConfig(asr=1.0, interleaved=0.0)

    assert list(mixer(config, variants=variants, context=longest).batches(0))
    with pytest.raises(TrainingError, match=rf"is a sequence of {longest} positions"):
        [mixer(config, variants=variants, context=longest - 1).plan(epoch) for epoch in range(6)]


@pytest.mark.parametrize("seed", range(6))
def test_texts_of_two_words_are_heard_in_one_variant_and_counted_where_they_are_not(seed: int) -> None:
    texts = [text_member("yes please"), text_member("no")]
    config = MixtureConfig(asr=0.0, interleaved=0.0, made_interleaved=1.0, choosing=Choosing("word"))
    sources = Sources(config, [], [], texts, {m.take_id: unheard(m.text) for m in texts})

    of = Mixer(sources, length_of, context=500, seed=seed, epochs=2)

    assert {draw.member.text for epoch in (0, 1) for draw in drawn(of, epoch)} == {"yes please"}
    assert "of 2 texts with nothing to hear before the end" in of.left_out()


def test_a_sequence_longer_than_a_row_is_named() -> None:
    with pytest.raises(TrainingError, match=r"take take-\d+ is a sequence of \d+ positions, and objective\.context"):
        list(mixer(context=20).batches(0))
    with pytest.raises(TrainingError, match=r"the text 'text number \d+ of a file' is a sequence of \d+ positions"):
        list(mixer(MixtureConfig(asr=0.0, interleaved=0.0, text=1.0), context=20).batches(0))


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"mixture\.text = 0\.2: there are no texts"):
        Mixer(sources_without_texts(), length_of, context=500, seed=0, epochs=1)


def test_what_is_not_interleaved_is_told() -> None:
    one_word = make_member(1)
    words = {one_word.take_id: words_of(one_word)[:1]}
    config = MixtureConfig(asr=0.9, interleaved=0.1)
    told = {member.take_id: words_of(member) for member in MEMBERS}
    sources = Sources(config, MEMBERS, MEMBERS, [], told | words, untimed=2)

    left_out = Mixer(sources, length_of, context=500, seed=0, epochs=1).left_out()

    assert left_out.startswith("not interleaved: 2 takes whose words were not found in them")
    assert f"of {len(MEMBERS)} takes with nothing to hear" in left_out


@pytest.mark.parametrize(
    ("settings", "blamed"),
    [
        ({"least_confidence": -0.1}, r"choosing\.least_confidence = -0\.1 has"),
        ({"confidence": 500.0}, r"choosing\.confidence = 500 has"),
        ({"least_confidence": -0.9, "confidence": 500.0}, r"units to hear, and choosing\.confidence = 500 has"),
        ({"least_confidence": -0.1, "confidence": 500.0}, r"least_confidence = -0\.1 and choosing\.confidence = 500"),
    ],
)
def test_what_has_all_units_read_is_named(settings: dict[str, float], blamed: str) -> None:
    words = {m.take_id: [replace(word, confidence=-0.5) for word in words_of(m)] for m in MEMBERS}
    config = MixtureConfig(choosing=Choosing("word", **settings))

    with pytest.raises(TrainingError, match=blamed):
        Mixer(Sources(config, MEMBERS, MEMBERS, [], words), length_of, context=500, seed=0, epochs=1)


def test_takes_of_one_word_have_no_two_units_whatever_is_asked() -> None:
    words = {m.take_id: [replace(words_of(m)[0], confidence=-0.5)] for m in MEMBERS}
    config = MixtureConfig(choosing=Choosing("word", least_confidence=-0.1))

    with pytest.raises(TrainingError, match=r"no take has word times and two units, one to hear and one to read$"):
        Mixer(Sources(config, MEMBERS, MEMBERS, [], words), length_of, context=500, seed=0, epochs=1)


@pytest.mark.parametrize(
    ("language", "granularity", "told"),
    [
        ("zh", "word", "; zh is written without spaces between words, so that a text is one unit"),
        ("en", "mixed", r'; choosing\.granularity = "word" makes more of them$'),
    ],
)
def test_why_texts_are_one_unit_is_told(language: str, granularity: Any, told: str) -> None:
    member = text_member("你好，今天天气很好。我们去散步吧。", language)
    config = MixtureConfig(asr=0.0, interleaved=0.0, made_interleaved=1.0, choosing=Choosing(granularity))
    sources = Sources(config, [], [], [member], {member.take_id: unheard(member.spoken)})

    with pytest.raises(TrainingError, match=told):
        Mixer(sources, length_of, context=500, seed=0, epochs=1)


def sources_without_texts() -> Sources:
    return Sources(CONFIG, MEMBERS, MEMBERS, [], {member.take_id: words_of(member) for member in MEMBERS})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"asr": 0.7}, "1 in all"),
        ({"asr": 1.5, "interleaved": -0.5}, "none below 0"),
        ({"tokens": 0}, r"mixture\.tokens"),
    ],
)
def test_mistakes_are_named(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixtureConfig(**settings)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10), st.integers(4_000, 20_000), st.integers(0, 3))
def test_releases_have_their_shares_of_what_is_transcribed(tenths: int, tokens: int, epoch: int) -> None:
    shares = {"few": tenths / 10, "many": 1 - tenths / 10}
    config = replace(CONFIG, tokens=tokens, asr_shares=shares)
    by_release = {"few": MEMBERS[:3], "many": MEMBERS[3:]}
    few = {member.take_id for member in by_release["few"]}
    words = {member.take_id: words_of(member) for member in MEMBERS}
    texts = [text_member(text) for text in TEXTS]
    of = Mixer(
        Sources(config, MEMBERS, MEMBERS, texts, words, by_release=by_release), length_of, context=500, seed=0, epochs=1
    )

    sizes: Counter[str] = Counter()
    for draw in drawn(of, epoch):
        if kind_of(draw) == "asr":
            sizes["few" if draw.member.take_id in few else "many"] += length_of(draw)

    longest = max(length_of(Draw(member, 0)) for member in MEMBERS)
    wanted = {name: share * config.asr * tokens for name, share in shares.items()}
    assert all(abs(sizes[name] - wanted[name]) <= longest / 2 + 1e-6 for name in shares)


def test_one_share_of_all_that_is_transcribed_draws_what_none_does() -> None:
    words = {member.take_id: words_of(member) for member in MEMBERS}
    texts = [text_member(text) for text in TEXTS]
    config = replace(CONFIG, asr_shares={"all": 1.0})
    of = Mixer(
        Sources(config, MEMBERS, MEMBERS, texts, words, by_release={"all": MEMBERS}),
        length_of, context=500, seed=0, epochs=3,
    )  # fmt: skip

    assert drawn(of, 1) == drawn(mixer(), 1)


def test_texts_stand_where_answers_do_if_they_are_asked_to() -> None:
    found = {config.text_as: [d for d in drawn(mixer(config)) if kind_of(d) == "text"] for config in (
        CONFIG, replace(CONFIG, text_as="answer"))}  # fmt: skip

    assert {part.of for draw in found["text"] for part in draw.parts or ()} == {"words"}
    assert {part.of for draw in found["answer"] for part in draw.parts or ()} == {"answers"}
    assert [draw.member for draw in found["text"]] == [draw.member for draw in found["answer"]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"asr_shares": {"a": 0.5}}, "asr_shares: expected shares by release, none below 0, and 1 in all"),
        ({"asr_shares": {"a": 1.0}, "asr_of": ("a",)}, "leave one of them out"),
    ],
)
def test_shares_of_releases_that_make_no_sense_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **wrong)
