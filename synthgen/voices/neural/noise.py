"""Give every line of a batch its own randomness, inside libraries that draw from one global generator.

The engines call ``torch.randn``, ``torch.randn_like`` and ``torch.multinomial`` deep in their forward
passes. Within a `LineNoise` block those three are answered row by row, each row from its own line's seed,
so that a seed belongs to its line and to no batch.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode


class LineNoise(TorchFunctionMode):
    """Answers torch's random operators for a batch of one row per line.

    Draws are made along time first, so the noise of a short line does not depend on the padding that a
    longer neighbour brings. ``scales`` multiply the normal draws of each line.
    """

    def __init__(self, seeds: Sequence[int], *, scales: Sequence[float] | None = None) -> None:
        super().__init__()
        self._seeds = tuple(seeds)
        self._scales = np.asarray(scales or [1.0] * len(seeds), np.float32)
        self._choosers = [np.random.default_rng([seed, 0]) for seed in seeds]
        self._num_normals = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Answer the three random operators; let everything else pass."""
        kwargs = kwargs or {}
        if func is torch.randn_like:
            return self._normals(tuple(args[0].shape)).to(args[0])
        if func is torch.randn:
            shape = tuple(args[0]) if len(args) == 1 and not isinstance(args[0], int) else tuple(args)
            return self._normals(shape).to(device=kwargs.get("device"), dtype=kwargs.get("dtype"))
        if func is torch.multinomial:
            return self._choices(args[0])
        return func(*args, **kwargs)

    def _normals(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Standard normal noise of shape (lines, ..., time), scaled by line."""
        if shape[0] != len(self._seeds):
            raise RuntimeError(f"a draw of shape {shape} is not one row for each of {len(self._seeds)} lines")
        self._num_normals += 1
        rows = []
        for seed, scale in zip(self._seeds, self._scales, strict=True):
            draws = np.random.default_rng([seed, self._num_normals])
            by_time = draws.standard_normal((shape[-1], *shape[1:-1]), np.float32)
            rows.append(np.moveaxis(by_time, 0, -1) * scale)
        return torch.from_numpy(np.stack(rows))

    def _choices(self, weights: torch.Tensor) -> torch.Tensor:
        """One index per row of (rows, codes), with chance in proportion to its weight; (rows, 1)."""
        if len(weights) != len(self._seeds):
            raise RuntimeError(f"{len(weights)} choices are not one for each of {len(self._seeds)} lines")
        draws = np.stack([chooser.random() for chooser in self._choosers])
        # Float64, because a parallel float32 sum on a GPU may differ from run to run in its last bits.
        sums = weights.double().cumsum(-1)
        heights = torch.from_numpy(draws).to(sums.device)[:, None] * sums[:, -1:]
        return torch.searchsorted(sums, heights, right=True).clamp_(max=weights.shape[-1] - 1)
