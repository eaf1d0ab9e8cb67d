"""Whether a log is whole: every record the one that was written, none missing before the last."""

from dataclasses import dataclass
from pathlib import Path

from serving.audit.record import GENESIS, chained
from serving.audit.sqlite import SqliteStore
from serving.audit.store import Store, store_of

__all__ = ["Verdict", "verify", "verify_file"]


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
    kept_at
        Place of the record with the hash that was kept; None where no record has it.
    """

    records: int
    head: str
    broken_at: int | None
    kept_at: int | None = None


def verify(directory: Path, url: str | None = None, *, kept: str | None = None) -> Verdict:
    """Verdict on the log of a server.

    Parameters
    ----------
    directory, url
        As for `serving.audit.store.store_of`.
    kept
        Hash of the last record at some time before. A log that was cut off, or changed and chained
        anew by somebody who may write to it, is whole in itself, and does not hold it any more.

    Raises
    ------
    AuditError
        If there is no log to read.
    """
    return _verdict(store_of(directory, url), kept)


def verify_file(path: Path, *, kept: str | None = None) -> Verdict:
    """Verdict on a copy that lies in a file of any name; see `verify`."""
    return _verdict(SqliteStore(path), kept)


def _verdict(store: Store, kept: str | None) -> Verdict:
    head, expected = GENESIS, 1
    kept_at = 0 if kept == GENESIS else None
    for seq, stored, record in store.rows():
        head = chained(head, expected, record)
        if seq != expected or stored != head:
            return Verdict(expected - 1, stored, expected, kept_at)
        kept_at = seq if head == kept else kept_at
        expected += 1
    return Verdict(expected - 1, head, None, kept_at)
