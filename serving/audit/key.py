"""The key of a log's hashes: made with the log, and never made anew for records that have one."""

from pathlib import Path

from features.errors import AuditError, InputError
from serving.audit.store import Store
from serving.keyfile import key_of

__all__ = ["make_key"]


def make_key(directory: Path, store: Store) -> bytes:
    """Key of a log's directory, made once and readable by its owner only.

    Parameters
    ----------
    directory
        Holds ``key``.
    store
        Of the records that it keys.

    Raises
    ------
    InputError
        If it is there and no key: hashes under an empty one could be guessed by anybody. If it is
        lost: under another one no input could be found among the records any more.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "key"
    if not path.exists() and _has_records(store):
        raise InputError(
            str(path),
            "is missing, and the log has records that it keys; put it back. Where it is lost, "
            "'head -c 32 /dev/urandom' makes another, under which no earlier input is found",
        )
    return key_of(path)


def _has_records(store: Store) -> bool:
    try:
        return next(store.rows(), None) is not None
    except AuditError:
        return False  # no log yet, or one that no record can be written to either
