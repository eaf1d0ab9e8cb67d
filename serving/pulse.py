"""The pulse of a process: a count that whoever started it can read."""

import mmap
from pathlib import Path
from typing import Protocol

__all__ = ["FilePulse", "Pulse", "Pulsing"]


class Pulsing(Protocol):
    """What changes as long as a process does its work."""

    @property
    def count(self) -> int:
        """A number; another one than before is a beat."""


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


class FilePulse:
    """The pulse of a program of its own, which writes a file again and again.

    Parameters
    ----------
    path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def count(self) -> int:
        """When the file was written last; 0 while there is none."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
