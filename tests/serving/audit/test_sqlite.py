"""Faults of the disk: full, locked; then the log goes on where it was."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from features.errors import AuditError
from serving.audit import AuditLog, verify
from serving.audit import sqlite as module
from serving.audit.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]

FULL = """
import json, resource, sys
from pathlib import Path
from features.errors import AuditError
from serving.audit import AuditLog

log = AuditLog(Path(sys.argv[1]))
log.open()
log.append([{"n": 0}]).result(timeout=60)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
refused = written = 0
for _ in range(40):
    try:
        log.append([{"text": "x" * 20_000}]).result(timeout=60)
        written += 1
    except AuditError:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append([{"n": "again"}]).result(timeout=60)
log.close()
print(json.dumps([written, refused]))
"""


def test_a_full_disk_refuses_records_whole_and_space_lets_them_in_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written, refused = json.loads(done.stdout)
    assert refused > 0
    verdict = verify(tmp_path)
    assert verdict.broken_at is None
    # The first, those acknowledged, and the one after; a refused record is not there by half.
    assert verdict.records == 1 + written + 1


def test_a_locked_file_refuses_after_its_patience_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)
    log = AuditLog(tmp_path)
    log.open()
    log.append([{"n": 1}]).result(timeout=60)
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AuditError, match="the audit log: database is locked"):
            log.append([{"n": 2}]).result(timeout=60)
        other.execute("ROLLBACK")
    log.append([{"n": 3}]).result(timeout=60)
    log.close()
    assert verify(tmp_path).records == 2


WRITER = """
import sys
from pathlib import Path
from serving.audit.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
store.append([])
print(flush=True)
sys.stdin.readline()
for i in range(150):
    store.append([f'{{"n":{i},"writer":{sys.argv[2]}}}', "{}"])
"""

HOLDER = """
import sqlite3, sys, time
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
holder.execute("INSERT INTO audit VALUES (1000, 'half', 'done')")
print(flush=True)
time.sleep(60)
"""


def started(script: str, *words: object) -> "subprocess.Popen[str]":
    """A process that has said that it is where it is wanted."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_processes_that_write_at_once_lose_nothing_and_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    SqliteStore(path).append([])
    with started(WRITER, path, 1) as one, started(WRITER, path, 2) as other:
        for writer in (one, other):
            assert writer.stdin is not None
            writer.stdin.write("\n")
            writer.stdin.flush()
        assert one.wait(timeout=60) == other.wait(timeout=60) == 0
    verdict = verify(tmp_path)
    # Two processes, 150 groups each, two records a group.
    assert (verdict.records, verdict.broken_at) == (600, None)
    with closing(sqlite3.connect(path)) as connection:
        written = [json.loads(row[0]) for row in connection.execute("SELECT record FROM audit")]
    for name in (1, 2):
        own = [record["n"] for record in written if record.get("writer") == name]
        assert own == list(range(150))
    # A group is written whole: each first record has its second right behind it.
    assert written[1::2] == [{}] * 300


def test_a_writer_that_is_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.open()
    log.append([{"n": 1}]).result(timeout=60)
    with started(HOLDER, log.path) as holder:
        waiting = log.append([{"n": 2}])
        time.sleep(0.1)
        assert not waiting.done()
        holder.kill()
        waiting.result(timeout=60)
    log.close()
    verdict = verify(tmp_path)
    assert (verdict.records, verdict.broken_at) == (2, None)


def test_a_commit_waits_for_nobody_who_reads_or_puts_the_log_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "audit.db")
    store.append(["{}"])
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(store.path, timeout=0, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM audit").fetchall() == [(1,)]
        # More than the 1000 pages after which a commit checkpoints, beside one who reads.
        for _ in range(2):
            store.append([json.dumps("x" * 5_000_000)])
        with closing(sqlite3.connect(store.path, timeout=0)) as other:
            ((busy, *_),) = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert busy == 1
        store.append(["{}"])
        reader.execute("COMMIT")
    store.close()
    verdict = verify(tmp_path)
    assert (verdict.records, verdict.broken_at) == (4, None)


def test_a_clock_that_jumps_breaks_no_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path)
    log.open()
    now = time.time()
    for shift in (0.0, -86_400.0 * 365, 86_400.0 * 365, 0.0):
        monkeypatch.setattr(time, "time", lambda shift=shift: now + shift)
        log.append([{"shift": shift}]).result(timeout=60)
    log.close()
    verdict = verify(tmp_path)
    assert (verdict.records, verdict.broken_at) == (4, None)


def test_whether_records_could_be_written_is_known_without_one(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "audit.db")
    store.append(["{}"])
    store.check()
    store.close()
    assert verify(tmp_path).records == 1
    # As a file of somebody else is, which root could write to all the same.
    connection = store._connected()
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(AuditError, match="attempt to write a readonly database"):
        store.check()
