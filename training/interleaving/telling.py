"""Sets of sequences in words, for people."""

from catalogs.export.sequences_card import SequencesReport
from training.interleaving.sequences import InterleaveReport


def told(report: InterleaveReport, exported: SequencesReport | None) -> str:
    """What a set holds, what is not in it and why, and where it was written."""
    of = report.interleaving
    texts = f" and {of.num_texts:,} texts alone" if of.texts is not None else ""
    new = f"{report.num_added:,} units new" if report.num_added else "all of it was there"
    lines = [f"{of.id}: {of.num_sequences:,} sequences of {of.num_takes:,} takes{texts}, {new}"]
    not_made = 2 * of.num_takes + of.num_texts - of.num_sequences
    counts = {
        "takes without word times": of.num_untimed,
        "sequences with nothing to hear before the end, or the same as their take's other one": not_made,
        "texts that are held out": of.num_held_out,
    }
    left_out = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    if left_out:
        lines.append(f"left out: {left_out}")
    if exported is not None:
        held_out = f", {exported.num_held_out:,} held-out ones left out" if exported.num_held_out else ""
        size = f"{exported.num_bytes / 1e6:.1f} MB"
        how = "was there already" if exported.was_there else "written"
        lines.append(f"{exported.to} {how}: {exported.num_sequences:,} sequences{held_out}, {size}")
    return "\n".join(lines)
