"""Large arrays block after block, so that what is worked on stays in the processor's cache."""

from collections.abc import Iterator

_BLOCK = 8192


def blocks(size: int) -> Iterator[slice]:
    """Consecutive parts of an array of this size."""
    return (slice(start, start + _BLOCK) for start in range(0, size, _BLOCK))
