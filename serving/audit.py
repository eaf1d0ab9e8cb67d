"""One durable record of every acknowledged answer, written before the reply leaves.

A record names the request, the time, the models and their hashes, and what they said; inputs and
the subject's identifier are there only as keyed hashes (HMAC-SHA256), so that a copy of the log
tells no patient's value, and yet a question – was this input answered, and how? – can be settled by
whoever holds the key. Records are chained: each hash covers the one before.

Several workers share one SQLite file (write-ahead log, full sync). A writer thread commits what has
gathered since its last commit as one transaction, so durability costs one sync per group. A record
that cannot be written is an answer that is not given.
"""

import hashlib
import hmac
import os
import queue
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from features.errors import AuditError
from serving.access.callers import CALLER
from serving.lineup import Card
from serving.values import Json

__all__ = ["AuditLog", "Verdict", "make_key", "record_of", "verify"]

LARGEST_GROUP = 256
BUSY_SECONDS = 5.0
GENESIS = "0" * 64
"""Hash before the first record."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT
"""


Written = Future[None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a log found.

    Parameters
    ----------
    records
        Number of records.
    head
        Hash of the last one; kept elsewhere, it shows a cut-off end as well.
    broken_at
        First record whose hash or place does not fit; None for a whole log.
    """

    records: int
    head: str
    broken_at: int | None


def make_key(directory: Path) -> Path:
    """Key file of a log's directory, made once and readable by its owner only."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "wb") as key:
        key.write(secrets.token_bytes(32))
    return path


def record_of(
    *, request_id: str, route: str, answer: Json, cards: dict[str, Card], keyed: Json
) -> Json:
    """Record of one answer.

    Parameters
    ----------
    request_id, route
        Of the request.
    answer
        Document as the caller gets it.
    cards
        Learned models that may have answered.
    keyed
        Keyed hashes of input and subject.
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "request_id": request_id,
        "route": route,
        "caller": CALLER.get(),
        **keyed,
        "as_of": answer["as_of"],
        "stage": answer["staging"]["stage"],
        "flags": sorted({warning["field"] for warning in answer["warnings"]}),
        "outputs": [_output(entry, cards.get(entry["model"])) for entry in answer["estimates"]],
    }


def _output(entry: Json, card: Card | None) -> Json:
    told = {key: entry[key] for key in ("model", "version", "status", "risks")}
    told["groups"] = entry.get("groups", [])
    if card is not None:
        told["sha256"] = card.provenance.get("sha256")
    return told


class AuditLog:
    """The log of one worker; other workers may write the same file.

    Parameters
    ----------
    directory
        Holds ``audit.db`` and ``key``.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "audit.db"
        self._directory = directory
        self._key = b""
        self._waiting: queue.SimpleQueue[tuple[list[Json], Written] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Read the key and start the writer."""
        self._key = make_key(self._directory).read_bytes()
        self._thread = threading.Thread(target=self._write, name="smoulder-audit", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then stop."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=BUSY_SECONDS)

    def keyed(self, content: object) -> str:
        """Keyed hash of anything JSON can hold; equal content has equal hashes."""
        text = msgspec.json.encode(content, order="sorted")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def append(self, records: Sequence[Json]) -> Written:
        """Hand records to the writer; the future is done when they are on disk."""
        written: Written = Future()
        self._waiting.put((list(records), written))
        return written

    def _write(self) -> None:
        """Commit group after group until told to stop."""
        while (first := self._waiting.get()) is not None:
            group, stopping = [first], False
            while len(group) < LARGEST_GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    stopping = True
                    break
                group.append(following)
            self._commit(group)
            if stopping:
                break
        if self._connection is not None:
            self._connection.close()

    def _commit(self, group: list[tuple[list[Json], Written]]) -> None:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            seq, head = _last(connection)
            for records, _ in group:
                for record in records:
                    seq, text = seq + 1, msgspec.json.encode(record).decode()
                    head = _chained(head, seq, text)
                    connection.execute("INSERT INTO audit VALUES (?, ?, ?)", (seq, head, text))
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._forget_connection()
            for _, written in group:
                written.set_exception(AuditError(f"the audit log: {type(error).__name__}"))
            return
        for _, written in group:
            written.set_result(None)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(SCHEMA)
        return self._connection

    def _forget_connection(self) -> None:
        """Close after a failure, undoing what was begun; the next group starts afresh."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _last(connection: sqlite3.Connection) -> tuple[int, str]:
    found = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(found[0]), str(found[1])) if found else (0, GENESIS)


def _chained(before: str, seq: int, record: str) -> str:
    return hashlib.sha256(f"{before}\n{seq}\n{record}".encode()).hexdigest()


def verify(path: Path) -> Verdict:
    """Whether every record is the one that was written, and none is missing before the last.

    Raises
    ------
    AuditError
        If there is no log to read.
    """
    if not path.is_file():
        raise AuditError(f"{path}: there is no audit log")
    head, expected = GENESIS, 1
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT seq, hash, record FROM audit ORDER BY seq")
        for seq, stored, record in rows:
            head = _chained(head, expected, record)
            if seq != expected or stored != head:
                return Verdict(expected - 1, stored, expected)
            expected += 1
    except sqlite3.Error as error:
        raise AuditError(f"{path}: cannot be read as an audit log") from error
    finally:
        connection.close()
    return Verdict(expected - 1, head, None)
