"""A file of random bytes that keys something: made once, and never used when it is not whole."""

import os
import secrets
import time
from pathlib import Path

from features.errors import InputError

__all__ = ["LEAST_BYTES", "key_of"]

LEAST_BYTES = 32
"""With fewer – an empty file, say, left where power failed – anybody could guess what it keys."""

PATIENCE_SECONDS = 1.0


def key_of(path: Path) -> bytes:
    """Content of a key file, which is made when absent, readable by its owner only.

    Raises
    ------
    InputError
        If it is not a file of at least `LEAST_BYTES`.
    OSError
        If it cannot be made or read.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "wb") as sink:
        sink.write(secrets.token_bytes(LEAST_BYTES))
        sink.flush()
        os.fsync(sink.fileno())
    return path.read_bytes()


def _read(path: Path) -> bytes:
    # Whoever made it a moment ago may not have written it yet.
    until = time.monotonic() + PATIENCE_SECONDS
    while path.is_file():
        if len(found := path.read_bytes()) >= LEAST_BYTES:
            return found
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    raise InputError(str(path), f"expected a file of at least {LEAST_BYTES} random bytes")
