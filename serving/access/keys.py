"""API keys: 256 random bits each, kept only as SHA-256, scoped, dated, rotated with an overlap.

A key is as random as its hash is long, so a plain hash keeps it: there is no password to guess and
nothing that a slow hash would protect. The file is written whole by rename; servers read it again
when it changes, so a revoked key is refused within `LOOK_SECONDS`.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.errors import InputError
from serving.access.callers import Caller, check_scopes

__all__ = ["PREFIX", "ApiKey", "KeyRing", "add_key", "read_keys", "revoke_key", "rotate_key"]

logger = logging.getLogger("smoulder.serving")

PREFIX = "smoulder_"
"""So that a key is known for one where it should not be, in a repository or a mail."""

FILE = "keys.json"
LOOK_SECONDS = 1.0
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, InputError, RecursionError)
"""What reading a file may raise that holds anything, nested as deep as it is long."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without the key itself.

    Parameters
    ----------
    name
        Who holds it; an old and a new key may have the same one.
    sha256
        Hash of the key, hexadecimal.
    scopes
        What it opens.
    made, expires
        Moments, ISO 8601 in UTC; a key without `expires` lasts until it is revoked.
    """

    name: str
    sha256: str
    scopes: tuple[str, ...]
    made: str
    expires: str | None = None

    @property
    def id(self) -> str:
        """Short name of this very key: the beginning of its hash."""
        return self.sha256[:12]

    @property
    def expires_at(self) -> float:
        """End of its validity, seconds since 1970."""
        if self.expires is None:
            return float("inf")
        return datetime.fromisoformat(self.expires).timestamp()

    def caller(self, *, session: bool = False) -> Caller:
        """Whoever shows this key."""
        return Caller(f"key:{self.name}", frozenset(self.scopes), session)


def read_keys(directory: Path) -> list[ApiKey]:
    """Keys of an access directory; none when it holds no file of them.

    Raises
    ------
    InputError
        If the file is not one that `add_key` writes.
    """
    path = directory / FILE
    try:
        # A pipe would hold the reader for ever, and with it a worker.
        if path.exists() and not path.is_file():
            raise TypeError
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        keys = [ApiKey(**{**key, "scopes": tuple(key["scopes"])}) for key in found["keys"]]
        for key in keys:
            check_scopes(key.scopes)
            _ = key.expires_at, bytes.fromhex(key.sha256)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise InputError(str(path), "cannot be read as a file of API keys") from error
    return keys


def add_key(
    directory: Path, name: str, scopes: Iterable[str], *, days: float | None = None
) -> tuple[ApiKey, str]:
    """A new key; its text is told here and never again.

    Parameters
    ----------
    directory
        Access directory; made when absent.
    name
        Of its holder.
    scopes
        What it opens.
    days
        How long it lasts; for ever when omitted.
    """
    if NAME.fullmatch(name) is None:
        raise InputError("name", "expected up to 64 letters, digits, dots, hyphens or underscores")
    allowed = check_scopes(scopes)
    if days is not None and days <= 0:
        raise InputError("days", "must be above 0")
    with _changing(directory) as keys:
        key, text = _new(name, allowed, days)
        keys.append(key)
    return key, text


def revoke_key(directory: Path, which: str) -> list[ApiKey]:
    """Keys removed, by their holder's name or by the id of one of them.

    Raises
    ------
    InputError
        If there is none.
    """
    with _changing(directory) as keys:
        gone = _of(keys, which)
        keys[:] = [key for key in keys if key not in gone]
    return gone


def rotate_key(
    directory: Path, name: str, *, overlap_hours: float, days: float | None = None
) -> tuple[ApiKey, str]:
    """A new key for a holder; the old ones last for the overlap, and no longer.

    Raises
    ------
    InputError
        If the holder has no key.
    """
    if overlap_hours < 0:
        raise InputError("overlap-hours", "must be 0 or more")
    with _changing(directory) as keys:
        held = _of(keys, name)
        until = _now() + timedelta(hours=overlap_hours)
        for i, key in enumerate(keys):
            if key in held and key.expires_at > until.timestamp():
                keys[i] = replace(key, expires=_text(until))
        fresh, text = _new(held[-1].name, frozenset(held[-1].scopes), days)
        keys.append(fresh)
    return fresh, text


class KeyRing:
    """Keys as a server knows them, kept current with the file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._by_hash: dict[str, ApiKey] = {}
        self._stamp: tuple[int, ...] | None = None
        self._looked = float("-inf")

    def find(self, text: str) -> ApiKey | None:
        """Valid key of this text.

        Looked up by its hash: what time the look-up takes tells nothing about any key.
        """
        return self.of_hash(hashlib.sha256(text.encode()).hexdigest())

    def of_hash(self, sha256: str) -> ApiKey | None:
        """Valid key of this hash."""
        self._look()
        key = self._by_hash.get(sha256)
        return key if key is not None and time.time() < key.expires_at else None

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        stamp = _stamp(self._directory / FILE)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._by_hash = {key.sha256: key for key in read_keys(self._directory)}
            except InputError as error:
                # A file that cannot be read opens nothing: better nobody than somebody revoked.
                self._by_hash = {}
                logger.error("%s", error)


@contextmanager
def _changing(directory: Path) -> Iterator[list[ApiKey]]:
    """Keys to be changed by one process at a time and written whole."""
    import fcntl

    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = read_keys(directory)
        yield keys
        descriptor, fresh = tempfile.mkstemp(prefix=".keys-", dir=directory)
        with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
            json.dump({"keys": [asdict(key) for key in keys]}, sink, indent=1)
            sink.flush()
            os.fsync(sink.fileno())
        Path(fresh).replace(directory / FILE)


def _new(name: str, scopes: frozenset[str], days: float | None) -> tuple[ApiKey, str]:
    text = PREFIX + secrets.token_urlsafe(32)
    expires = None if days is None else _text(_now() + timedelta(days=days))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return ApiKey(name, digest, tuple(sorted(scopes)), _text(_now()), expires), text


def _of(keys: Iterable[ApiKey], which: str) -> list[ApiKey]:
    found = [key for key in keys if which in (key.name, key.id)]
    if not found:
        raise InputError("name", f"no key is held by or has the id {which!r}")
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
