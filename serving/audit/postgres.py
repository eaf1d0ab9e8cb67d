"""Records in one PostgreSQL table that several replicas share.

One advisory lock per transaction makes one chain of all replicas' records: whoever holds it reads
the last record and adds its own. It is let go of at the end of the transaction, and with the
connection of a replica that dies.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from features.errors import AuditError
from serving.audit.record import GENESIS, chain
from serving.audit.store import NO_ROW, Row

__all__ = ["PostgresStore"]

LOCK = 0x534D4F554C444552
"""Of the chain: the word "SMOULDER" in ASCII."""

WAIT_SECONDS = 5
OPTIONS: dict[str, Any] = {
    "connect_timeout": WAIT_SECONDS,
    # A server that is gone without a word is noticed, whatever the network does.
    "tcp_user_timeout": WAIT_SECONDS * 1000,
    "keepalives_idle": WAIT_SECONDS,
    "options": (
        f"-c lock_timeout={WAIT_SECONDS}s -c statement_timeout={WAIT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={WAIT_SECONDS}s -c synchronous_commit=on"
    ),
    "application_name": "smoulder",
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq BIGINT PRIMARY KEY,
    hash TEXT NOT NULL,
    record TEXT NOT NULL
)
"""
INSERT = "INSERT INTO audit SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])"


class PostgresStore:
    """A table in a database.

    Parameters
    ----------
    url
        ``postgresql://…``; the password better in a password file or the environment.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def append(self, records: Sequence[str]) -> None:
        """Chain records to what is there and return when they are on disk, all or none."""
        try:
            connection = self._connected()
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                rows = list(chain(*_last(connection), records))
                connection.execute(INSERT, [[row[i] for row in rows] for i in range(3)])
        except (psycopg.Error, OSError) as error:
            self.close()
            raise AuditError(f"the audit log: {_words(error)}") from error

    def check(self) -> None:
        """Return when a record could be written, without writing any."""
        try:
            connection = self._connected()
            with connection.transaction(force_rollback=True):
                connection.execute(INSERT, [[each] for each in NO_ROW])
        except (psycopg.Error, OSError) as error:
            self.close()
            raise AuditError(f"the audit log: {_words(error)}") from error

    def rows(self) -> Iterator[Row]:
        """Every record by its place, in pages, as of one moment."""
        try:
            with psycopg.connect(self._url, **OPTIONS) as connection:
                connection.read_only = True
                with connection.cursor(name="audit") as cursor:
                    cursor.execute("SELECT seq, hash, record FROM audit ORDER BY seq")
                    yield from cursor
        except psycopg.errors.UndefinedTable as error:
            raise AuditError("there is no audit log in this database") from error
        except psycopg.Error as error:
            raise AuditError(f"the audit log cannot be read: {_words(error)}") from error

    def close(self) -> None:
        """Let go of the database, undoing what was begun."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = psycopg.connect(self._url, autocommit=True, **OPTIONS)
            self._connection = connection
            with connection.transaction():
                # Two replicas that make the table at once would stand in each other's way; one that
                # finds it needs no right to make any.
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                (there,) = connection.execute("SELECT to_regclass('audit')").fetchone() or (None,)
                if there is None:
                    connection.execute(SCHEMA)
        return self._connection


def _last(connection: psycopg.Connection) -> tuple[int, str]:
    found = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(found[0]), str(found[1])) if found else (0, GENESIS)


def _words(error: Exception) -> str:
    """What went wrong, without a record – as details have it – or a password of an address."""
    name = type(error).__name__
    # Where no server answered there is no record; where the address was not understood, it is told.
    answered = isinstance(error, psycopg.Error) and error.sqlstate
    if answered or not isinstance(error, psycopg.OperationalError):
        return name
    return f"{name}: {str(error).splitlines()[0].rpartition(': ')[2]}"
