"""Peak memory of casting: the same job with more and more lines, each in a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row


def measure(sizes: tuple[int, ...]) -> list[Row]:
    """One row a size: peak memory and lines per second."""
    rows = []
    for lines in sizes:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", str(lines)], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        rows.append(Row(f"{lines:,} lines", f"{int(done.stdout):,} MB", f"{lines / seconds:,.0f} lines/s"))
    return rows


def cast(lines: int) -> int:
    """Cast a job of so many lines; gives this process's peak memory in MB."""
    from catalogs.catalog import Catalog
    from catalogs.progress import Progress
    from curation.production import Production
    from curation.recipe import parse_recipe

    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "prompts.txt").open("w") as file:
            file.writelines(f"order number {number} of this benchmark, if you please\n" for number in range(lines // 2))
        table = {
            "name": "memory",
            "corpus": f"{folder}/corpus",
            "prompts": [{"path": f"{folder}/prompts.txt"}],
            "voices": [{"engine": "tone", "speakers": ["tone-1", "tone-2"]}],
        }
        recipe = parse_recipe(table, folder=Path(folder), source="benchmark")
        with Catalog.create(recipe.corpus) as catalog, catalog.job("benchmark"):
            run_id = catalog.begin_run(recipe.job_id, "benchmark")
            production = Production(recipe, catalog, run_id=run_id, progress=Progress(quiet=True))
            production.prepare()
            next(production.rounds())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    print(cast(int(sys.argv[1])))
