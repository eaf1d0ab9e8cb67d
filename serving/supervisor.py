"""The supervisor: processes copied from this one, each replaced at once when it ends.

Workers are forked from a process that has everything imported and holds nothing they could share to
their harm – no thread, no connection, no event loop – so that a new one answers in a fraction of a
second on a busy machine, where an interpreter that starts anew takes seconds. Signals are all it
listens to. A process whose supervisor is gone ends as well.
"""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from serving.logs import place_of

__all__ = ["Job", "keep_running"]

logger = logging.getLogger("smoulder.supervisor")

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
HEARD = {signal.SIGCHLD, *STOPPING}

SECOND_THOUGHT_SECONDS = 1.0
"""Least time between two starts of a job: one that fails at once must not keep a core busy."""

ENDING_SECONDS = 30.0
"""For what has begun to be finished and recorded, once told to stop."""

PARENT_DEATH_SIGNAL, NAME = 1, 15
"""Of `prctl`, Linux's own."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does.

    Parameters
    ----------
    name
        Of the process, at most 15 characters, as the log tells it, and `ps -o comm` and `top` until
        the job runs another program.
    run
        Called in the new process; it ends when this returns.
    """

    name: str
    run: Callable[[], object]


def keep_running(jobs: Sequence[Job]) -> None:
    """Run every job in a process of its own until told to stop by SIGTERM, SIGINT or SIGHUP.

    Call it from the main thread of a process without others: a fork copies no thread.

    Parameters
    ----------
    jobs
        One process each; one that ends, for whatever reason, is started again.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    family = _Family(jobs, mask)
    try:
        while family.start_due().heard() not in STOPPING:
            family.replace_ended()
    finally:
        family.end()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Family:
    """Processes that run, and jobs that wait for theirs."""

    def __init__(self, jobs: Sequence[Job], mask: set[signal.Signals | int]) -> None:
        self._mask = mask
        self._waiting = [(0.0, job) for job in jobs]
        self._running: dict[int, tuple[float, Job]] = {}

    def start_due(self) -> "_Family":
        now = time.monotonic()
        due = [job for moment, job in self._waiting if moment <= now]
        self._waiting = [(moment, job) for moment, job in self._waiting if moment > now]
        for job in due:
            try:
                self._running[_fork(job, self._mask)] = (now, job)
            except OSError as error:
                logger.error("%s: cannot be started: %s", job.name, error.strerror)
                self._waiting.append((now + SECOND_THOUGHT_SECONDS, job))
        return self

    def heard(self) -> int | None:
        """The next signal; None when a job is due before there is one."""
        if not self._waiting:
            return signal.sigwait(HEARD)
        patience = min(moment for moment, _ in self._waiting) - time.monotonic()
        told = signal.sigtimedwait(HEARD, max(0.0, patience))
        return None if told is None else told.si_signo

    def replace_ended(self) -> None:
        for began, job, how in self._ended():
            logger.warning("%s: a process ended (%s); another takes its place", job.name, how)
            self._waiting.append((began + SECOND_THOUGHT_SECONDS, job))

    def end(self) -> None:
        """Have everybody finish; those who do not in time are ended."""
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + ENDING_SECONDS
        while self._running and (left := until - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            list(self._ended())
        for pid, (_, job) in self._running.items():
            logger.error("%s: did not end within %g s", job.name, ENDING_SECONDS)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _ended(self) -> Iterator[tuple[float, Job, str]]:
        """Processes that ended since: when they began, their jobs, and how they ended."""
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # As the first process of a container it is left the orphans of others, too.
            if pid in self._running:
                yield *self._running.pop(pid), _told(status)


def _told(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"status {code}" if code >= 0 else f"signal {-code}"


def _fork(job: Job, mask: set[signal.Signals | int]) -> int:
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid == 0:
        _work(job, mask, parent)
    return pid


def _work(job: Job, mask: set[signal.Signals | int], parent: int) -> NoReturn:
    """Run a job and end this process, without what the parent meant to do at its own end."""
    status = 1
    try:
        _tie(job.name, parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        job.run()
        status = 0
    except SystemExit as told:
        # As the interpreter has it: nothing said is success, words are failure.
        status = told.code if isinstance(told.code, int) else int(told.code is not None)
    except Exception as error:  # noqa: BLE001  # whatever it is, only this process ends by it
        logger.error("%s: %s", job.name, place_of(error))
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _tie(name: str, parent: int) -> None:
    """Name this process, and have it end when its parent does."""
    if sys.platform != "linux":
        return
    control = ctypes.CDLL(None).prctl
    control(NAME, name.encode())
    control(PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit(1)
