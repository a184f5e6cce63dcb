"""Merges and task vectors in words, for people."""

from collections.abc import Iterator, Sequence

from training.merging.angles import CosineRow, Registered
from training.merging.choosing import relative_wers
from training.merging.merge import Merged


def told_merge(found: Merged) -> str:
    """Where it is, what was added to what, how lambda was chosen, and what that has cost."""
    sources = ", ".join(found.sources)
    added = f"{found.scale:g} of the way from synthetic to real speech in {sources}"
    lines = [f"{found.folder}: the target + {added} ({found.operator})"]
    lines.append(f"norm of the vector {found.norm:.4g}, of the target {found.target_norm:.4g}")
    if found.choices:
        lines.append("lambda, and the WER over its mean, of all sources, each of them left out once")
        lines += [f"  {scale:<6g} {wer:.4f}" for scale, wer in relative_wers(found.choices).items()]
    for source, differences in found.unmatched.items():
        told = ", ".join(differences)
        lines.append(f"real and synthetic of {source} differ in more than who reads ({told}): train both alike")
    lines += [f"nobody can tell whether {source} is real less synthetic: {why}" for source, why in found.doubts.items()]
    if found.lost:
        lines.append(f"adapters of this rank lose {found.lost:.2%} of their norm; a greater `rank` loses less")
    return "\n".join(lines)


def told_vectors(found: Registered) -> str:
    """The vectors as a table, the cosines of all their parameters as another, and what cannot be computed."""
    if not found.vectors:
        return "no task vectors yet; `synthgen merge` keeps those that it is made of"
    rows = [["vector", "method", "norm", "parameters", "steps", "voices"]]
    for row in found.vectors:
        steps = "-" if row.real_steps is None else f"{row.real_steps:,} real, {row.synthetic_steps:,} synthetic"
        voices = ", ".join(row.voices)
        rows.append([row.name, row.method, f"{row.norm:.4g}", f"{row.num_parameters:,}", steps, voices])
    lines = [*_table(rows), *_cosines([row for row in found.cosines if not row.part])]
    lines += [f"{row.name} has no cosines: {found.gone[row.id]}" for row in found.vectors if row.id in found.gone]
    return "\n".join(lines)


def _cosines(rows: Sequence[CosineRow]) -> Iterator[str]:
    names = {row.one_id: row.one for row in rows}
    if len(names) < 2:
        return
    by_pair = {(row.one_id, row.other_id): row.cosine for row in rows}
    yield "cosines, all parameters; --json has those of layers and kinds"
    table = [["", *names.values()]]
    for one, name in names.items():
        cells = [by_pair.get((one, other), by_pair.get((other, one))) for other in names]
        table.append([name, *("-" if cell is None else f"{cell:+.3f}" for cell in cells)])
    yield from _table(table)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
