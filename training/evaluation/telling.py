"""An evaluation in words, for people."""

from collections.abc import Iterator

from catalogs.intervals import FEWEST
from training.evaluation.comparing import Comparison
from training.evaluation.figures import MEASURES, Subset
from training.evaluation.hallucinations import Hallucinations
from training.evaluation.questions import Answered
from training.evaluation.report import Report, System
from training.evaluation.segments import ENOUGH
from training.evaluation.understanding import LABEL_MEASURES

_OF_SLICES = (
    *("wer", "insertions", "deletions", "slot_recall", "entity_recall", "slot_error", "entity_error"),
    *("intent_accuracy", "slot_f1"),
)
_SIGNIFICANT = 0.05
_SHOWN = 200


def told(report: Report) -> str:
    """All of a report, its slices as a table."""
    of_split = f", split {report.split}" if report.split else ""
    lines = [f"{report.release}{of_split}: {report.num_takes:,} takes"]
    if report.left_out:
        lines.append(f"left out: {report.left_out:,} takes that share a take, a speaker or a text with training")
    for system in report.systems:
        lines += ["", *_of_system(system)]
    if report.comparison:
        lines += ["", *_of_comparison(report.comparison, *(system.name for system in report.systems))]
    return "\n".join(lines)


def told_answers(found: Answered) -> str:
    """Answers to questions, from speech and from text."""
    lines = [f"{found.num_readings:,} readings of questions; {_over(found.num_questions, 'questions')}"]
    if found.num_unread:
        lines.append(f"not asked, since no take reads them: {found.num_unread:,} of the file's questions")
    for name, each in (("speech", found.speech), ("text", found.text), ("gap", found.gap)):
        lines.append(f"  {name:<8} {each.value:+.4f}  {_interval(each.low, each.high)}".rstrip())
    beyond = "text is above it" if found.is_above_chance else "text is not above it, so the gap says nothing"
    return "\n".join([*lines, f"  chance   {found.chance:+.4f}; {beyond}"])


def told_hallucinations(found: Hallucinations) -> str:
    """What was heard where nobody speaks, by kind of sound as a table, and the worst of it."""
    lines = [f"{found.recogniser} on sound in which nobody speaks, decoding {found.decoding}"]
    lines += [f"not heard, and in no figure: {each.subject_id}: {each.message}" for each in found.failures]
    lines.append("share of sounds with a word, share that repeats itself, words per second of sound; 95 % intervals")
    rows = [["kind", "sounds", "seconds", "with words", "looping", "words/s"]]
    for row in found.kinds:
        cells = [f"{f.value:.4f} {_interval(f.low, f.high)}" for f in (row.with_words, row.looping, row.words_per_s)]
        rows.append([row.kind, f"{row.num_sounds:,}", f"{row.seconds:,.0f}", *cells])
    lines += _columns(rows)
    if found.worst:
        lines.append("the worst:")
    for each in found.worst:
        shown = each.text if len(each.text) <= _SHOWN else f"{each.text[:_SHOWN]}…"
        lines.append(f"  {each.sound} ({each.seconds:.1f} s): {shown}")
    return "\n".join(lines)


def _of_system(system: System) -> Iterator[str]:
    yield f"{system.name}, decoding {system.decoding}"
    if not system.is_guarded:
        yield "what it was trained on is not known here: no leak can be ruled out"
    if system.failures:
        first = system.failures[0]
        yield f"not heard, and in no figure: {len(system.failures):,} takes, {first.subject_id} first: {first.message}"
    if not system.subsets:
        return
    every, *slices = system.subsets
    yield f"{every.num_utterances:,} utterances, {every.num_words:,} words; {_intervals(every)}"
    meanings = {measure.name: measure.meaning for measure in (*MEASURES, *LABEL_MEASURES)}
    for figure in every.figures:
        none = "" if every.num_groups < FEWEST else f"too few {every.unit}, or all alike"
        within = _interval(figure.low, figure.high) or none
        yield f"  {figure.name:<15} {figure.value:.4f}  {within:<16}  {meanings[figure.name]}"
    if slices:
        yield from _table(slices)


def _intervals(subset: Subset) -> str:
    alone = "" if subset.unit == "speakers" else ", as there is one speaker only"
    return f"{_over(subset.num_groups, subset.unit)}{alone}"


def _over(number: int, unit: str) -> str:
    if number < FEWEST:
        return f"too few {unit} ({number:,}) for an interval, which takes {FEWEST}"
    return f"95 % intervals over {number:,} {unit}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"


def _table(slices: list[Subset]) -> Iterator[str]:
    shown = [name for name in _OF_SLICES if any(figure.name == name for subset in slices for figure in subset.figures)]
    rows = [["slice", "utterances", "words", "over", *shown]]
    for subset in slices:
        by_name = {figure.name: figure for figure in subset.figures}
        found = (by_name.get(name) for name in shown)
        cells = [f"{f.value:.4f} {_interval(f.low, f.high)}".rstrip() if f else "-" for f in found]
        over = f"{subset.num_groups:,} {subset.unit}"
        rows.append([subset.name, f"{subset.num_utterances:,}", f"{subset.num_words:,}", over, *cells])
    yield from _columns(rows)


def _columns(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _of_comparison(found: Comparison, first: str, second: str) -> Iterator[str]:
    yield f"{first} against {second}, on {found.num_utterances:,} utterances; {_over(found.num_groups, found.unit)}"
    if (least := 2.0 ** (1 - found.num_groups)) > _SIGNIFICANT:
        yield f"  no p can be less than {least:.4g}: both exchange what they have heard of so few {found.unit}"
    for each in found.contrasts:
        p = "no p" if each.p is None else f"p = {each.p:.4f}"
        less = f"{each.difference.value:+.4f}  {_interval(each.difference.low, each.difference.high)}"
        yield f"  {each.name:<15} {each.first:.4f} and {each.second:.4f}, difference {less}  {p}"
    pairs = found.matched_pairs
    few = "; too few segments for a normal approximation" if pairs.num_segments < ENOUGH else ""
    if pairs.z is None or pairs.p is None:
        yield f"  matched pairs   {pairs.num_segments:,} segments, which all differ alike: no test"
    else:
        yield f"  matched pairs   z = {pairs.z:+.2f}, p = {pairs.p:.4f}, over {pairs.num_segments:,} segments{few}"
