"""A rule of spoken form: what it finds, and how that is said."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

Say: TypeAlias = Callable[[re.Match[str]], str | None]
"""Words for a match, or None where the match is something else after all and stays as it is."""

NUMBER = r"(?<!\d)(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)(?:\.\d++)?+"
"""A number as English writes it: 7, 1,200, 3.25; taken whole or not at all, so that long digits cost little."""

WORD_START = r"(?<![\w.])"
"""Neither inside a word nor behind a decimal point."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Say every match of a pattern in words, set apart from the letters and digits around it."""

    pattern: re.Pattern[str]
    say: Say

    def apply(self, text: str) -> str:
        """Return the text with every match said."""
        return self.pattern.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        words = self.say(match)
        if words is None:
            return match[0]
        before = match.string[match.start() - 1 : match.start()]
        after = match.string[match.end() : match.end() + 1]
        return f"{' ' if before.isalnum() else ''}{words}{' ' if after.isalnum() else ''}"


def rule(pattern: str, say: Say, *, flags: int = 0) -> Rule:
    """Make a rule from the source of its pattern."""
    return Rule(re.compile(pattern, flags), say)


def anyone_of(words: Iterable[str]) -> str:
    """Write an alternation in which a longer word wins over its beginning."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
