"""Templates: the order of the paper and of its code, and room for the audio to the slot."""

from dataclasses import asdict
from typing import Any

import pytest

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training.template import CODE, PAPER, Template

PROMPT = "Transcribe speech to text."


def spelled(tokenizer: Any, tokens: Any) -> str:
    return str(tokenizer.decode(list(tokens)))


def test_the_default_is_the_papers_order(tokenizer: Any) -> None:
    template = Template().compile(tokenizer)

    filled = template.fill(3, "pay my bill")

    assert Template().order == PAPER
    assert spelled(tokenizer, filled.context[: filled.slots.start]) == "<s>USER: "
    assert spelled(tokenizer, filled.context[filled.slots.stop :]) == f" {PROMPT} ASSISTANT:"
    assert spelled(tokenizer, filled.answer) == " pay my bill</s>"


def test_the_codes_order_has_the_audio_before_bos(tokenizer: Any) -> None:
    template = Template(order=CODE).compile(tokenizer)

    filled = template.fill(3, "pay my bill")

    assert filled.slots == range(3)
    assert spelled(tokenizer, filled.context[3:]) == f"<s>USER: {PROMPT} \n ASSISTANT:"
    assert spelled(tokenizer, filled.answer) == "pay my bill</s>"


@pytest.mark.parametrize("order", [PAPER, CODE, "<S> said: <T><EOS>"])
def test_the_room_for_audio_is_exact_for_every_length(tokenizer: Any, order: str) -> None:
    template = Template(order=order).compile(tokenizer)
    shared = len(template.fill(0).context)

    for num_slots in range(1500):
        filled = template.fill(num_slots, "stop")
        assert len(filled.slots) == num_slots
        assert len(filled.context) == shared + num_slots
        assert filled.context[: filled.slots.start] == template.before
        assert filled.context[filled.slots.stop :] == template.after


def test_a_token_that_ends_an_answer_is_learned_and_a_question_has_none(tokenizer: Any) -> None:
    template = Template().compile(tokenizer)

    assert template.fill(3, "stop").answer[-1] == tokenizer.eos_token_id
    assert template.fill(3, "").answer == (tokenizer.eos_token_id,)
    assert template.fill(3).answer == ()


def test_what_is_written_is_read_back(tokenizer: Any) -> None:
    template = Template().compile(tokenizer)

    for text in ("pay my bill", "Größe: 5 €", "no  second space"):
        assert template.read(template.fill(2, f" {text}\n").answer) == text


def test_a_tokenizer_without_bos_gets_none_and_one_without_eos_is_refused(tokenizer: Any) -> None:
    class Bare:
        bos_token_id = None
        eos_token_id: int | None = 1
        encode = tokenizer.encode

    without_bos = Bare()
    assert spelled(tokenizer, Template().compile(without_bos).before) == "USER: "

    without_bos.eos_token_id = None
    with pytest.raises(TrainingError, match="no EOS"):
        Template().compile(without_bos)


def test_a_template_is_stored_as_its_recipe(tokenizer: Any) -> None:
    template = Template(order=CODE, prompt="Write down what is said.")

    again = parse(Template, asdict(template), source="checkpoint")

    assert again == template
    assert again.compile(tokenizer).fill(4, "stop") == template.compile(tokenizer).fill(4, "stop")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"order": "USER: <P> ASSISTANT: <T><EOS>"}, "needs <S>"),
        ({"order": "<S><S><T><EOS>"}, "needs <S>"),
        ({"order": "<T><EOS><S>"}, "must end with <T><EOS>"),
        ({"order": "<S><T>"}, "must end with <T><EOS>"),
        ({"prompt": "Say <T>"}, "must not contain"),
    ],
)
def test_mistakes_in_a_template_are_named(table: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(Template, table, source="recipe")
