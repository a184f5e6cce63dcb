import json
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from synthgen.spoken import SpokenConfig
from synthgen.text_checks import check

DOMAINS = ("bank", "haus", "arzt", "namen_und_zahlen")


def prompts(domain: str) -> list[dict[str, Any]]:
    content = files("synthgen").joinpath(f"recipes/prompts_de/{domain}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_has_fifteen_german_prompts_a_fifth_of_them_for_tests(domain: str) -> None:
    rows = prompts(domain)

    assert Counter(row["split"] for row in rows) == {"train": 12, "test": 3}
    assert {(row["domain"], row["language"]) for row in rows} == {(domain, "de")}
    assert all(value in row["text"] for row in rows for value in row["slots"].values())


def test_every_prompt_can_be_cast_and_nearly_half_of_them_need_a_spoken_form() -> None:
    spoken = SpokenConfig().build()
    said = {row["text"]: spoken(row["text"], "de") for domain in DOMAINS for row in prompts(domain)}

    assert len(said) == 60
    assert [text for text, words in said.items() if check(text, words, "de")] == []
    assert sum(text != words for text, words in said.items()) >= 25
