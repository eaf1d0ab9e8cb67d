"""A training to register, and where: SQLite, PostgreSQL, an MLflow server in front of one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.processes import free_port, stop, wait_until_ready
from training.cohorts import Cohort
from training.documents import Documents, documents_of
from training.fit import Trained, train
from training.registry import Registry
from training.study import Study

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 120


def environment() -> dict[str, str]:
    """Of a newcomer: MLflow tells child processes which database a test opened."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


@contextmanager
def mlflow_server(backend: str, folder: Path) -> Iterator[str]:
    """An MLflow server that keeps the artifacts of its clients itself."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["--backend-store-uri", backend, "--artifacts-destination", str(folder / "artifacts")]
    command += ["--serve-artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment(),
        )
    try:
        wait_until_ready(f"{url}/health", server, folder / "log", seconds=WAIT_SECONDS)
        yield url
    finally:
        stop(server, seconds=30)


@pytest.fixture(scope="session")
def trained(mgus2: Cohort, mgus: Study) -> Trained:
    return train(mgus2, mgus, candidate="logistic", seed=1, refits=3)


@pytest.fixture(scope="session")
def documents(trained: Trained) -> Documents:
    """Made once: figures cost more than everything else of a registration."""
    return documents_of(trained)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh SQLite database, migrated once: that takes MLflow seconds."""
    root = tmp_path_factory.mktemp("template")
    Registry(root)
    return root / "mlflow.db"


@pytest.fixture(scope="session")
def database(postgres: Any) -> Callable[[], str]:
    """Gives the URL of a fresh copy of a migrated database: that takes 0.1 s, not ten."""
    empty = _driven(postgres.create("migrated"))
    # In a process of its own: nobody may stay connected to what is copied.
    subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", empty],
        check=True,
        capture_output=True,
        env=environment(),
    )
    numbers = count()
    return lambda: _driven(postgres.create(f"registry_{next(numbers)}", template="migrated"))


def _driven(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def tracking_server(
    database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One for the session: it takes ten seconds to start."""
    with mlflow_server(database(), tmp_path_factory.mktemp("mlflow-server")) as url:
        yield url


@pytest.fixture
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    """On SQLite; with `BACKENDS` also on PostgreSQL and at a server in front of one."""
    root = tmp_path / "mlruns"
    root.mkdir()
    backend = getattr(request, "param", "sqlite")
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), root / "mlflow.db")
        return Registry(root)
    if backend == "postgresql":
        return Registry(root, tracking_uri=request.getfixturevalue("database")())
    registry = Registry(root, tracking_uri=request.getfixturevalue("tracking_server"))
    # What an earlier test registered there would be met as its champion.
    for model in registry.client.search_registered_models():
        registry.client.delete_registered_model(model.name)
    return registry


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    return environment()
