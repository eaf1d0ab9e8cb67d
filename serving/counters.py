"""The files in which the workers of a server count, and add up what the others did.

They are mapped into memory, and a process that writes to a page for which the disk has no room left
is killed (SIGBUS). So room for all that may be counted is taken when a worker starts; where there
is none, it counts for itself and answers all the same.
"""

import contextlib
import logging
import os
import struct
from pathlib import Path

from prometheus_client import values

__all__ = ["DIRECTORY", "FILE_BYTES", "forget_dead", "make_room"]

logger = logging.getLogger("smoulder.serving")

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable under which the supervisor names the folder that workers share."""

KINDS = ("counter", "gauge_livemax", "histogram")
FILE_BYTES = 2**19
"""Of each kind; every label that there is takes less than half of it."""

HEAD_BYTES = 8
"""What tells how much of a file is used, padded; without it nobody's counts can be read."""


def make_room() -> None:
    """Take the room for what this process will count, before it begins to."""
    folder = Path(os.environ[DIRECTORY])
    own = [folder / f"{kind}_{os.getpid()}.db" for kind in KINDS]
    try:
        forget_dead(folder)
        for path in own:
            with path.open("ab") as sink:
                sink.write(bytes(max(0, FILE_BYTES - sink.tell())))
    except OSError as error:
        logger.error("counters: %s; this worker counts for itself", error.strerror)
        for path in own:
            with contextlib.suppress(OSError):
                path.unlink()
        del os.environ[DIRECTORY]
        values.ValueClass = values.MutexValue


def forget_dead(folder: Path) -> None:
    """Remove what killed workers last said of themselves; their counts stay, and no more."""
    for path in folder.glob("*.db"):
        owner = path.stem.rpartition("_")[2]
        if not owner.isdigit() or _runs(int(owner)):
            continue
        if path.name.startswith("gauge_live"):
            path.unlink(missing_ok=True)
        else:
            _trim(path)


def _trim(path: Path) -> None:
    """Give back the room that a file did not use; how much it did is told by its beginning."""
    with path.open("r+b") as file:
        head = file.read(4)
        used = struct.unpack("i", head)[0] if len(head) == 4 else 0
        file.truncate(max(HEAD_BYTES, used))


def _runs(pid: int) -> bool:
    """Whether there is such a process, asked in a way that every Unix answers."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
