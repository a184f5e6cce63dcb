"""Quality: what listeners would say of a clip, by DNSMOS P.835, on a scale from 1 to 5.

The model hears 9.01 s. As in the original, a shorter clip is repeated until it is long enough, a window
starts every second, and the clip has the mean of its windows. A window costs 0.2 s on one core, and a clip
of 2 s has seven of them: `windows` caps their number. Hearing several windows in one call makes it slower.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.models import artefact, fetch
from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.metrics.sessions import open_session

Wave: TypeAlias = NDArray[np.float32]

_ARTEFACT = "dnsmos"
_RATE_HZ = 16_000
_WINDOW_S = 9.01
_WINDOW = 144_160

# From the network's raw output to the scale of P.835: value = a·x² + b·x + c, one row per output.
_TO_MOS = np.array(
    [
        [-0.08397278, 1.22083953, 0.0052439],
        [-0.13166888, 1.60915514, -0.39604546],
        [-0.06766283, 1.11546468, 0.04602535],
    ]
)


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of one clip; a clip of nothing but zeros has none."""

    dnsmos_sig: Annotated[float | None, Figure("MOS", "higher", "how natural the speech itself sounds")] = None
    dnsmos_bak: Annotated[float | None, Figure("MOS", "higher", "how little the background intrudes")] = None
    dnsmos_ovrl: Annotated[float | None, Figure("MOS", "higher", "overall")] = None


@dataclass(frozen=True, slots=True)
class QualityConfig:
    """Threads of the model, and at most how many windows of a clip it hears, evenly spread; None is all."""

    threads: int = 1
    windows: int | None = None

    def __post_init__(self) -> None:
        if self.windows is not None and self.windows < 1:
            raise ValueError("quality.windows must be 1 or more")

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    def card(self) -> MetricCard:
        """Family, version and columns."""
        heard = "all" if self.windows is None else str(self.windows)
        version = f"1/{_ARTEFACT}-{artefact(_ARTEFACT).sha256[:12]}/{heard}"
        return MetricCard("quality", version, columns_of(Quality))

    def build(self) -> "QualityMetric":
        """Load DNSMOS."""
        return QualityMetric(self)


class QualityMetric:
    """Measures quality at 16 kHz; a clip is measured by itself."""

    def __init__(self, config: QualityConfig) -> None:
        self._session = open_session(fetch(_ARTEFACT) / "sig_bak_ovr.onnx", threads=config.threads)
        self._most = config.windows

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        return [Score(clip.take_id, values_of(self._quality(clip.at(_RATE_HZ)))) for clip in clips]

    def _quality(self, wave: Wave) -> Quality:
        windows = _windows(wave)
        if not windows:
            return Quality()
        if self._most is not None and self._most < len(windows):
            spread = (np.arange(self._most) + 0.5) * len(windows) / self._most
            windows = [windows[place] for place in spread.astype(int)]
        raw = np.concatenate([self._session.run(None, {"input_1": window[None]})[0] for window in windows])
        mos = (_TO_MOS * np.stack((raw**2, raw, np.ones_like(raw)), axis=-1)).sum(axis=-1)  # (windows, 3)
        return Quality(*mos.mean(axis=0).tolist())


def _windows(wave: Wave) -> list[Wave]:
    if not wave.any():
        return []
    while len(wave) < _WINDOW:
        wave = np.concatenate((wave, wave))
    # The original's arithmetic, floats and all: which windows there are depends on how they round.
    hops = int(len(wave) // _RATE_HZ - _WINDOW_S) + 1
    bounds = [(hop * _RATE_HZ, int((hop + _WINDOW_S) * _RATE_HZ)) for hop in range(hops)]
    return [wave[start:stop] for start, stop in bounds if min(stop, len(wave)) - start == _WINDOW]
