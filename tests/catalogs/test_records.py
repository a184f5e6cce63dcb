from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from catalogs.records import Line, Prompt, Take, VoiceCard

CARD: dict[str, Any] = {
    "engine": "tone", "speaker": "anna", "language": "en", "sample_rate_hz": 16_000, "checkpoint_sha256": "ab",
    "licence": "CC0-1.0", "consent": "given", "temperature": "spread", "tokens": None, "threads": 1,
    "batch_exact": True, "config": "{}",
}  # fmt: skip
LINE: dict[str, Any] = {
    "prompt_id": "p", "voice_id": "v", "text": "hello", "normaliser": "spoken/1", "style": "bert", "timbre": "carl",
    "temperature": 0.5, "seed": 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "piper"),
        ("speaker", "bert"),
        ("language", "de"),
        ("sample_rate_hz", 24_000),
        ("checkpoint_sha256", "cd"),
        ("threads", 2),
        ("batch_exact", False),
        ("config", '{"noise":0.5}'),
    ],
)
def test_whatever_may_change_the_samples_makes_another_voice(field: str, value: Any) -> None:
    changed = VoiceCard.new(**CARD | {field: value})

    assert changed.id != VoiceCard.new(**CARD).id


@pytest.mark.parametrize(
    ("field", "value"), [("licence", "MIT"), ("consent", "withdrawn"), ("temperature", "another word"), ("tokens", "x")]
)
def test_what_is_only_said_of_a_voice_does_not_make_another_voice(field: str, value: Any) -> None:
    changed = VoiceCard.new(**CARD | {field: value})

    assert changed.id == VoiceCard.new(**CARD).id
    assert getattr(changed, field) == value


def test_a_voice_is_called_by_its_engine_and_its_speaker() -> None:
    assert VoiceCard.new(**CARD).name == "tone/anna"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("voice_id", "w"),
        ("text", "hello there"),
        ("normaliser", "spoken/2"),
        ("style", None),
        ("timbre", None),
        ("temperature", 0.6),
        ("seed", 8),
    ],
)
def test_whatever_may_change_the_samples_makes_another_line(field: str, value: Any) -> None:
    changed = Line.new(**LINE | {field: value})

    assert changed.id != Line.new(**LINE).id


def test_prompts_that_are_spoken_alike_by_a_voice_share_a_line() -> None:
    two = Line.new(**LINE | {"prompt_id": "2 pm"})
    words = Line.new(**LINE | {"prompt_id": "two p m"})

    assert two.id == words.id


def test_the_batch_a_line_is_read_in_is_not_part_of_its_id() -> None:
    line = Line.new(**LINE)

    batched = replace(line, batch_id="b")

    assert line.batch_id is None
    assert batched.id == line.id


def test_style_and_timbre_are_not_mistaken_for_each_other() -> None:
    styled = Line.new(**LINE | {"style": "bert", "timbre": None})
    timbred = Line.new(**LINE | {"style": None, "timbre": "bert"})

    assert styled.id != timbred.id


def test_the_same_text_in_another_language_is_another_prompt() -> None:
    assert Prompt.id_of("die", "en") != Prompt.id_of("die", "de")


def test_a_line_has_one_take_and_a_text_many_recordings() -> None:
    take = Take.id_of_line("l")
    first = Take.id_of_recording("p", "v", "sha-1")
    second = Take.id_of_recording("p", "v", "sha-2")

    assert take == Take.id_of_line("l")
    assert len({take, first, second}) == 3


@pytest.mark.parametrize("record", [Line.new(**LINE), VoiceCard.new(**CARD)])
def test_records_cannot_be_changed(record: Any) -> None:
    name = fields(record)[0].name

    with pytest.raises(FrozenInstanceError):
        setattr(record, name, "another")
