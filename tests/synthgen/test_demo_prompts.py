import json
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from synthgen.spoken import SpokenConfig
from synthgen.text_checks import check

DOMAINS = ("banking", "medical_dictation", "smart_home", "names_and_numbers")


def prompts(domain: str) -> list[dict[str, Any]]:
    content = files("synthgen").joinpath(f"recipes/prompts/{domain}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_has_twenty_prompts_a_quarter_of_them_for_tests(domain: str) -> None:
    rows = prompts(domain)

    assert Counter(row["split"] for row in rows) == {"train": 15, "test": 5}
    assert {row["domain"] for row in rows} == {domain}


@pytest.mark.parametrize("domain", DOMAINS)
def test_prompts_are_labelled_sentences_whose_slots_occur_in_the_text(domain: str) -> None:
    for row in prompts(domain):
        assert set(row) == {"text", "domain", "intent", "slots", "split"}
        assert row["intent"].replace("_", "").isalpha()
        assert 3 <= len(row["text"].split()) <= 20
        assert row["text"][-1] in ".?"
        assert all(value.lower() in row["text"].lower() for value in row["slots"].values())


def test_no_text_occurs_twice() -> None:
    texts = [row["text"].lower() for domain in DOMAINS for row in prompts(domain)]

    assert len(texts) == len(set(texts)) == 80


def test_every_prompt_can_be_cast_and_half_of_them_need_a_spoken_form() -> None:
    spoken = SpokenConfig().build()
    said = {row["text"]: spoken(row["text"], "en") for domain in DOMAINS for row in prompts(domain)}

    assert [text for text, words in said.items() if check(text, words, "en")] == []
    assert sum(text != words for text, words in said.items()) >= 40
