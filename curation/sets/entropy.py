"""Entropy of speech tokens, in bits, with its sample size under control.

The plug-in entropy of N tokens of V codes is too low by about (V - 1) / (2 N ln 2) bits, which can be more than two
corpora differ by. So it is corrected (Miller and Madow 1955), and once more by what resamples are off it: the tokens of
a take, and of readings of a text, belong together and tell less than N of them would. It can be asked for at a fixed N,
and it carries an interval over takes, or over clusters of takes. The texts confound it, too: compare corpora of the
same texts.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.bootstrap import Estimate, Labels, Sums, count, deal, estimate
from curation.tokenisers.sequences import TokenRows

Counts: TypeAlias = NDArray[np.float64]

_SUBSAMPLES = 20


def plugin_bits(counts: Counts) -> NDArray[np.float64]:
    """Entropy of the shares of ``counts`` (..., V), shape (...): exact for a source, too low for a sample of it."""
    total = np.maximum(counts.sum(axis=-1, keepdims=True), 1e-12)
    share = counts / total
    return np.asarray(-(share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=-1))


def miller_madow_bits(counts: Counts) -> NDArray[np.float64]:
    """`plugin_bits` with its bias corrected to first order, by (codes seen - 1) / (2 N ln 2)."""
    seen, total = (counts > 0).sum(axis=-1), counts.sum(axis=-1)
    return np.asarray(plugin_bits(counts) + (seen - 1) / (2 * np.maximum(total, 1) * np.log(2)))


def token_entropy(
    takes: TokenRows,
    clusters: Labels | None = None,
    *,
    weights: Counts | None = None,
    num_tokens: int | None = None,
    seed: int = 0,
) -> Estimate:
    """H_p: entropy of the tokens of all takes together, pauses left out; its items are takes, or their clusters.

    With ``num_tokens`` it is the figure that so many tokens of whole takes, drawn at random, give on average: figures
    of corpora of different size compare. The interval is that of the whole corpus. With ``weights`` (takes,), whose
    mean is 1, the tokens of a take count so often.

    Raises:
        ValueError: if fewer than five of its items have tokens, or all of them have fewer than ``num_tokens``, or
            ``weights`` are to count among so many.
    """
    spoken = takes.spoken()
    codes, coded = np.unique(spoken.values, return_inverse=True)
    held, owners = np.unique(spoken.owners, return_inverse=True)
    together = None if clusters is None else clusters[held]
    counted = None if weights is None else weights[held][owners]
    sums = _sums(deal(len(held), together, seed=seed)[owners], coded, num_codes=len(codes), weights=counted)
    whole = estimate(sums, miller_madow_bits, num_items=count(len(held), together), seed=seed, corrected=True)
    if num_tokens is None:
        return whole
    if weights is not None:
        raise ValueError("a number of tokens is drawn from takes that count alike: leave out the weights or the number")
    value = _at(TokenRows(coded, spoken.lengths[held]), num_tokens, seed=seed)
    return Estimate(value, whole.num_items, value + whole.low - whole.value, value + whole.high - whole.value)


def conditional_entropy(takes: TokenRows, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Entropy of a token given the one before it, in the same take: what order leaves open; its items are as above.

    It counts V² pairs and needs more tokens than `token_entropy` does.

    Raises:
        ValueError: if fewer than five of its items have two tokens.
    """
    spoken = takes.spoken()
    owners = spoken.owners
    is_pair = owners[1:] == owners[:-1]
    base = int(spoken.values.max(initial=0)) + 1
    pairs = spoken.values[:-1][is_pair] * base + spoken.values[1:][is_pair]
    kinds, coded = np.unique(pairs, return_inverse=True)
    held, takes_of_pairs = np.unique(owners[1:][is_pair], return_inverse=True)
    together = None if clusters is None else clusters[held]
    sums = _sums(deal(len(held), together, seed=seed)[takes_of_pairs], coded, num_codes=len(kinds))
    firsts = np.flatnonzero(np.diff(kinds // base, prepend=-1))

    def bits(counts: Counts) -> NDArray[np.float64]:
        return miller_madow_bits(counts) - miller_madow_bits(np.add.reduceat(counts, firsts, axis=-1))

    return estimate(sums, bits, num_items=count(len(held), together), seed=seed)


def _sums(block: Labels, coded: Labels, *, num_codes: int, weights: Counts | None = None) -> Sums:
    """How often each block of takes has each code, (blocks, V), from block, code and weight (None: 1) of each token."""
    num_blocks = int(block.max(initial=-1)) + 1
    counts = np.bincount(block * num_codes + coded, weights, minlength=num_blocks * num_codes)
    return counts.reshape(num_blocks, num_codes).astype(np.float64)


def _at(takes: TokenRows, num_tokens: int, *, seed: int) -> float:
    """Mean entropy of the first ``num_tokens`` tokens of the takes, in `_SUBSAMPLES` orders."""
    if len(takes.values) < num_tokens:
        raise ValueError(f"there are {len(takes.values):,} tokens and not {num_tokens:,}: ask for fewer")
    random, found = np.random.default_rng((seed, num_tokens)), []
    for _ in range(_SUBSAMPLES):
        order = random.permutation(len(takes))
        enough = int(np.searchsorted(np.cumsum(takes.lengths[order]), num_tokens)) + 1
        drawn = takes.of_rows(order[:enough]).values[:num_tokens]
        found.append(float(miller_madow_bits(np.bincount(drawn).astype(np.float64))))
    return float(np.mean(found))
