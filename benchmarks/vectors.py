"""What prosody and timbre vectors hold, and what they do not, on real speakers and on our voices.

    python -m benchmarks.vectors --speech FOLDER

FOLDER holds sets of real speech: libri_multispk, libri_longspk, fsdd, kathleen, ljspeech, kerstin_de, nathalie_nl,
those of them that are there. Without it only our voices are probed. Classes weigh alike, so chance is 1 / speakers.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import speech_sets
from benchmarks.speech_sets import Spoken
from curation.metrics.prosody import pitch_hz
from curation.metrics.vectors import VectorsConfig
from curation.vectors.probes import Labels, Rows, error_rate_of_halves, explain, identify
from curation.vectors.voices import about_their_voices, voice_means

READ = ("libri_longspk", "kathleen", "ljspeech", "kerstin_de", "nathalie_nl")
_SPREAD = 0  # the place of the pitch spread in a prosody vector
_BATCH = 32
_ORACLE_CLIPS = 40


@dataclass(frozen=True, slots=True)
class Probed:
    """A set as vectors: N rows, and what they are probed for."""

    prosody: Rows  # (N, 12)
    timbre: Rows  # (N, 256)
    speakers: Labels  # (N,)
    folds: Labels  # (N,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, help="a folder with sets of real speech")
    parser.add_argument("--no-voices", action="store_true", help="leave out our voices, which take a minute to read")
    given = parser.parse_args()
    print(measure(given.speech, with_voices=not given.no_voices))


def measure(speech: Path | None, *, with_voices: bool = True) -> str:
    """The tables, as Markdown."""
    lines = ["### Prosody and timbre vectors", "", f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for name, spoken in _sets(speech, with_voices=with_voices):
        lines.append(_row(name, _probed(spoken)))
    if speech and (speech / "libri_multispk").exists():
        lines += ["", _speakers_told_apart(speech / "libri_multispk")]
    if speech:
        lines += ["", _agreement_with_harvest(_oracle_clips(speech))]
    return "\n".join(lines) + "\n"


_COLUMNS = (
    *("set", "takes", "speakers", "chance"),
    *("speaker from prosody", "… about its voice", "spread from prosody, R²"),
    *("speaker from timbre", "spread from timbre, R²", "… about its voice"),
)


def _row(name: str, probed: Probed) -> str:
    spread = probed.prosody[:, _SPREAD]
    own = _about_training_means(probed)
    told = np.isfinite(own).all(axis=1)
    habit = spread - _speaker_means(spread, probed.speakers)
    speakers = len(np.unique(probed.speakers))
    cells = (
        name,
        str(len(spread)),
        str(speakers),
        f"{100 / speakers:.1f} %",
        identify(probed.prosody, probed.speakers, probed.folds).text(percent=True),
        identify(own[told], probed.speakers[told], probed.folds[told]).text(percent=True),
        explain(probed.prosody, spread, probed.folds).text(),
        identify(probed.timbre, probed.speakers, probed.folds).text(percent=True),
        explain(probed.timbre, spread, probed.folds).text(),
        explain(probed.timbre, habit, probed.folds).text(),
    )
    return f"| {' | '.join(cells)} |"


def _about_training_means(probed: Probed) -> Rows:
    """Prosody about the mean of its speaker in the first fold, as a voice's reference is made of its first takes."""
    names = [str(speaker) for speaker in probed.speakers]
    first = np.flatnonzero(probed.folds == 0)
    means = voice_means([names[row] for row in first], probed.prosody[first], least=1)
    return about_their_voices(names, probed.prosody, means)


def _speaker_means(values: Rows, speakers: Labels) -> Rows:
    return (np.bincount(speakers, values) / np.bincount(speakers))[speakers]


def _sets(speech: Path | None, *, with_voices: bool) -> list[tuple[str, list[Spoken]]]:
    made: list[tuple[str, list[Spoken]]] = []
    if speech:
        read = {name: speech_sets.recordings(speech / name) for name in READ if (speech / name).exists()}
        digits = speech_sets.joined(speech / "fsdd") if (speech / "fsdd").exists() else []
        multi = speech_sets.quarters(speech / "libri_multispk") if (speech / "libri_multispk").exists() else []
        pooled = [*(s for spoken in read.values() for s in spoken), *digits]
        made = [
            ("LibriSpeech, quarters of a recording", multi),
            ("LibriSpeech, two speakers", read.get("libri_longspk", [])),
            ("digits, ten in a row", digits),
            ("all real speakers with many takes", pooled),
        ]
    if with_voices:
        made.append(("our voices, in several styles", list(speech_sets.voices())))
    return [(name, spoken) for name, spoken in made if spoken]


def _probed(spoken: Sequence[Spoken]) -> Probed:
    metric = VectorsConfig().build()
    rows = []
    for start in range(0, len(spoken), _BATCH):
        batch = spoken[start : start + _BATCH]
        scores = metric.measure([s.clip for s in batch])
        rows += [(s, *score.values) for s, score in zip(batch, scores, strict=True)]
    heard = [row for row in rows if row[1] is not None and row[2] is not None]
    _, speakers = np.unique([row[0].speaker for row in heard], return_inverse=True)
    return Probed(
        prosody=np.array([row[1] for row in heard]),
        timbre=np.array([row[2] for row in heard]),
        speakers=speakers,
        folds=np.array([row[0].fold for row in heard]),
    )


def _speakers_told_apart(folder: Path) -> str:
    metric = VectorsConfig().build()
    pairs = speech_sets.halves(folder)
    timbres = np.array([score.values[1] for score in metric.measure([half for pair in pairs for half in pair])])
    found = error_rate_of_halves(timbres[0::2], timbres[1::2])
    return f"Timbre of two halves of a recording, {len(pairs)} speakers: equal error rate {found.text(percent=True)}."


def _oracle_clips(speech: Path) -> list[Spoken]:
    names = [name for name in READ if (speech / name).exists()]
    return [s for name in names for s in speech_sets.recordings(speech / name)[: _ORACLE_CLIPS // len(names)]]


def _agreement_with_harvest(spoken: Sequence[Spoken]) -> str:
    import pyworld

    near = both = 0
    for one in spoken:
        wave = one.clip.at(speech_sets.RATE_HZ)
        ours = pitch_hz(wave)
        slow, _ = pyworld.harvest(
            wave.astype(np.float64), speech_sets.RATE_HZ, f0_floor=60, f0_ceil=600, frame_period=10
        )
        voiced = (ours > 0) & (slow[: len(ours)] > 0)
        apart_cents = 1200 * np.abs(np.log2(ours[voiced] / slow[: len(ours)][voiced]))
        near, both = near + int((apart_cents <= 50).sum()), both + int(voiced.sum())
    share = f"{100 * near / both:.1f} % of {both:,} frames voiced in both"
    return f"Pitch within 50 cents of Harvest: {share}, {len(spoken)} clips."


if __name__ == "__main__":
    main()
