"""`make bench`: the main job, each part against what a user would do instead, as Markdown.

Other measurements are modules of their own, with their commands in docs/results.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import catalog, exporting, generation, memory, metrics, recognisers
from benchmarks.table import Row, markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES), help=f"some of {', '.join(NAMES)}")
    parser.add_argument("--speech", type=Path, help="folder of sets of real speech, for recognisers")
    parser.add_argument("--clips", type=int, default=12, help="of each set, for recognisers")
    arguments = parser.parse_args()
    benchmarks = {**BENCHMARKS, "recognisers": lambda: recognisers.measure(arguments.speech, clips=arguments.clips)}
    for name in arguments.names:
        print(benchmarks[name](), flush=True)


def generate() -> str:
    rows = [generation.measure("piper", copies=4), generation.measure("kokoro", copies=2)]
    return markdown(f"Generation, metrics off, {os.cpu_count()} cores", "a plain loop over the voice", rows)


def startup() -> str:
    def best_of(command: list[str]) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        return min(times)

    ours = best_of([str(Path(sys.executable).parent / "synthgen"), "--help"])
    bare = best_of([sys.executable, "-c", "import typer"])
    return markdown("Start", "`import typer` alone", [Row("`synthgen --help`", f"{ours:.2f} s", f"{bare:.2f} s")])


def score() -> str:
    return markdown("Metrics", "on all cores", metrics.measure(takes=40))


def export() -> str:
    return markdown("Export of 2,000 takes of 3 s", "lhotse's to_shar", exporting.measure(takes=2000))


def plan() -> str:
    return markdown("Casting: peak memory", "speed", memory.measure((10_000, 100_000, 1_000_000)))


BENCHMARKS = {
    "startup": startup,
    "generation": generate,
    "metrics": score,
    "catalog": catalog.measure,
    "export": export,
    "casting": plan,
}
NAMES = (*BENCHMARKS, "recognisers")

if __name__ == "__main__":
    main()
