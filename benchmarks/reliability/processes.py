"""Faults of processes and models: killed workers, damaged versions, promotions that race."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable

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
    _until(lambda: len(served.workers()) >= workers, PATIENCE_SECONDS)
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
        f"{broken} connections broken, {others} other statuses; longest silence {silence:.2f} s; "
        f"worker back with its models after {max(back):.2f} s at most",
        f"0 without a record, 0 wrong, recovery below {limit:g} s",
        missing == 0 and found.wrong == 0 and others == 0 and silence < limit and max(back) < limit,
    )


def _kill(served: Served) -> float:
    """Seconds from the end of a worker until another has its models."""
    starts, began = served.starts(), time.monotonic()
    served.kill_a_worker()
    _until(lambda: served.starts() > starts, PATIENCE_SECONDS)
    return time.monotonic() - began


def damaged_versions(served: Served, short: bool) -> Finding:
    """Versions with one changed bit are published under load."""
    rounds = 1 if short else 10
    asked = asked_bodies()
    noticed = 0
    with traffic(served, asked) as found:
        for i in range(rounds):
            publish(served.models_dir, f"{100 + i}", shift=0.5, spoil=True)
            noticed += _until(lambda: _ready(served)["status"] == "degraded", SERVED_SECONDS)
            publish(served.models_dir, "1")
            _until(lambda: _ready(served)["status"] == "ready", SERVED_SECONDS)
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
        served_last = _until(lambda: _version(served) == "2", SERVED_SECONDS)
        late = time.monotonic() - began
    missing = unrecorded(served, found)
    publish(served.models_dir, "1")
    _until(lambda: {_version(served) for _ in range(12)} == {"1"}, SERVED_SECONDS)
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
    refused = set(before.statuses) <= {"422", "200"}
    return Finding(
        "the wall clock of the server jumps: a day on, half a minute back, an hour on and back, "
        "twenty years on; then two years back",
        f"{len(found.acknowledged)} answers, {found.wrong} wrong, {others} not given, {missing} "
        f"without a record, chain of records whole; two years back, results of the future are "
        f"answered {', '.join(sorted(before.statuses))}",
        "no wrong answer, no lost record, no status but 422 for what lies in the future",
        found.wrong == 0 and others == 0 and missing == 0 and refused,
    )


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes to hold in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


def _get(served: Served, path: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{served.url}{path}", timeout=10) as answer:
        found: dict[str, str] = json.load(answer)
        return found


def _ready(served: Served) -> dict[str, str]:
    return _get(served, "/readyz")


def _version(served: Served) -> str:
    return _get(served, "/v1/models/smm-progression")["version"]
