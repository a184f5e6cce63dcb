"""What prosody and timbre vectors hold, and what they do not, on real speakers and on our voices.

    python -m benchmarks.vectors --speech FOLDER

FOLDER holds sets of real speech: libri_multispk, libri_longspk, fsdd, kathleen, ljspeech, kerstin_de, nathalie_nl,
those of them that are there. Without it only our voices are probed. Classes weigh alike, so chance is 1 / speakers.
The first four figures are about the means of speakers (`curation.vectors.disentangled`), two more ask for the spread
that another tracker hears; then come raw ones, and what the name of the speaker alone explains of the raw spread.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld

from benchmarks import speech_sets
from benchmarks.speech_sets import Spoken
from catalogs.clip import Clip
from curation.metrics.frames import frame_levels_db, is_silent
from curation.metrics.prosody import ProsodyConfig, pitch_hz
from curation.metrics.vectors import VectorsConfig
from curation.vectors.disentangled import about_means, disentangled
from curation.vectors.probes import Labels, Rows, error_rate_of_halves, explain, identify

READ = ("libri_longspk", "kathleen", "ljspeech", "kerstin_de", "nathalie_nl")
_LEAST_VOICED, _OCTAVE_ST = 30, 12.0
_PLANTED = (0.1, 0.3)
_BATCH = 32
_ORACLE_CLIPS = 40


@dataclass(frozen=True, slots=True)
class Heard:
    """What is measured of a clip; the spread of the pitch by our tracker, and by Harvest, which is another ear."""

    prosody: tuple[float, ...]  # (12,)
    timbre: tuple[float, ...]  # (256,)
    spread_st: float
    harvest_st: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, help="a folder with sets of real speech")
    parser.add_argument("--no-voices", action="store_true", help="leave out our voices, which take a minute to read")
    given = parser.parse_args()
    print(measure(given.speech, with_voices=not given.no_voices))


def measure(speech: Path | None, *, with_voices: bool = True) -> str:
    """The tables, as Markdown."""
    lines = ["### Prosody and timbre vectors", "", f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    sets = _sets(speech, with_voices=with_voices)
    heard = _heard(list({id(one): one for _, spoken in sets for one in spoken}.values()))
    of_sets = {name: [(one, heard[id(one)]) for one in spoken if id(one) in heard] for name, spoken in sets}
    lines += [_row(name, takes) for name, takes in of_sets.items()]
    lines += ["", *(f"{name}: {_agreement_of_spreads(takes)}; {_planted(takes)}" for name, takes in of_sets.items())]
    if speech and (speech / "libri_multispk").exists():
        lines += ["", _speakers_told_apart(speech / "libri_multispk")]
    if speech:
        lines += ["", _agreement_with_harvest(_oracle_clips(speech))]
    return "\n".join(lines) + "\n"


_COLUMNS = (
    *("set", "takes", "speakers", "chance"),
    *("speaker from prosody", "spread from prosody, R²", "speaker from timbre", "spread from timbre, R²"),
    *("Harvest's spread from prosody, R²", "… from timbre, R²"),
    *("speaker from raw prosody", "raw spread from raw timbre, R²", "… from the name of the speaker, R²"),
)


def _row(name: str, takes: Sequence[tuple[Spoken, Heard]]) -> str:
    """The figures about the means of speakers; raw ones, and what a speaker's habit alone explains of them."""
    prosody, timbre, spread_st, harvest_st = (
        np.array([getattr(heard, part) for _, heard in takes]) for part in Heard.__slots__
    )
    _, speakers = np.unique([one.speaker for one, _ in takes], return_inverse=True)
    folds = _folds(takes)
    texts = 2 * np.arange(len(takes)) + folds  # each by itself
    ours, by_harvest = (
        disentangled(prosody, timbre, spread, speakers, texts, least=1) for spread in (spread_st, harvest_st)
    )
    assert ours is not None, f"{name} has two speakers in both folds"
    assert by_harvest is not None
    cells = (
        *(name, str(ours.num_takes), f"{1 / ours.chance:.0f}", f"{100 * ours.chance:.1f} %"),
        ours.speaker_from_prosody.text(percent=True),
        ours.spread_from_prosody.text(),
        ours.speaker_from_timbre.text(percent=True),
        ours.spread_from_timbre.text(),
        by_harvest.spread_from_prosody.text(),
        by_harvest.spread_from_timbre.text(),
        identify(prosody, speakers, folds).text(percent=True),
        explain(timbre, spread_st, folds).text(),
        explain(np.eye(speakers.max() + 1)[speakers], spread_st, folds).text(),
    )
    return f"| {' | '.join(cells)} |"


def _agreement_of_spreads(takes: Sequence[tuple[Spoken, Heard]]) -> str:
    """How two trackers agree on the spread of clips, and on what is left of it about a speaker's mean in a fold."""
    spreads = np.array([[heard.spread_st, heard.harvest_st] for _, heard in takes])
    raw, left = (np.corrcoef(rows.T)[0, 1] for rows in (spreads, about_means(spreads, _moments(takes))))
    return f"our spread and Harvest's correlate by {raw:.2f}, about their speaker by {left:.2f}"


def _planted(takes: Sequence[tuple[Spoken, Heard]]) -> str:
    """What the probe finds of a spread that is put into timbre vectors: whether it could see a leak at all."""
    timbre = np.array([heard.timbre for _, heard in takes])
    spread_st = about_means(np.array([[heard.spread_st] for _, heard in takes]), _moments(takes))[:, 0]
    usual = np.sqrt(np.square(about_means(timbre, _moments(takes))).sum(axis=1).mean())
    direction = np.random.default_rng(0).normal(size=timbre.shape[1])
    step = usual * direction / np.linalg.norm(direction)
    found = []
    for share in _PLANTED:
        leaky = timbre + share * np.outer(spread_st / spread_st.std(), step)
        r2 = explain(about_means(leaky, _moments(takes)), spread_st, _folds(takes), groups=_moments(takes))
        found.append(f"{share:.0%} gives R² {r2.text()}")
    return f"spread put into timbre, in shares of how far a take is from its speaker: {', '.join(found)}"


def _moments(takes: Sequence[tuple[Spoken, Heard]]) -> Labels:
    _, moments = np.unique([f"{one.speaker} {one.fold}" for one, _ in takes], return_inverse=True)
    return moments


def _folds(takes: Sequence[tuple[Spoken, Heard]]) -> Labels:
    return np.array([one.fold for one, _ in takes])


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


def _heard(spoken: Sequence[Spoken]) -> dict[int, Heard]:
    """What is measured of each clip, by its `id`; those with too little voiced speech are left out."""
    metrics = (VectorsConfig().build(), ProsodyConfig().build())
    spread = [column.name for column in ProsodyConfig().card().columns].index("f0_sd_st")
    heard = {}
    for start in range(0, len(spoken), _BATCH):
        batch = spoken[start : start + _BATCH]
        vectors, figures = (metric.measure([one.clip for one in batch]) for metric in metrics)
        for one, vector, figure in zip(batch, vectors, figures, strict=True):
            prosody, timbre = vector.values
            found = Heard(prosody, timbre, figure.values[spread], _spread_by_harvest_st(one.clip))
            if None not in (found.prosody, found.timbre, found.spread_st) and np.isfinite(found.harvest_st):
                heard[id(one)] = found
        print(f"measured {start + len(batch):,} of {len(spoken):,} clips", file=sys.stderr, flush=True)
    return heard


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
    near = both = 0
    for one in spoken:
        ours, slow = pitch_hz(one.clip.at(speech_sets.RATE_HZ)), _by_harvest_hz(one.clip)
        slow = slow[: len(ours)]
        voiced = (ours > 0) & (slow > 0)
        apart_cents = 1200 * np.abs(np.log2(ours[voiced] / slow[voiced]))
        near, both = near + int((apart_cents <= 50).sum()), both + int(voiced.sum())
    share = f"{100 * near / both:.1f} % of {both:,} frames voiced in both"
    return f"Pitch within 50 cents of Harvest: {share}, {len(spoken)} clips."


def _spread_by_harvest_st(clip: Clip) -> float:
    """The spread of the pitch where there is sound, within an octave of its median; NaN for less than 0.3 s of it."""
    wave, track_hz = clip.at(speech_sets.RATE_HZ), _by_harvest_hz(clip)
    levels_db = frame_levels_db(wave, rate_hz=speech_sets.RATE_HZ)
    frames = min(len(levels_db), len(track_hz))
    voiced_hz = track_hz[:frames][(track_hz[:frames] > 0) & ~is_silent(levels_db)[:frames]]
    if len(voiced_hz) < _LEAST_VOICED:
        return float("nan")
    pitch_st = 12 * np.log2(voiced_hz / np.median(voiced_hz))
    return float(pitch_st[np.abs(pitch_st) < _OCTAVE_ST].std())


def _by_harvest_hz(clip: Clip) -> Rows:
    """A track of 100 frames a second, 0 where it hears no voice."""
    wave = clip.at(speech_sets.RATE_HZ).astype(np.float64)
    track_hz, _ = pyworld.harvest(wave, speech_sets.RATE_HZ, f0_floor=60, f0_ceil=600, frame_period=10)
    return np.asarray(track_hz)


if __name__ == "__main__":
    main()
