"""Where MLflow keeps runs and versions: its settings, its database, and its errors as ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

import mlflow
from filelock import FileLock
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from features.errors import RegistryError

__all__ = ["Store", "registry_errors"]


class Store:
    """A tracking store under a folder, or at a tracking server or database.

    Parameters
    ----------
    root
        Holds ``mlflow.db``, ``artifacts`` and ``serving``.
    tracking_uri
        A team's tracking server or database instead of ``mlflow.db``; artifacts are then where that
        server keeps them.
    """

    def __init__(self, root: Path, tracking_uri: str | None = None) -> None:
        self.root = root.resolve()
        # One process at a time: two that create the database would corrupt its migration, two that
        # register would each find no champion.
        self.lock = FileLock(self.root / ".lock")
        own = f"sqlite:///{self.root / 'mlflow.db'}"
        self.uri = tracking_uri or own
        self._artifacts = (self.root / "artifacts").as_uri() if self.uri == own else None
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        with registry_errors():
            self.root.mkdir(parents=True, exist_ok=True)
        with registry_errors(), self.lock:
            self.client = MlflowClient(self.uri, self.uri)
            self.client.search_experiments(max_results=1)

    def experiment(self, name: str) -> str:
        """Identifier of an experiment, made if there is none of this name."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self.client.create_experiment(name, artifact_location=self._artifacts))


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
