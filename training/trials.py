"""Finished trials of a search, and who of several workers may do which.

Trials are kept in an Optuna study: beside MLflow in a file, or in a PostgreSQL database that
workers on several machines share. A worker claims a setting before it tries it, by a lock that is
let go of when its process dies: an advisory lock of a transaction in PostgreSQL, a locked file
beside a database in a file. A trial is written whole when it is finished, so that a database holds
finished ones only, each once.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError
from features.history import Floats

__all__ = ["Trials", "open_storage", "open_trials"]

POINT, LOSSES, SETTINGS, WORKER = "point", "losses", "settings", "worker"
SQLITE = "sqlite"
FIELD = "--trials"
EXPECTED = "expected postgresql://user@host/database or sqlite:///file"
TRY = text("select pg_try_advisory_xact_lock(:key)")
WAIT = text("select pg_advisory_xact_lock(:key)")
# A machine that lost its network says no farewell: the server lets go of its locks after a minute.
# One that is at work for long is not idle, and one that waits is not stuck, whatever the server
# thinks of their transactions.
WHILE_CLAIMED = [
    text(f"set local {name} = {value}")
    for name, value in (
        ("tcp_keepalives_idle", 30),
        ("tcp_keepalives_interval", 10),
        ("tcp_keepalives_count", 3),
        ("idle_in_transaction_session_timeout", 0),
        ("lock_timeout", 0),
        ("statement_timeout", 0),
    )
]


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials of one search.

    Parameters
    ----------
    study
        Optuna's.
    engine
        Of its database; None in memory.
    """

    study: Any
    engine: Engine | None

    def losses(self) -> Mapping[int, Floats]:
        """Losses of every finished setting in the inner folds, by the setting's place."""
        import optuna

        finished = (optuna.trial.TrialState.COMPLETE,)
        done = self.study.get_trials(deepcopy=False, states=finished)
        return {trial.user_attrs[POINT]: np.array(trial.user_attrs[LOSSES]) for trial in done}

    def add(self, point: int, settings: Mapping[str, float | int], losses: Floats) -> None:
        """Keep what a setting lost in every inner fold."""
        import optuna

        told = {POINT: point, SETTINGS: dict(settings), LOSSES: losses.tolist()}
        told[WORKER] = f"{gethostname()} {os.getpid()}"
        done = optuna.trial.create_trial(value=float(losses.mean()), user_attrs=told)
        self.study.add_trial(done)

    @contextmanager
    def claim(self, point: int, *, wait: bool) -> Iterator[bool]:
        """Whether a setting is ours until the block ends, and nobody else's.

        With `wait` it becomes ours when the worker that has it is done with it, or dead.
        """
        if self.engine is None:
            yield True
            return
        with _locked(self.engine, f"{self.study.study_name} {point}", wait=wait) as ours:
            yield ours


@contextmanager
def open_trials(name: str, url: str | None) -> Iterator[Trials]:
    """Trials of one search, begun now or earlier, here or elsewhere.

    Parameters
    ----------
    name
        Unlike that of any other search.
    url
        Of the database; None keeps trials in memory.

    Raises
    ------
    InputError
        If the database cannot be used.
    """
    import optuna

    optuna.logging.set_verbosity(logging.WARNING)
    with nullcontext() if url is None else open_storage(url) as storage, _one_line():
        study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True)
        yield Trials(study, None if storage is None else storage.engine)


@contextmanager
def open_storage(url: str) -> Iterator[Any]:
    """Optuna's storage behind a URL; tables of a new one are made by one process at a time.

    Raises
    ------
    InputError
        If there is no database of a kind that workers can share, or none that answers.
    """
    from optuna.storages import RDBStorage

    try:
        with _one_line():
            place = _place(url)
            # A database in a file waits for its turn instead of failing.
            waits = {"timeout": 60} if place.get_backend_name() == SQLITE else {}
            address = place.render_as_string(hide_password=False)
            with _locked(create_engine(place, poolclass=NullPool), "tables", wait=True):
                storage = RDBStorage(address, engine_kwargs={"connect_args": waits})
    except ImportError as error:
        raise InputError(FIELD, "type: pip install 'smoulder[postgres]'") from error
    except RuntimeError as error:
        raise InputError(FIELD, "its tables are of another version of Optuna") from error
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _place(url: str) -> URL:
    try:
        place = make_url(url)
    except ValueError as error:
        # SQLAlchemy lets the error of a port that is no number through.
        raise InputError(FIELD, EXPECTED) from error
    if place.drivername in ("postgres", "postgresql"):
        place = place.set(drivername="postgresql+psycopg")
    if place.get_backend_name() not in (SQLITE, "postgresql") or not place.database:
        raise InputError(FIELD, EXPECTED)
    return place


@contextmanager
def _locked(engine: Engine, name: str, *, wait: bool) -> Iterator[bool]:
    """A lock of this name in a database, if nobody has it or when nobody has it any more."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    if engine.dialect.name == SQLITE:
        with _locked_file(
            Path(f"{engine.url.database}-{key % 2**64:016x}.lock"), wait=wait
        ) as ours:
            yield ours
        return
    with engine.begin() as connection:
        for setting in WHILE_CLAIMED:
            connection.execute(setting)
        if wait:
            connection.execute(WAIT, {"key": key})
        yield wait or bool(connection.scalar(TRY, {"key": key}))


@contextmanager
def _locked_file(path: Path, *, wait: bool) -> Iterator[bool]:
    lock = FileLock(path, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        # Whoever waits for it finds out that it has gone, and makes it again.
        with suppress(OSError):
            path.unlink()
        lock.release()


@contextmanager
def _one_line() -> Iterator[None]:
    """Errors of Optuna and its database as one of ours, without address or password."""
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise InputError(FIELD, f"the database cannot be used; {EXPECTED}") from error
