"""LaSyn on orders of coffee: every row trained and heard, and what texts cost; its tables, as Markdown.

    python -m benchmarks.lasyn --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/lasyn
        [--recogniser whisper] [--seeds 3] [--jobs 2] [ROW ...]

``--speech`` has sets of real speech, ``--texts`` has sets of texts; ``--asr`` holds the corpora of
docs/results/slam_asr.md, which other experiments share: what is missing of them is made. What is read, trained and
heard already stays: killed anywhere, the same command goes on.
"""

import argparse
from pathlib import Path

from benchmarks.corpora import freeze, ingest, write
from benchmarks.ground import Ground
from benchmarks.lasyn.models import CLAIMS, RECOGNISERS, Experiment
from benchmarks.lasyn.running import run
from benchmarks.side_by_side import num_jobs
from benchmarks.slam_asr.data import parts

RELEASES = {"real": {"real": "true", "real-libri": "domain = 'libri'"}, "said": {"said": "domain = 'orders'"}}
"""Those of real speech, by corpus: all of it, or what is no order; and the orders of the test."""


def prepare(speech: Path, work: Path) -> None:
    """Real speech with texts as they are said, to train on and to hold latents against: letters are no digits."""
    work.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("real", "said"), parts(speech, as_said=True), strict=True):
        write(work / f"{name}.jsonl", rows)
        ingest(work / f"{name}.jsonl", work / name)
        freeze(work / name, RELEASES[name])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="those that claims are made of, if none is named")
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real speech")
    parser.add_argument("--texts", type=Path, required=True, help="folder of sets of texts")
    parser.add_argument("--asr", type=Path, required=True, help="the corpora that experiments share")
    parser.add_argument("--work", type=Path, required=True, help="where all else is kept")
    parser.add_argument("--recogniser", choices=RECOGNISERS, default="whisper")
    parser.add_argument("--seeds", type=int, default=3, help="of rows that carry a claim; others have one")
    parser.add_argument("--jobs", type=num_jobs, default=2, help="rows that are trained at once")
    parser.add_argument("--threads", type=int, default=1, help="of a training; another number is another model")
    asked = parser.parse_args()
    known = RECOGNISERS[asked.recogniser].rows()
    if unknown := [name for name in asked.rows if name not in known]:
        parser.error(f"there is no row {', '.join(map(repr, unknown))} of {asked.recogniser}; there are: {known}")
    Ground(asked.asr, asked.speech, asked.texts).corpora(["orders", "general", "long"])
    prepare(asked.speech, asked.work)
    experiment = Experiment(asked.asr, asked.work, RECOGNISERS[asked.recogniser], asked.threads)
    rows = asked.rows or [name for name in CLAIMS if name in known]
    print(run(experiment, rows, seeds=asked.seeds, jobs=asked.jobs))
