"""Orders of coffee, made up from a menu: what a café's developers would write down before anybody has spoken.

The menu is that of the real orders (Picovoice's speech-to-intent benchmark), the sentences are ours. Slots are noted as
they are said.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

OPENINGS = (
    "can i get", "can i have", "may i have", "could i have", "could i get", "i'd like", "i would like", "i want",
    "i'll have", "i'll take", "give me", "get me", "make me", "brew", "let me have", "please make", "hi i'd like",
)  # fmt: skip
DRINKS = (
    "coffee", "iced coffee", "drip coffee", "house coffee", "mocha", "iced mocha", "americano", "cappuccino", "latte",
    "espresso",
)  # fmt: skip
SIZES = ("small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce")
SHOTS = ("single shot", "double shot", "triple shot")
ROASTS = ("light roast", "medium roast", "dark roast")
AMOUNTS = ("", "some", "a bit of", "a little bit of", "a lot of", "lots of")
MILKS = ("milk", "whole milk", "skim milk", "soy milk", "almond milk", "cream")
SUGARS = ("sugar", "brown sugar", "sweetener")

_SAID = 0.45
"""How often a part that may be left out is said."""


def orders(number: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """That many different orders: ``text``, and its ``slots`` by name."""
    rng = np.random.default_rng(seed)
    seen: set[str] = set()
    while len(seen) < number:
        order = _order(rng)
        if order["text"] not in seen:
            seen.add(order["text"])
            yield order


def _order(rng: np.random.Generator) -> dict[str, Any]:
    slots = {
        name: str(rng.choice(values))
        for name, values in (("size", SIZES), ("numberOfShots", SHOTS), ("roast", ROASTS))
        if rng.random() < _SAID
    }
    before = [slots[name] for name in rng.permutation(sorted(slots))]
    slots["coffeeDrink"] = str(rng.choice(DRINKS))
    named = [*before, slots["coffeeDrink"]]
    article = "an" if named[0][0] in "aei" else "a"
    words = [str(rng.choice(OPENINGS)), article, *named]
    added = []
    for name, values in (("milkAmount", MILKS), ("sugarAmount", SUGARS)):
        if rng.random() < _SAID:
            slots[name] = " ".join(filter(None, (str(rng.choice(AMOUNTS)), str(rng.choice(values)))))
            added.append(slots[name])
    if added:
        words += ["with", " and ".join(added[number] for number in rng.permutation(len(added)))]
    if rng.random() < 0.1:
        words.append("please")
    return {"text": " ".join(words), "slots": slots, "domain": "orders"}
