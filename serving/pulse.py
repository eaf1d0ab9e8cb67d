"""The pulse of a process: a count in memory that whoever started it can read."""

import mmap

__all__ = ["Pulse"]


class Pulse:
    """A count that a process raises as long as it can do its work.

    A count and not a time: where everything has stood still – a container that was paused, a
    machine that slept – nobody seems to have been silent.

    Examples
    --------
    >>> pulse = Pulse()
    >>> pulse.beat()
    >>> pulse.count
    1
    """

    def __init__(self) -> None:
        # Of nobody's file, and shared with processes that are forked later.
        self._count = memoryview(mmap.mmap(-1, 8)).cast("Q")

    def beat(self) -> None:
        """Say that the work goes on."""
        self._count[0] += 1

    @property
    def count(self) -> int:
        """Beats so far, of every process that has had this pulse."""
        return self._count[0]
