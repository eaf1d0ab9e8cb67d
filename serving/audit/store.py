"""Where records are kept: what a writer needs of a database."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from features.errors import InputError

__all__ = ["NO_ROW", "Row", "Store", "store_of"]

Row = tuple[int, str, str]
"""Place, hash and text of a record."""

NO_ROW: Row = (0, "", "")
"""Written and undone again, to see whether it can be."""


class Store(Protocol):
    """A database of records; every method raises `AuditError` where it cannot do what it says."""

    def append(self, records: Sequence[str]) -> None:
        """Chain records to what is there and return when they are on disk, all or none."""

    def check(self) -> None:
        """Return when a record could be written, without writing any."""

    def rows(self) -> Iterator[Row]:
        """Every record by its place."""

    def close(self) -> None:
        """Let go of the database; the next use opens it anew."""


def store_of(directory: Path, url: str | None = None) -> Store:
    """Store that a server writes to.

    Parameters
    ----------
    directory
        Holds ``audit.db`` when there is no `url`.
    url
        ``postgresql://…`` of a database that several replicas share.

    Raises
    ------
    InputError
        If the address is of another kind, or the driver is not installed.
    """
    if not url:
        from serving.audit.sqlite import SqliteStore

        return SqliteStore(directory / "audit.db")
    if not url.startswith(("postgresql://", "postgres://")):
        raise InputError("audit-url", "expected postgresql://…")
    try:
        from serving.audit.postgres import PostgresStore
    except ImportError:
        raise InputError(
            "audit-url", "PostgreSQL needs the extra 'postgres': pip install 'smoulder[postgres]'"
        ) from None
    return PostgresStore(url)
