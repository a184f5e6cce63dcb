"""Numbers in German and Dutch text, written one way: "einundzwanzig" is "21", "12,50 €" is "12 euro 50".

Both languages build number words alike, units before tens in one long word, so that one grammar with two vocabularies
reads them. Ranks are numbers too ("dritten" and "3." are "3"); the article "ein", "een" is none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import pairwise

_DATE = re.compile(r"\b(0?[1-9]|[12]\d|3[01])\.\s?(0?[1-9]|1[0-2])\.(?:\s?(\d{4})\b)?(?!\d)")
_GROUPED = re.compile(
    r"(?<![\d.,])\d{1,3}(?:\.\d{3})+(?![\d.]*\d)"
    r"|(?<![\d'’])\d{1,3}(?:['’\u202f\xa0]\d{3})+(?!\d)"
    r"|(?<![\d.,])\d{1,3}(?: 000)+(?!\d)"
)
_DECIMAL = re.compile(r"(?<![\d,])(\d+),(\d+)(?![\d,]*\d)")
_MARKS = re.compile(r"[^0-9]")
_MILLION = 10**6
_SCALES = (10**9, _MILLION)


@dataclass(frozen=True, slots=True, eq=False)
class Numerals:
    """The number words of a language, folded, and the signs and words that stand beside numbers.

    ``small`` is 0 to 19 and ``tens`` 20 to 90; ``one`` is how 1 begins a compound, and ``joiner`` stands between units
    and tens. ``scales`` are one and many, of a milliard and of a million. A rank is a cardinal with one of
    ``rank_endings``, or one of the irregular ``ranks``, and then an ``inflection``. ``folded`` are letters that have
    two spellings, the second without a difference in sound.
    """

    small: tuple[str, ...]
    tens: tuple[str, ...]
    one: str
    articles: tuple[str, ...]
    joiner: str
    hundred: str
    thousand: str
    scales: tuple[tuple[str, str], tuple[str, str]]
    ranks: Mapping[str, str]
    rank_endings: tuple[str, ...]
    inflection: re.Pattern[str]
    months: tuple[str, ...]
    clock: str
    folded: Mapping[str, str]
    signs: Mapping[str, str]

    def signs_to_words(self, text: str) -> str:
        """Write what needs its punctuation in words: dates, times, sums, decimals and signs; any case."""
        text = _DATE.sub(self._date, text)
        text = _GROUPED.sub(lambda match: _MARKS.sub("", match[0]), text)
        text = re.sub(rf"\b(\d{{1,2}})[:.](\d\d)\s?{self.clock}\b", self._time, text, flags=re.I)
        text = re.sub(r"(?<![\d:.,])(\d{1,2}):([0-5]\d)(?![\d:])", self._time, text)
        text = re.sub(r"(?:€|\bEUR\b)\s?(\d+(?:,\d+)?)", r"\1 euro", text)
        text = re.sub(r"\b(\d+),(\d\d|-)\s?(?:€|euro?\b)", self._sum, text, flags=re.I)
        text = re.sub(r"(?<=\d)\s?(?:€|EUR\b)", " euro", text)
        for sign, word in self.signs.items():
            text = text.replace(sign, f" {word} ")
        return _DECIMAL.sub(r"\1 komma \2", text)

    def words_to_digits(self, words: Sequence[str]) -> str:
        """Write number words as digits; the words are in small letters, without punctuation."""
        plain = [reduce(lambda word, pair: word.replace(*pair), self.folded.items(), word) for word in words]
        text = " ".join(self._beside(list(self._joined(plain))))
        text = re.sub(r"\b(\d+ euro) (?:(?:und|en) )?(\d{1,2}) cent\b", r"\1 \2", text)
        text = re.sub(r"\b0 euro (\d{1,2})\b", r"\1 cent", text)
        text = re.sub(r"(?<=\bkomma )\d(?: \d\b)+", lambda match: match[0].replace(" ", ""), text)
        return re.sub(r"\b[1-9]\d{6,11}\b", self._scaled, text)

    def value_of(self, word: str) -> int | None:
        """The number below a million that a word stands for, as a count or as a rank; None if it is no number."""
        if word in self.articles:
            return None
        counts = (_count(self, cardinal) for cardinal in (word, *self._cardinals_of(word)))
        return next((count for count in counts if count is not None), None)

    def _cardinals_of(self, rank: str) -> Iterator[str]:
        """What may be the count a rank is made of: "drei" of "dritten"."""
        inflected = self.inflection.search(rank)
        stem = rank[: inflected.start()] if inflected else ""
        for irregular, cardinal in self.ranks.items():
            if stem.endswith(irregular):
                yield stem.removesuffix(irregular) + cardinal
        for ending in self.rank_endings:
            if stem.endswith(ending):
                yield stem.removesuffix(ending)

    def _joined(self, words: Sequence[str]) -> Iterator[str]:
        """The words with their numbers as digits; "zweitausend vierundzwanzig" is one number."""
        number: int | None = None
        for previous, word in pairwise(["", *words]):
            value = self.value_of(word)
            goes_on = number is not None and previous.endswith((self.hundred, self.thousand))
            if number is not None and value is not None and goes_on and value < _room(number):
                number += value
                continue
            if number is not None:
                yield str(number)
            number = value
            if value is None:
                yield word
        if number is not None:
            yield str(number)

    def _beside(self, words: list[str]) -> Iterator[str]:
        """The words; an article before a unit or a scale is the number one."""
        units = {"euro", "cent", "komma", self.clock, *self.signs.values(), *(one for one, _ in self.scales)}
        for word, following in pairwise([*words, ""]):
            yield "1" if word in self.articles and following in units else word

    def _date(self, match: re.Match[str]) -> str:
        return f"{int(match[1])} {self.months[int(match[2]) - 1]} {match[3] or ''}"

    def _time(self, match: re.Match[str]) -> str:
        minutes = int(match[2])
        return f"{int(match[1])} {self.clock}{f' {minutes}' if minutes else ''}"

    def _sum(self, match: re.Match[str]) -> str:
        parts = 0 if match[2] == "-" else int(match[2])
        return f"{match[1]} euro{f' {parts}' if parts else ''}"

    def _scaled(self, match: re.Match[str]) -> str:
        """Millions as they are said: 2300000 is "2 millionen 300000"."""
        rest, said = int(match[0]), []
        for size, (one, many) in zip(_SCALES, self.scales, strict=True):
            count, rest = divmod(rest, size)
            said += [str(count), one if count == 1 else many] if count else []
        return " ".join([*said, *([str(rest)] if rest else [])])


@cache
def _counts(numerals: Numerals) -> dict[str, int]:
    """Every way to write 0 to 1,999 without thousands: hundreds may be counted to nineteen."""
    below = dict(zip(numerals.small, range(20), strict=True)) | {numerals.one: 1}
    units = [numerals.one, *numerals.small[2:10]]
    for tens, name in zip(range(20, 100, 10), numerals.tens, strict=True):
        below[name] = tens
        for unit, word in enumerate(units, start=1):
            below[f"{word}{numerals.joiner}{name}"] = tens + unit
            below[f"{word}ën{name}"] = tens + unit  # Dutch: tweeëntwintig
    found = dict(below)
    for count, word in [(1, ""), *((count, word) for word, count in below.items() if 0 < count < 20)]:
        for rest, value in [("", 0), *((rest, value) for rest, value in below.items() if value)]:
            for link in ("", numerals.joiner) if rest else ("",):
                found[f"{word}{numerals.hundred}{link}{rest}"] = 100 * count + value
    return found


def _count(numerals: Numerals, word: str) -> int | None:
    counts = _counts(numerals)
    before, thousand, after = word.partition(numerals.thousand)
    if not thousand:
        return counts.get(word)
    thousands = counts.get(before) if before else 1
    rest = counts.get(after, counts.get(after.removeprefix(numerals.joiner))) if after else 0
    return None if not thousands or rest is None or max(thousands, rest) > 999 else 1000 * thousands + rest


def _room(number: int) -> int:
    """What a number that goes on with another word can still take in: after thousands 999, after hundreds 99."""
    if number == 0 or number % 100:
        return 0
    return 100 if number % 1000 else 1000


GERMAN = Numerals(
    small=(
        *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
        *("elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"),
    ),
    tens=("zwanzig", "dreissig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"),
    one="ein",
    articles=("ein", "eine", "einen", "einer", "einem"),
    joiner="und",
    hundred="hundert",
    thousand="tausend",
    scales=(("milliarde", "milliarden"), ("million", "millionen")),
    ranks={"erst": "eins", "dritt": "drei", "siebt": "sieben", "acht": "acht"},
    rank_endings=("st", "t"),
    inflection=re.compile("e[nrsm]?$"),
    months=(
        *("januar", "februar", "märz", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "dezember"),
    ),
    clock="uhr",
    folded={"ß": "ss"},
    signs={"%": "prozent", "°C": "grad celsius", "°": "grad", "&": "und", "§": "paragraf"},
)
DUTCH = Numerals(
    small=(
        *("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien"),
        *("elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien"),
    ),
    tens=("twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig"),
    one="een",
    articles=("een",),
    joiner="en",
    hundred="honderd",
    thousand="duizend",
    scales=(("miljard", "miljard"), ("miljoen", "miljoen")),
    ranks={"eerst": "een", "derd": "drie"},
    rank_endings=("st", "d"),
    inflection=re.compile("e$"),
    months=(
        *("januari", "februari", "maart", "april", "mei", "juni"),
        *("juli", "augustus", "september", "oktober", "november", "december"),
    ),
    clock="uur",
    folded={"éé": "ee"},
    signs={"%": "procent", "°C": "graden celsius", "°": "graden", "&": "en"},
)
NUMERALS = {"de": GERMAN, "nl": DUTCH}
