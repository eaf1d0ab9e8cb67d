"""The supervisor: processes copied from this one, each replaced at once when it ends.

Workers are forked from a process that has everything imported and holds nothing they could share to
their harm – no thread, no connection, no event loop – so that a new one answers in a fraction of a
second on a busy machine, where an interpreter that starts anew takes seconds. Signals are all it
listens to, and the pulse of those that have one is all it looks at. A process whose supervisor is
gone ends as well.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from serving.forking import fork
from serving.pulse import Pulsing

__all__ = ["Job", "ending_properly", "keep_running"]

logger = logging.getLogger("smoulder.supervisor")

STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}

SECOND_THOUGHT_SECONDS = 1.0
"""Least time between two starts of a job: one that fails at once must not keep a core busy."""

ENDING_SECONDS = 30.0
"""For what has begun to be finished and recorded, once told to stop."""

LOOK_SECONDS, SILENT_LOOKS = 5.0, 6
"""How often pulses are looked at, and how often in vain before a process is taken to hang.

Looks are counted: seconds would run on while the supervisor itself was stopped or starved.
"""

PATIENT_LOOKS = 60
"""As many for a process that starts, which may try models out one by one, 20 s each at most."""

POLL_SECONDS = 0.05


@contextmanager
def ending_properly() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end what is done here as Ctrl-C does: with its cleaning up, once."""

    def end(number: int, _: object) -> NoReturn:
        for each in former:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    told = (signal.SIGTERM, signal.SIGHUP)
    former = [each for each in told if signal.getsignal(each) is signal.SIG_DFL]
    for each in former:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in former:
            if signal.getsignal(each) is end:  # who was told to stop stays deaf until the end
                signal.signal(each, signal.SIG_DFL)


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
    pulse
        Which `run` keeps up from when its work begins; without one, nobody asks whether it hangs.
    patient
        Whether it may be silent for as long as a start may take while it works, too.
    absent
        Called here when nobody does it, and for longer than it takes to replace one that ended: its
        process cannot be started, ended before its work began, or does not come to it.
    """

    name: str
    run: Callable[[], object]
    pulse: Pulsing | None = None
    patient: bool = False
    absent: Callable[[], object] = lambda: None


def keep_running(jobs: Sequence[Job], at_end: Callable[[], object] = lambda: None) -> None:
    """Run every job in a process of its own until told to stop by SIGTERM, SIGINT or SIGHUP.

    Call it from the main thread of a process without others: a fork copies no thread. Afterwards
    these signals are ignored, and the process is to end by itself.

    Parameters
    ----------
    jobs
        One process each; one that ends, for whatever reason, is started again, and so is one whose
        pulse stops.
    at_end
        Called when told to stop, before the processes are.
    """
    stopping = STOPPING
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as `nohup` has it
        stopping = STOPPING - {signal.SIGHUP}
    # With SIGCHLD ignored, as whoever starts this may have left it, no end would be told.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    heard = {signal.SIGCHLD, *stopping}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    family = _Family(jobs, mask)
    try:
        while _next_of(heard, family.start_due()) not in stopping:
            family.replace_ended()
            family.end_silent()
    finally:
        at_end()
        family.end()
        for each in stopping:
            # Told again, it must not end in the midst of what its caller has still to do.
            signal.signal(each, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Process:
    """A job that runs, and how often in a row its pulse stood still."""

    def __init__(self, job: Job, began: float) -> None:
        self.job, self.began = job, began
        self.silent = 0
        self._first = self._seen = self._count()

    def look(self) -> None:
        """Whether there was a beat since the last look."""
        count = self._count()
        beat = count != self._seen
        self.silent = 0 if beat or self.job.pulse is None else self.silent + 1
        self._seen = count

    @property
    def works(self) -> bool:
        """Whether there ever was a beat."""
        return self._count() != self._first

    @property
    def hangs(self) -> bool:
        """Whether it has been silent for too long."""
        in_haste = self.works and not self.job.patient
        return self.silent >= (SILENT_LOOKS if in_haste else PATIENT_LOOKS)

    def _count(self) -> int:
        return self.job.pulse.count if self.job.pulse else 0


class _Family:
    """Processes that run, and jobs that wait for theirs."""

    def __init__(self, jobs: Sequence[Job], mask: set[signal.Signals | int]) -> None:
        self._mask = mask
        self._waiting = [(0.0, job) for job in jobs]
        self._running: dict[int, _Process] = {}
        self._look = time.monotonic() + LOOK_SECONDS

    def start_due(self) -> float:
        """Start the jobs that are due; seconds until something else is."""
        now = time.monotonic()
        due = [job for moment, job in self._waiting if moment <= now]
        self._waiting = [(moment, job) for moment, job in self._waiting if moment > now]
        for job in due:
            process = _Process(job, now)
            try:
                self._running[fork(job.name, job.run, self._mask)] = process
            except OSError as error:
                logger.error("%s: cannot be started: %s", job.name, error.strerror)
                self._waiting.append((now + SECOND_THOUGHT_SECONDS, job))
                job.absent()
        return min([self._look, *(moment for moment, _ in self._waiting)]) - time.monotonic()

    def replace_ended(self) -> None:
        for process, how in self._ended():
            name = process.job.name
            logger.warning("%s: a process ended (%s); another takes its place", name, how)
            self._waiting.append((process.began + SECOND_THOUGHT_SECONDS, process.job))
            if not process.works:
                process.job.absent()

    def end_silent(self) -> None:
        """End processes whose work stands still; others take their places."""
        if (now := time.monotonic()) < self._look:
            return
        self._look = now + LOOK_SECONDS
        for pid, process in self._running.items():
            process.look()
            if process.silent >= SILENT_LOOKS and not process.works:
                process.job.absent()
            if process.hangs:
                seconds = LOOK_SECONDS * process.silent
                logger.error("%s: a process hangs, silent for %g s", process.job.name, seconds)
                os.kill(pid, signal.SIGKILL)
                process.silent = 0

    def end(self) -> None:
        """Have everybody finish; those who do not in time are ended."""
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + ENDING_SECONDS
        while self._running and (left := until - time.monotonic()) > 0:
            _next_of({signal.SIGCHLD}, left)
            list(self._ended())
        for pid, process in self._running.items():
            logger.error("%s: did not end within %g s", process.job.name, ENDING_SECONDS)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _ended(self) -> Iterator[tuple[_Process, str]]:
        """Processes that ended since, and how."""
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # As the first process of a container it is left the orphans of others, too.
            if pid in self._running:
                yield self._running.pop(pid), _told(status)


def _next_of(signals: set[signal.Signals], seconds: float) -> int | None:
    """The next of some blocked signals; None when there is none in time."""
    if not hasattr(signal, "sigtimedwait"):  # macOS
        return _next_polled(signals, seconds)
    told = signal.sigtimedwait(signals, max(0.0, seconds))
    return None if told is None else told.si_signo


def _next_polled(signals: set[signal.Signals], seconds: float) -> int | None:
    until = time.monotonic() + seconds
    while not (told := signals & signal.sigpending()):
        if time.monotonic() >= until:
            return None
        time.sleep(POLL_SECONDS)
    return signal.sigwait(told)


def _told(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"status {code}" if code >= 0 else f"signal {-code}"
