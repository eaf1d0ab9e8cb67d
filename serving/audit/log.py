"""The log of one worker: a queue, a writer thread, and a store."""

import hmac
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from features.errors import AuditError
from serving.audit.key import make_key
from serving.audit.store import store_of
from serving.values import Json

__all__ = ["AuditLog"]

LARGEST_GROUP = 256
CLOSING_SECONDS = 10.0

Written = Future[None]


class AuditLog:
    """The log of one worker; other workers and replicas may write to the same store.

    Parameters
    ----------
    directory
        Holds ``key``, and ``audit.db`` when there is no `url`.
    url
        Of a PostgreSQL database instead. Replicas that share it must share the key as well, or
        equal inputs would have different hashes.
    """

    def __init__(self, directory: Path, url: str | None = None) -> None:
        self.path = directory / "audit.db"
        self.fault: str | None = None
        """Why the last records could not be written; None when they were."""
        self._directory = directory
        self._file = None if url else self.path
        self._written_to: tuple[int, int] | None = None
        self._store = store_of(directory, url)
        self._key = b""
        self._waiting: queue.SimpleQueue[tuple[list[Json], Written] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Read the key and start the writer."""
        self._key = make_key(self._directory, self._store)
        self._thread = threading.Thread(target=self._write, name="smoulder-audit", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then stop."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=CLOSING_SECONDS)

    def keyed(self, content: object) -> str:
        """Keyed hash of anything JSON can hold; equal content has equal hashes."""
        # A number that keeps its printed digits hashes as the number that it is.
        text = msgspec.json.encode(content, order="sorted", enc_hook=float)
        return hmac.digest(self._key, text, "sha256").hex()

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
        self._store.close()

    def _commit(self, group: list[tuple[list[Json], Written]]) -> None:
        records = [record for records, _ in group for record in records]
        try:
            self._store.append([msgspec.json.encode(record).decode() for record in records])
            self._check_place()
        except Exception as error:  # noqa: BLE001  # the writer must outlive whatever a driver raises
            fault = error if isinstance(error, AuditError) else AuditError(type(error).__name__)
            self.fault = str(fault)
            for _, written in group:
                written.set_exception(fault)
            return
        self.fault = None
        for _, written in group:
            written.set_result(None)

    def _check_place(self) -> None:
        """Make sure that what was written is in the log, and not in a file that was put away.

        A file stays open when it is moved or removed, and would take records to nowhere.
        """
        if self._file is None:
            return
        try:
            found = self._file.stat()
            place = found.st_dev, found.st_ino
        except OSError:
            place = None
        known, self._written_to = self._written_to, place
        if place is None or known not in (None, place):
            self._store.close()
            raise AuditError("the audit log: its file was moved or replaced")
