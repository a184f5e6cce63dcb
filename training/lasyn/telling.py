"""A report on latents in words, for people."""

from collections.abc import Iterator

from training.lasyn.quality import Report

_MEANINGS = {
    "wer": "word errors of the guide over words",
    "cer": "character errors of the guide over characters",
    "frames_per_character": "frames over characters of the text",
    "frechet_frames": "Fréchet distance of frames to real ones, squared",
    "mmd_frames": "MMD of frames to real ones, squared",
    "frechet_utterances": "Fréchet distance of mean latents to real ones, squared",
    "mmd_utterances": "MMD of mean latents to real ones, squared",
    "auc": "how well a probe tells mean latents from real ones",
    "accuracy": "share that the probe gets right",
}


def told(report: Report) -> str:
    """What was measured, and a line for each figure of each kind of latents."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    about = report.about
    yield (
        f"{about.num_takes:,} real takes of {about.num_speakers:,} speakers, each of another text, and what "
        f"{about.method} makes of their texts; heard by {about.guide}"
    )
    if about.num_texts:
        yield f"texts: {about.num_texts:,} that nobody has read"
    if about.unread:
        yield f"left out, as they have no pronunciation: {about.unread:,} takes or texts"
    if about.left_out or about.left_out_texts:
        yield f"left out, as training had them: {about.left_out:,} takes, {about.left_out_texts:,} texts"
    yield "95 % intervals over texts; a distance of real latents is that between two halves of them"
    for row in report.rows:
        within = "" if row.low is None or row.high is None else f"[{row.low:.3f}, {row.high:.3f}]"
        yield f"  {row.figure:<22} {row.of:<8} {row.value:<9.3f} {within:<20} {_MEANINGS[row.figure]}"
