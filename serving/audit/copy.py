"""A copy of a log as of one moment, in one file: a log in use is two, and `cp` may miss the second.

Records that were acknowledged last stand in the write-ahead log beside ``audit.db``. Without it the
file is a log as well, whole in itself, and shorter.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from features.errors import AuditError, InputError
from serving.audit.sqlite import SCHEMA
from serving.audit.store import Store, store_of
from serving.audit.verify import Verdict, verify_file

__all__ = ["copy_log"]


def copy_log(directory: Path, target: Path, url: str | None = None) -> Verdict:
    """Copy every record of a log, and check the copy.

    Parameters
    ----------
    directory, url
        Of the log, which may be in use; as for `serving.audit.store.store_of`.
    target
        SQLite file that must not exist; it appears whole, readable by its owner only.

    Raises
    ------
    InputError
        If the target exists.
    AuditError
        If there is no log to read, or the copy cannot be written.
    """
    if target.exists():
        raise InputError(str(target), "exists; choose another name for the copy")
    with tempfile.TemporaryDirectory(prefix=".audit-", dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        _fill(fresh, store_of(directory, url))
        verdict = verify_file(fresh)
        fresh.chmod(0o600)
        fresh.rename(target)
    return verdict


def _fill(path: Path, source: Store) -> None:
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(SCHEMA)
            connection.executemany("INSERT INTO audit VALUES (?, ?, ?)", source.rows())
    except sqlite3.Error as error:
        raise AuditError(f"{path.name}: cannot be written: {type(error).__name__}") from error
