"""One process copied from this one, which does one thing and ends."""

import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from serving.logs import place_of

__all__ = ["fork"]

logger = logging.getLogger("smoulder.supervisor")

PARENT_DEATH_SIGNAL, NAME = 1, 15
"""Of `prctl`, Linux's own."""


def fork(name: str, run: Callable[[], object], mask: set[signal.Signals | int]) -> int:
    """Copy this process and run something in the copy; its process id.

    Parameters
    ----------
    name
        Of the new process, at most 15 characters.
    run
        Called there; the process ends when it returns, whatever this one had still to do, and when
        this one ends.
    mask
        Signals that are blocked there.
    """
    parent = os.getpid()
    _flush()
    pid = os.fork()
    if pid == 0:
        _work(name, run, mask, parent)
    return pid


def _work(
    name: str, run: Callable[[], object], mask: set[signal.Signals | int], parent: int
) -> NoReturn:
    status = 1
    try:
        _tie(name, parent)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # A terminal that closes tells everybody; only the parent has everything finished first.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run()
        status = 0
    except SystemExit as told:
        # As the interpreter has it: nothing said is success, words are failure.
        status = told.code if isinstance(told.code, int) else int(told.code is not None)
    except Exception as error:  # noqa: BLE001  # whatever it is, only this process ends by it
        logger.error("%s: %s", name, place_of(error))
    finally:
        _flush()
        os._exit(status)


def _flush() -> None:
    """Hand on what was printed; that nobody takes it must end nothing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # gone, closed, never there
            stream.flush()


def _tie(name: str, parent: int) -> None:
    """Name this process, and have it end when its parent does."""
    if sys.platform != "linux":
        return
    control = ctypes.CDLL(None).prctl
    control(NAME, name.encode())
    control(PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit(1)
