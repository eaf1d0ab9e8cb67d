"""Faults of the audit log: its disk is full, somebody else holds it, its database restarts."""

import contextlib
import resource
import sqlite3
import time
from collections import Counter

from benchmarks.peers.postgres import Postgres
from benchmarks.reliability.finding import Finding
from benchmarks.reliability.served import Served
from benchmarks.reliability.traffic import Traffic, asked_bodies, traffic, unrecorded

__all__ = ["full_disk", "locked_log", "restarted_database"]

BUSY_SECONDS = 5.0
"""How long the service waits for a log that somebody holds."""


def full_disk(served: Served, short: bool) -> Finding:
    """The kernel refuses every write of the workers beyond the size that the log has."""
    hold = 1.5 if short else 10.0
    asked = asked_bodies()
    with traffic(served, asked) as found:
        time.sleep(0.5)
        marks = [found.statuses.copy()]
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        # Below a page: neither log nor write-ahead log can grow, nor be rewritten.
        for worker in served.workers():
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        time.sleep(hold)
        marks.append(found.statuses.copy())
        for worker in served.workers():
            resource.prlimit(worker, resource.RLIMIT_FSIZE, unlimited)
        freed = time.monotonic()
        time.sleep(1.0)
    missing = unrecorded(served, found)
    return _finding(
        f"the disk of the audit log full for {hold:g} s, under load", found, marks, freed, missing
    )


def locked_log(served: Served, short: bool) -> Finding:
    """Another program holds the log's write lock for longer than the service waits."""
    hold = BUSY_SECONDS + (1.0 if short else 10.0)
    asked = asked_bodies()
    with traffic(served, asked) as found:
        time.sleep(0.5)
        path = served.audit_dir / "audit.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            marks = [found.statuses.copy()]
            time.sleep(hold)
            marks.append(found.statuses.copy())
            other.execute("ROLLBACK")
        freed = time.monotonic()
        time.sleep(1.0)
    missing = unrecorded(served, found)
    return _finding(
        f"the audit log locked by another program for {hold:g} s, under load",
        found,
        marks,
        freed,
        missing,
    )


def restarted_database(served: Served, short: bool) -> Finding:
    """PostgreSQL, which keeps the records of this server, crashes and is started again."""
    hold = 1.5 if short else 10.0
    asked = asked_bodies()
    database = Postgres()
    try:
        database.start(durable=True)
        with Served(served.home / "replica", audit_url=database.create("audit")) as replica:
            with traffic(replica, asked) as found:
                time.sleep(0.5)
                marks = [found.statuses.copy()]
                database.stop("immediate")
                time.sleep(hold)
                marks.append(found.statuses.copy())
                database.start(durable=True)
                freed = time.monotonic()
                time.sleep(4.0)
            missing = unrecorded(replica, found)
    finally:
        database.remove()
    return _finding(
        f"PostgreSQL with the records crashes (immediate stop) and is started {hold:g} s later, "
        "under load",
        found,
        marks,
        freed,
        missing,
    )


def _finding(
    fault: str, found: Traffic, marks: list[Counter[str]], freed: float, missing: int
) -> Finding:
    during = marks[1] - marks[0]
    first = min(
        (moment for moment, _ in found.acknowledged if moment > freed), default=float("inf")
    )
    strange = set(found.statuses) - {"200", "503"}
    return Finding(
        fault,
        f"meanwhile {during['503']} answers of 503 and {during['200']} of 200; over all "
        f"{len(found.acknowledged)} acknowledged, {missing} without a record, {found.wrong} wrong; "
        f"answers again {max(0.0, first - freed):.2f} s after it ended",
        "503 instead of an answer without a record; answers again within 3 s",
        missing == 0
        and found.wrong == 0
        and not strange
        and during["503"] > 0
        and first - freed < 3.0,
    )
