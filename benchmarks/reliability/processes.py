"""Faults of processes and models: killed workers, damaged versions, promotions that race."""

import os
import signal
import socket
import statistics
import threading
import time

import psutil

from benchmarks.peers.processes import until
from benchmarks.reliability.finding import Finding
from benchmarks.reliability.served import Served, publish
from benchmarks.reliability.traffic import asked_bodies, traffic, unrecorded

__all__ = ["clock_jumps", "damaged_versions", "killed_workers", "racing_promotions"]

RECOVERY_SECONDS = 3.0
PATIENCE_SECONDS = 60.0
SERVED_SECONDS = 10.0
SHIFTS = (0.0, 0.3)
DAY = 86_400


def killed_workers(served: Served, short: bool) -> Finding:
    """SIGKILL for a worker every five seconds, under load."""
    kills, every = (1, 2.0) if short else (24, 5.0)
    # The short one runs among other tests, where a start may take its time.
    limit = PATIENCE_SECONDS if short else RECOVERY_SECONDS
    workers = served.count
    until(lambda: len(served.workers()) >= workers, PATIENCE_SECONDS)
    asked = asked_bodies()
    back: list[float] = []
    with traffic(served, asked) as found:
        for _ in range(kills):
            time.sleep(every / 2)
            back.append(_kill(served))
            time.sleep(max(0.0, every / 2 - back[-1]))
    missing = unrecorded(served, found)
    silence = found.longest_silence()
    answered, broken = len(found.acknowledged), found.statuses["broken"]
    others = sum(n for status, n in found.statuses.items() if status not in ("200", "broken"))
    return Finding(
        f"one of {workers} workers killed (SIGKILL) every {every:g} s, {kills} times, under load",
        f"{answered} answers acknowledged, {missing} without a record, {found.wrong} wrong; "
        f"{broken} connections broken, {others} other statuses; nobody answered for "
        f"{silence:.2f} s at most; the worker in the killed one's place answered after "
        f"{statistics.median(back):.2f} s in the median, {max(back):.2f} s at most",
        f"0 without a record, 0 wrong, all workers answer again within {limit:g} s",
        missing == 0 and found.wrong == 0 and others == 0 and silence < limit and max(back) < limit,
    )


def _kill(served: Served) -> float:
    """Seconds from the end of the oldest worker until the one in its place has answered."""
    before = served.workers()
    began = time.monotonic()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: _answers_from(served) not in (*before, None), PATIENCE_SECONDS)
    return time.monotonic() - began


def _answers_from(served: Served) -> int | None:
    """Worker that answers a new connection with 200 now: the one that holds its other end."""
    request = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as caller:
            caller.sendall(request)
            if not caller.recv(1024).startswith(b"HTTP/1.1 200"):
                return None
            port = caller.getsockname()[1]
            return next((pid for pid in served.workers() if port in _callers(pid)), None)
    except OSError:
        return None


def _callers(pid: int) -> set[int]:
    """Ports of those who are connected to a process."""
    try:
        held = psutil.Process(pid).net_connections("tcp4")
    except psutil.Error:
        return set()
    return {each.raddr.port for each in held if each.raddr}


def damaged_versions(served: Served, short: bool) -> Finding:
    """Versions with one changed bit are published under load."""
    rounds = 1 if short else 10
    asked = asked_bodies()
    noticed = 0
    with traffic(served, asked) as found:
        for i in range(rounds):
            publish(served.models_dir, f"{100 + i}", shift=0.5, spoil=True)
            noticed += until(lambda: served.get("/readyz")["status"] == "degraded", SERVED_SECONDS)
            publish(served.models_dir, "1")
            until(lambda: served.get("/readyz")["status"] == "ready", SERVED_SECONDS)
    missing = unrecorded(served, found)
    others = sum(n for status, n in found.statuses.items() if status != "200")
    return Finding(
        f"{rounds} versions with one changed bit published under load",
        f"{noticed} refused and told by /readyz; {len(found.acknowledged)} answers of the last "
        f"good version, {found.wrong} wrong, {others} not given, {missing} without a record",
        "none served, no answer lost",
        noticed == rounds and found.wrong == 0 and others == 0 and missing == 0,
    )


def racing_promotions(served: Served, short: bool) -> Finding:
    """Two promotions of two versions, again and again at once, under load."""
    rounds = 10 if short else 60
    asked = asked_bodies(SHIFTS)

    def promote(version: int) -> None:
        for _ in range(rounds):
            publish(served.models_dir, str(version), shift=SHIFTS[version - 1])

    with traffic(served, asked) as found:
        racers = [threading.Thread(target=promote, args=(version,)) for version in (1, 2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        publish(served.models_dir, "2", shift=SHIFTS[1])
        began = time.monotonic()
        served_last = until(lambda: served.version() == "2", SERVED_SECONDS)
        late = time.monotonic() - began
    missing = unrecorded(served, found)
    publish(served.models_dir, "1")
    served.wait_for("1", SERVED_SECONDS)
    others = sum(n for status, n in found.statuses.items() if status != "200")
    return Finding(
        f"two promotions racing, {rounds} each, under load",
        f"{len(found.acknowledged)} answers, each of one version or the other: {found.wrong} of "
        f"neither; {others} not given, {missing} without a record; the last one promoted answers "
        f"after {late:.1f} s",
        f"no mixture, no answer lost, last one served within {SERVED_SECONDS:g} s",
        served_last and found.wrong == 0 and others == 0 and missing == 0,
    )


def clock_jumps(served: Served, short: bool) -> Finding:
    """The wall clock of the server jumps back and forth under load."""
    pause = 0.4 if short else 3.0
    jumps = (DAY, -30, 3600, -3600, 20 * 365 * DAY, 0)
    asked = asked_bodies()
    with traffic(served, asked) as found:
        for jump in jumps:
            served.move_clock(jump)
            time.sleep(pause)
    missing = unrecorded(served, found)
    served.move_clock(-2 * 365 * DAY)
    with traffic(served, asked) as before:
        time.sleep(pause)
    served.move_clock(0)
    others = sum(n for status, n in found.statuses.items() if status != "200")
    refused = set(before.statuses) == {"422"}
    return Finding(
        "the wall clock of the server jumps: a day on, half a minute back, an hour on and back, "
        "twenty years on; then two years back",
        f"{len(found.acknowledged)} answers, {found.wrong} wrong, {others} not given, {missing} "
        f"without a record, chain of records whole; two years back, results of the future are "
        f"answered {', '.join(sorted(before.statuses))}",
        "no wrong answer, no lost record, no status but 422 for what lies in the future",
        found.wrong == 0 and others == 0 and missing == 0 and refused,
    )
