"""Intervals: no share without one."""

from math import sqrt

Z95 = 1.959964
"""The 97.5th percentile of the normal distribution."""


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, ``count`` of ``total`` (Wilson 1927); (0, 1) if there is nothing to tell from."""
    if total == 0:
        return 0.0, 1.0
    share, weight = count / total, Z95**2 / total
    middle = (share + weight / 2) / (1 + weight)
    half = Z95 * sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)
