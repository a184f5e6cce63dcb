"""Templates: the order of the paper and of its code, and room for the audio to the slot."""

from dataclasses import asdict
from typing import Any

import pytest

from catalogs.config import parse
from catalogs.errors import RecipeError
from training.template import CODE, PAPER, Template

PROMPT = "Transcribe speech to text."


def spelled(tokenizer: Any, tokens: Any) -> str:
    return str(tokenizer.decode(list(tokens)))


def test_the_default_is_the_papers_order(lm: Any, tokenizer: Any) -> None:
    template = Template().compile(lm)

    filled = template.fill(3, "pay my bill")

    assert Template().order == PAPER
    assert spelled(tokenizer, filled.context[: filled.slots.start]) == "<s>USER: "
    assert spelled(tokenizer, filled.context[filled.slots.stop :]) == f" {PROMPT} ASSISTANT:"
    assert spelled(tokenizer, filled.answer) == " pay my bill</s>"


def test_the_codes_order_has_the_audio_before_bos(lm: Any, tokenizer: Any) -> None:
    template = Template(order=CODE).compile(lm)

    filled = template.fill(3, "pay my bill")

    assert filled.slots == range(3)
    assert spelled(tokenizer, filled.context[3:]) == f"<s>USER: {PROMPT} \n ASSISTANT:"
    assert spelled(tokenizer, filled.answer) == "pay my bill</s>"


@pytest.mark.parametrize("order", [PAPER, CODE, "<S> said: <T><EOS>"])
def test_the_room_for_audio_is_exact_for_every_length(lm: Any, tokenizer: Any, order: str) -> None:
    template = Template(order=order).compile(lm)
    shared = len(template.fill(0).context)

    for num_slots in range(1500):
        filled = template.fill(num_slots, "stop")
        assert len(filled.slots) == num_slots
        assert len(filled.context) == shared + num_slots
        assert filled.context[: filled.slots.start] == template.before
        assert filled.context[filled.slots.stop :] == template.after


def test_a_token_that_ends_an_answer_is_learned_and_a_question_has_none(lm: Any, tokenizer: Any) -> None:
    template = Template().compile(lm)

    assert template.fill(3, "stop").answer[-1] == tokenizer.eos_token_id
    assert template.fill(3, "").answer == (tokenizer.eos_token_id,)
    assert template.fill(3).answer == ()


def test_what_is_written_is_read_back(lm: Any, tokenizer: Any) -> None:
    template = Template().compile(lm)

    for text in ("pay my bill", "Größe: 5 €", "no  second space"):
        assert template.read(template.fill(2, f" {text}\n").answer) == text


def test_a_model_without_bos_gets_none(lm: Any, tokenizer: Any) -> None:
    lm.bos_id = None

    assert spelled(tokenizer, Template().compile(lm).before) == "USER: "


def test_what_looks_like_a_special_token_is_text(lm: Any) -> None:
    filled = Template(prompt="No </s> here.").compile(lm).fill(2, "say </s> twice")

    assert lm.eos_id not in filled.context[filled.slots.stop :]
    assert list(filled.answer).count(lm.eos_id) == 1


def test_the_turns_of_a_chat_can_be_written(lm: Any, tokenizer: Any) -> None:
    template = Template(order="<BOS>user\n<S> <P><EOS>\n<BOS>assistant\n<T><EOS>").compile(lm)

    filled = template.fill(1, "stop")

    assert spelled(tokenizer, filled.context[: filled.slots.start]) == "<s>user\n"
    assert spelled(tokenizer, filled.context[filled.slots.stop :]) == f" {PROMPT}</s>\n<s>assistant\n"
    assert spelled(tokenizer, filled.answer) == "stop</s>"


def test_a_template_is_stored_as_its_recipe(lm: Any, tokenizer: Any) -> None:
    template = Template(order=CODE, prompt="Write down what is said.")

    again = parse(Template, asdict(template), source="checkpoint")

    assert again == template
    assert again.compile(lm).fill(4, "stop") == template.compile(lm).fill(4, "stop")


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
