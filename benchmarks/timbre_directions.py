"""Find the directions in which prosody moves a speaker embedding, and what taking them out does to timbres not used.

    python -m benchmarks.timbre_directions [--write FILE.npy]

Kokoro reads two texts with every timbre and every prosody. Directions come from three timbres; the other two, and six
prosodies under each, are told apart with and without them. About three minutes on a core.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.speech_sets import TEXTS, read
from curation.metrics.speaker import SpeakerConfig
from curation.vectors.probes import Labels, Rows, equal_error_rate
from curation.vectors.timbre import DIRECTIONS, prosody_directions, shipped_directions, without
from synthgen.voices.kokoro import SPEAKERS, KokoroConfig

FITTED = ("jf_alpha", "jf_nezumi", "jm_kumo")
STYLES = (*SPEAKERS, "jf_alpha*0.3", "jm_kumo*1.8")
_TEXTS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="where to keep the directions")
    given = parser.parse_args()
    embeddings, timbres, same = _readings()
    fitted = np.isin(timbres, [SPEAKERS.index(name) for name in FITTED])
    directions = prosody_directions(embeddings[fitted], same[fitted])
    held, who = embeddings[~fitted], timbres[~fitted]
    print(f"{len(held)} readings of {len(np.unique(who))} timbres that took no part, pairs of one timbre against two:")
    for name, rows in (
        ("d-vector", held),
        (f"without {DIRECTIONS} directions, found now", without(held, directions)),
        ("without those that come with synthgen", without(held, shipped_directions())),
    ):
        print(f"{name}: equal error rate {100 * _error(rows, who):.1f} %")
    if given.write:
        np.save(given.write, directions.astype(np.float32))


def _readings() -> tuple[Rows, Labels, Labels]:
    """Embeddings, the timbre of each, and the number of its timbre and text."""
    config = KokoroConfig(speakers=SPEAKERS)
    voice, metric, cards = config.build(), SpeakerConfig().build(), config.cards()
    embeddings, timbres, same = [], [], []
    for text, (number, card), style in product(range(_TEXTS), enumerate(cards), STYLES):
        (score,) = metric.measure([read(voice, card.id, TEXTS[text], style=style)])
        embeddings.append(score.values[0])
        timbres.append(number)
        same.append(number * _TEXTS + text)
    return np.array(embeddings), np.array(timbres), np.array(same)


def _error(rows: Rows, who: Labels) -> float:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    likeness = unit @ unit.T
    pairs = np.triu(np.ones_like(likeness, dtype=bool), 1)
    one = who[:, None] == who
    return equal_error_rate(likeness[pairs & one], likeness[pairs & ~one])


if __name__ == "__main__":
    main()
