"""The experiment as Markdown: errors on real orders and on biomedical sentences, answers, and what it has cost.

Errors are means over the seeds of a row; their intervals draw speakers again, the same for the rows that are compared.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from benchmarks.errors import Errors, Values, errors_of, misspelt_of, on_common_takes, told
from benchmarks.figures import mean_reduction, wer
from benchmarks.jstip.data import SPOKEN
from benchmarks.jstip.gaps import change
from benchmarks.jstip.measuring import Measured
from benchmarks.jstip.trainings import BASE, ROWS
from training.evaluation.questions import Answered
from training.evaluation.resampling import Interval

START = "the start"
_ONE: Mapping[Values, str] = {"slots": "slot", "entities": "entity"}
CLAIM = "A gap between speech and text is claimed only where answers to text are above chance."


def report(asr: Path, work: Path, found: Mapping[str, Sequence[Measured]]) -> str:
    """All of it; ``found`` has the seeds of each row, and the start as `START`."""
    orders = {name: [each.orders for each in of_row] for name, of_row in found.items()}
    spoken = {name: [each.biomedical for each in of_row] for name, of_row in found.items()}
    parts = [
        *_errors("Real orders", asr / "test", orders, of="slots"),
        "",
        *_errors("Biomedical sentences, synthetic test speech", work / SPOKEN, spoken, of="entities"),
        "",
        *_costs({name: of_row for name, of_row in found.items() if of_row}),
    ]
    return "\n".join(parts)


def table(
    words: Mapping[str, Errors], values: Mapping[str, Errors], misspelt: Mapping[str, Errors], *, of: Values
) -> list[str]:
    """WER and values that were lost of each row, and how much less of them than by the base.

    Missed are those whose words were not heard, both sides normalised; an error is one that is not written as the
    reference writes it, with nothing normalised: case, marks and spelling count.
    """
    fewer = f"less than by {BASE}"
    lines = [f"| | WER | {of} missed | {fewer} | {_ONE[of]} error | {fewer} |", "|---|---:|---:|---:|---:|---:|"]
    for name in values:
        cells = [told(wer(words[name]), ".1%")]
        for errors in (values, misspelt):
            is_compared = name not in (BASE, START) and BASE in errors
            less = told(mean_reduction([(errors[name], errors[BASE])]), "+.1%") if is_compared else ""
            cells += [told(wer(errors[name]), ".1%"), less]
        lines.append(f"| {_label(name)} | {' | '.join(cells)} |")
    return lines


def answers(found: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Shares of questions answered right, and the perplexity of texts held out, of each row.

    The change of a gap is that of a row's gap from the base's, paired by questions: above 0, speech has come nearer.
    """
    lines = [
        f"| | seeds | right, spoken | right, read | spoken less read | its change from {BASE} | perplexity |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    of_base = [measured.answered for measured in found.get(BASE, ())]
    for name, of_row in found.items():
        each = [measured.answered for measured in of_row]
        is_claimed = all(answered.is_above_chance for answered in each)
        cells = (
            _over_seeds([answered.speech for answered in each], ".1%"),
            _over_seeds([answered.text for answered in each], ".1%"),
            _over_seeds([answered.gap for answered in each], "+.1%") if is_claimed else "not claimed",
            _change(each, of_base) if name != BASE and of_base else "",
            f"{mean(measured.perplexity.after for measured in of_row):.2f}",
        )
        lines.append(f"| {_label(name)} | {len(of_row)} | {' | '.join(cells)} |")
    return lines


def _errors(title: str, corpus: Path, ids: Mapping[str, Sequence[str]], *, of: Values) -> list[str]:
    words = on_common_takes({name: errors_of(corpus, of_row) for name, of_row in ids.items()})
    values = on_common_takes({name: errors_of(corpus, of_row, of=of) for name, of_row in ids.items()})
    misspelt = on_common_takes({name: misspelt_of(corpus, of_row, of=of) for name, of_row in ids.items()})
    first = next(iter(words.values()))
    speakers = len(set(first.speakers))
    heading = (
        f"{title}: {len(first.takes)} takes by {speakers} speakers; 95 % intervals over speakers. Missed is what was "
        f"not heard, normalised; {_ONE[of]} error, what is not written as the reference writes it."
    )
    return [heading, "", *table(words, values, misspelt, of=of)]


def _costs(found: Mapping[str, Sequence[Measured]]) -> list[str]:
    first = next(iter(found.values()))[0]
    asked, weighed = first.answered, first.perplexity
    heading = (
        f"{asked.num_questions} spoken questions, chance {asked.chance:.0%}; 95 % intervals over questions, or, with "
        f"several seeds, the least and the greatest. {CLAIM} Perplexity of {weighed.num_texts} texts held out: "
        f"{weighed.before:.2f} before any training."
    )
    return [heading, "", *answers(found)]


def _change(each: Sequence[Answered], of_base: Sequence[Answered]) -> str:
    found = change(each, of_base)
    return "not claimed" if found is None else told(found, "+.1%")


def _label(name: str) -> str:
    return ROWS[name].told if name in ROWS else name


def _over_seeds(figures: Sequence[Interval], form: str) -> str:
    """A figure with its interval; of several seeds the mean, the least and the greatest."""
    if len(figures) == 1:
        return told(figures[0], form)
    values = [figure.value for figure in figures]
    return told(Interval(mean(values), min(values), max(values)), form)
