"""Merges and task vectors in words, for people."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from catalogs.ids import Id
from catalogs.records import TaskVector
from training.merging.angles import CosineRow, Registered
from training.merging.choosing import Choice, relative_wers
from training.merging.merge import Merged


def told_merge(found: Merged) -> str:
    """Where it is, what was added to what, how lambda was chosen, and what that has cost."""
    sources = ", ".join(found.sources)
    added = f"{found.scale:g} of the way from synthetic to real speech in {sources}"
    lines = [f"{found.folder}: the target + {added} ({found.operator})"]
    lines.append(f"norm of the vector {found.norm:.4g}, of the target {found.target_norm:.4g}")
    if found.choices:
        lines += told_choices(found.choices)
    for source, differences in found.unmatched.items():
        told = ", ".join(differences)
        lines.append(f"real and synthetic of {source} differ in more than who reads ({told}): train both alike")
    lines += [f"nobody can tell whether {source} is real less synthetic: {why}" for source, why in found.doubts.items()]
    if found.lost:
        lines.append(f"adapters of this rank lose {found.lost:.2%} of their norm; a greater `rank` loses less")
    return "\n".join(lines)


def told_choices(choices: Sequence[Choice]) -> Iterator[str]:
    """What lambda was chosen by, and in how many words that differs from one lambda to another."""
    yield "lambda, the WER over its mean, of all sources, each left out once, and how many of all words are wrong"
    for scale, wer in relative_wers(choices).items():
        at = [choice for choice in choices if choice.scale == scale]
        wrong = sum(round(choice.wer * choice.num_words) for choice in at)
        yield f"  {scale:<6g} {wer:.4f}   {wrong:,} of {sum(choice.num_words for choice in at):,}"


def told_vectors(found: Registered) -> str:
    """The vectors as a table, the cosines of all their parameters as another, and what cannot be computed."""
    if not found.vectors:
        return "no task vectors yet; `synthgen merge` keeps those that it is made of"
    names = _names(found.vectors)
    rows = [["vector", "method", "norm", "parameters", "steps", "voices"]]
    for row in found.vectors:
        steps = "-" if row.real_steps is None else f"{row.real_steps:,} real, {row.synthetic_steps:,} synthetic"
        voices = ", ".join(row.voices)
        rows.append([names[row.id], row.method, f"{row.norm:.4g}", f"{row.num_parameters:,}", steps, voices])
    lines = [*_table(rows), *_cosines([row for row in found.cosines if not row.part], names)]
    lines += [f"{names[row.id]} has no cosines: {found.gone[row.id]}" for row in found.vectors if row.id in found.gone]
    return "\n".join(lines)


def _names(vectors: Sequence[TaskVector]) -> dict[Id, str]:
    """What vectors are called, by their ids; those of one name with the beginning of theirs."""
    counts = Counter(row.name for row in vectors)
    return {row.id: row.name if counts[row.name] == 1 else f"{row.name} {row.id[:8]}" for row in vectors}


def _cosines(rows: Sequence[CosineRow], names: Mapping[Id, str]) -> Iterator[str]:
    there = list(dict.fromkeys(row.one_id for row in rows))
    if len(there) < 2:
        return
    by_pair = {(row.one_id, row.other_id): row.cosine for row in rows}
    yield "cosines, all parameters; --json has those of layers and kinds"
    table = [["", *(names[each] for each in there)]]
    for one in there:
        cells = [by_pair.get((one, other), by_pair.get((other, one))) for other in there]
        table.append([names[one], *("-" if cell is None else f"{cell:+.3f}" for cell in cells)])
    yield from _table(table)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
