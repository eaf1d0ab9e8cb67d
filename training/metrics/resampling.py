"""Resampled cohorts: whole subjects drawn with replacement, each replicate with its own stream."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol

import numpy as np

from training.metrics.estimate import FloatArray, IntArray

_CHUNK = 50


class Work(Protocol):
    """What is computed in one resampled cohort; it must pickle for several processes."""

    def __call__(self, generator: np.random.Generator) -> FloatArray:
        """Estimates of one replicate, NaN where there are none; the same shape each time."""
        ...


def replicated(
    work: Work,
    *,
    replicates: int,
    seed: int,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> FloatArray:
    """Estimates of every replicate, (replicates, …); the same for any number of processes.

    Parameters
    ----------
    work
        Computes one replicate.
    replicates
        Number of resampled cohorts.
    seed
        Each replicate has its own stream from it.
    jobs
        Number of processes.
    progress
        Called with the number of replicates finished since the last call.
    """
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    chunks = [seeds[i : i + _CHUNK] for i in range(0, replicates, _CHUNK)]
    parts = []
    for part in _run(work, chunks, jobs):
        parts.append(part)
        if progress is not None:
            progress(part.shape[0])
    return np.concatenate(parts)


def drawn_counts(size: int, cluster: IntArray | None, generator: np.random.Generator) -> FloatArray:
    """How often each of n rows is drawn, (n,).

    Parameters
    ----------
    size
        n.
    cluster
        (n,) codes 0 … k-1 of rows that are drawn together; None when each is drawn by itself.
    generator
        Source of chance.
    """
    units = size if cluster is None else int(cluster.max()) + 1
    counts = np.bincount(generator.integers(0, units, units), minlength=units).astype(np.float64)
    return counts if cluster is None else counts[cluster]


def _run(work: Work, chunks: list[list[np.random.SeedSequence]], jobs: int) -> Iterator[FloatArray]:
    if jobs <= 1 or len(chunks) <= 1:
        for chunk in chunks:
            yield _chunk(work, chunk)
        return
    with ProcessPoolExecutor(min(jobs, len(chunks))) as pool:
        yield from pool.map(_chunk, [work] * len(chunks), chunks)


def _chunk(work: Work, seeds: list[np.random.SeedSequence]) -> FloatArray:
    return np.stack([work(np.random.default_rng(seed)) for seed in seeds])


__all__ = ["Work", "drawn_counts", "replicated"]
