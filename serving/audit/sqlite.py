"""Records in one SQLite file that the workers of one machine share."""

import itertools
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from features.errors import AuditError
from serving.audit.record import GENESIS, chain
from serving.audit.store import NO_ROW, Row

__all__ = ["SqliteStore"]

BUSY_SECONDS = 5.0
PAUSE_SECONDS = 0.0005
"""A commit takes about a millisecond. SQLite's own patience sleeps up to 0.1 s at a time."""

MOST_ROWS = 256
"""Of one statement; SQLite takes 32,766 values."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT
"""


class SqliteStore:
    """A file with a write-ahead log and full sync.

    Parameters
    ----------
    path
        Of the file; made when absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def append(self, records: Sequence[str]) -> None:
        """Chain records to what is there and return when they are on disk, all or none."""
        try:
            connection = self._connected()
            _patiently(connection, "BEGIN IMMEDIATE")
            rows = list(chain(*_last(connection), records))
            for start in range(0, len(rows), MOST_ROWS):
                _insert(connection, rows[start : start + MOST_ROWS])
            # Never busy: SQLite guarantees it once BEGIN IMMEDIATE is through (rescode.html#busy),
            # and the checkpoint that may follow leaves alone what somebody still reads.
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self.close()
            # SQLite's own words, such as "database or disk is full"; they hold nothing of a record.
            raise AuditError(f"the audit log: {error}") from error

    def check(self) -> None:
        """Return when a record could be written, without writing any."""
        try:
            connection = self._connected()
            _patiently(connection, "BEGIN IMMEDIATE")
            # A file that must not be written is open all the same, and only this shows it.
            _insert(connection, [NO_ROW])
            connection.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise AuditError(f"the audit log: {error}") from error

    def rows(self) -> Iterator[Row]:
        """Every record by its place, read without writing."""
        if not self.path.is_file():
            raise AuditError(f"{self.path}: there is no audit log")
        address = f"{self.path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as connection:
                yield from connection.execute("SELECT seq, hash, record FROM audit ORDER BY seq")
        except sqlite3.Error as error:
            raise AuditError(f"{self.path}: cannot be read as an audit log") from error

    def close(self) -> None:
        """Let go of the file, undoing what was begun."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self.path, timeout=0, isolation_level=None)
            self._connection = connection
            _patiently(connection, "PRAGMA journal_mode = WAL")
            _patiently(connection, "PRAGMA synchronous = FULL")
            _patiently(connection, SCHEMA)
        return self._connection


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Add rows by one statement: each lets go of the interpreter, and waits to have it back."""
    places = ", ".join(["(?, ?, ?)"] * len(rows))
    statement = f"INSERT INTO audit VALUES {places}"  # noqa: S608  # question marks only
    connection.execute(statement, list(itertools.chain.from_iterable(rows)))


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement as soon as no other connection is in its way, or give up.

    Looked at again and again here, since SQLite does not wait at all for a file's change to a
    write-ahead log, and for another writer it waits longer and longer.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            # The low byte: a log that another connection puts in order again is busy as well.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _last(connection: sqlite3.Connection) -> tuple[int, str]:
    found = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(found[0]), str(found[1])) if found else (0, GENESIS)
