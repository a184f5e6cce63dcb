"""Policies: how long it takes to hold one against another over a million scored takes, no model loaded.

    python -m benchmarks.replay --takes 1000000

It is held against pandas, which reads the same columns from one Parquet file and masks them twice.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.scored import scored_corpus
from benchmarks.table import Row, markdown
from catalogs.lake import quoted
from curation.policies.judging import judge_again
from curation.policies.policy import Override, Policy, Threshold
from curation.policies.replay import replay
from curation.scope import Scope

LOOSE = Policy({"wer": Threshold(max=0.3), "dnsmos_ovrl": Threshold(min=2.0)}, name="loose")
STRICT = Policy(
    {"wer": Threshold(max=0.1), "dnsmos_ovrl": Threshold(min=2.0), "f0_sd_st": Threshold(min_quantile=0.05)},
    overrides=(Override(domain="names", thresholds={"cer": Threshold(max=0.1)}, off=("wer",)),),
    name="strict",
)
HEAVY = ("torch", "transformers", "onnxruntime", "faster_whisper", "ctranslate2", "ray")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of all processor cores together."""

    wall_s: float
    cpu_s: float

    def text(self) -> str:
        return f"{self.wall_s:.2f} s ({self.cpu_s:.2f} s CPU)"


def measure(*, number: int = 1_000_000, times: int = 3) -> str:
    """The table, as Markdown."""
    with scored_corpus(number) as catalog, tempfile.TemporaryDirectory() as folder:
        ours = _best(lambda: replay(catalog, (LOOSE, STRICT), Scope()), times=times)
        again = _best(lambda: judge_again(catalog, LOOSE, Scope()), times=1)
        parquet = Path(folder) / "takes.parquet"
        catalog.lake.rows(f"COPY (SELECT * FROM takes) TO {quoted(parquet)} (FORMAT parquet)")
        theirs = _best(lambda: _with_pandas(parquet), times=times)
        kept = replay(catalog, (LOOSE, STRICT), Scope()).all
    loaded = sorted(name for name in HEAVY if name in sys.modules)
    rows = [
        Row(f"two policies over {number:,} takes", ours.text(), theirs.text(), theirs.wall_s / ours.wall_s),
        Row(f"`judge`: {number:,} verdicts written", again.text(), ""),
        Row("takes kept by the first and the second", f"{kept.kept_a:,}, {kept.kept_b:,}", ""),
        Row("model libraries loaded", ", ".join(loaded) or "none", ""),
    ]
    return markdown("Replaying policies", "masks in pandas, counts and means only", rows)


def _with_pandas(parquet: Path) -> pd.DataFrame:
    columns = ["voice", "domain", "audio_s", "wer", "cer", "dnsmos_ovrl", "f0_sd_st", "energy_sd_db"]
    frame = pd.read_parquet(parquet, columns=columns)
    loose = (frame.wer <= 0.3) & (frame.dnsmos_ovrl >= 2)
    heard = (frame.wer <= 0.1).where(frame.domain != "names", frame.cer <= 0.1)
    strict = heard & (frame.dnsmos_ovrl >= 2) & (frame.f0_sd_st >= frame.f0_sd_st.quantile(0.05))
    frame = frame.assign(loose=loose, strict=strict)
    for key in ("voice", "domain"):
        frame.groupby(key)[["loose", "strict"]].sum()
        frame[frame.loose != frame.strict].groupby(key).audio_s.sum()
    figures = ["wer", "cer", "dnsmos_ovrl", "f0_sd_st", "energy_sd_db"]
    return pd.concat([frame.loc[side, figures].agg(["mean", "median"]) for side in (loose, strict)])


def _best(action: Callable[[], object], *, times: int) -> Spent:
    """The fastest of several goes, with the processor time of all threads: on a busy machine that is what is spent."""
    spent = []
    for _ in range(times):
        began, cpu_s = time.perf_counter(), time.process_time()
        action()
        spent.append(Spent(time.perf_counter() - began, time.process_time() - cpu_s))
    return min(spent, key=lambda s: s.wall_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takes", type=int, default=1_000_000)
    print(measure(number=parser.parse_args().takes))
