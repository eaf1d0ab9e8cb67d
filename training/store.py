"""Where MLflow keeps runs and versions: its settings, its database, and its errors as ours."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import mlflow
from filelock import FileLock
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from sqlalchemy.exc import SQLAlchemyError

from features.errors import RegistryError

__all__ = ["Store", "registry_errors", "settled"]

Written = TypeVar("Written")

PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
PATIENCE_SECONDS = 5.0

HOST, PROCESS = "smoulder.host", "smoulder.process"
KIND = "mlflow.experimentKind"
"""Without it MLflow's pages open among prompts and traces, which there are none of."""


class Store:
    """A tracking store under a folder, or at a tracking server or database.

    Parameters
    ----------
    root
        Holds ``mlflow.db``, ``artifacts`` and ``serving``.
    tracking_uri
        A team's tracking server or database instead of ``mlflow.db``; artifacts are where that
        server keeps them, or with a database still in the folder.
    """

    def __init__(self, root: Path, tracking_uri: str | None = None) -> None:
        self.root = root.resolve()
        # One process at a time: two that create the database would corrupt its migration, two that
        # register would each find no champion.
        self.lock = FileLock(self.root / ".lock")
        self.uri = tracking_uri or f"sqlite:///{self.root / 'mlflow.db'}"
        # A server says itself where artifacts go; a bare database would put them anywhere.
        at_server = self.uri.startswith("http")
        self._artifacts = None if at_server else (self.root / "artifacts").as_uri()
        _knock(self.uri)
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        with registry_errors():
            self.root.mkdir(parents=True, exist_ok=True)
        with registry_errors(), self.lock:
            self.client = MlflowClient(self.uri, self.uri)
            self._end_abandoned_runs()

    def experiment(self, name: str, description: str) -> str:
        """Identifier of an experiment, made if there is none of this name."""
        try:
            self.client.create_experiment(
                name,
                artifact_location=self._artifacts,
                tags={MLFLOW_RUN_NOTE: description, KIND: "custom_model_development"},
            )
        except MlflowException as error:
            # Another machine may have made it a moment ago: asking first would not help.
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise
        found = self.client.get_experiment_by_name(name)
        if found is None:
            raise RegistryError(f"the experiment {name} was deleted; restore it in MLflow")
        return str(found.experiment_id)

    def owner(self) -> dict[str, str]:
        """Tags of a run by which a later process knows whose it was."""
        pid = os.getpid()
        return {HOST: socket.gethostname(), PROCESS: f"{pid} {_started(pid)}"}

    def _end_abandoned_runs(self) -> None:
        """Mark as killed what a process of this machine left running when it was killed.

        A process number alone is not enough: numbers come again.
        """
        experiments = [found.experiment_id for found in self.client.search_experiments()]
        if not experiments:
            return
        ours = f"attributes.status = 'RUNNING' AND tags.`{HOST}` = '{socket.gethostname()}'"
        for run in self.client.search_runs(experiments, ours):
            number, _, started = run.data.tags.get(PROCESS, "").partition(" ")
            if number.isdigit() and _started(int(number)) != started:
                self.client.set_terminated(run.info.run_id, "KILLED")


def _knock(uri: str) -> None:
    """Refuse a server that does not answer: MLflow would try again for minutes and say nothing."""
    try:
        place = urlsplit(uri)
        kind = place.scheme.partition("+")[0]
        port = place.port or PORTS.get(kind)
    except ValueError as error:
        raise RegistryError(
            "the address of the model registry (MLFLOW_TRACKING_URI or --registry) is no URL; "
            "expected one such as http://HOST:5000"
        ) from error
    proxied = kind in getproxies() and not proxy_bypass(place.hostname or "")
    if place.hostname is None or port is None or proxied:
        return
    try:
        socket.create_connection((place.hostname, port), timeout=PATIENCE_SECONDS).close()
    except OSError as error:
        raise RegistryError(
            f"the model registry at {place.hostname}:{port} does not answer; is it running, and is "
            "its address (MLFLOW_TRACKING_URI or --registry) right?"
        ) from error


def _started(pid: int) -> str:
    """When a process started, in its machine's own count; empty when there is none any more."""
    try:
        os.kill(pid, 0)
        state, *told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except ProcessLookupError:
        return ""
    except OSError:
        # Another user's, or a system that tells nothing of its processes.
        return "unknown"
    return "" if state == "Z" else told[18]


def settled(write: Callable[[], Written]) -> Written:
    """What a write gave that several machines may make at the same moment.

    MLflow looks whether a row is there and then adds it; between the two another machine may have
    added the same. The database tells so only when that one is done, so the second time the row is
    found. What it refuses for another reason it refuses again.
    """
    try:
        return write()
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(BAD_REQUEST):
            raise
    return write()


@contextmanager
def registry_errors() -> Iterator[None]:
    """Errors of MLflow, its database and its folder as one of ours, without rows or stack."""
    try:
        yield
    except MlflowException as error:
        raise RegistryError(f"the model registry refused: {error.error_code}") from error
    except SQLAlchemyError as error:
        raise RegistryError(
            "the model registry's database cannot be used: expected one that MLflow made"
        ) from error
    except OSError as error:
        raise RegistryError(
            f"the model registry cannot use {error.filename or 'its folder'}: {error.strerror}"
        ) from error
