"""What many tests need: landmarks of chosen values, a published model, a running server."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import smoulder
from benchmarks.peers.postgres import Postgres
from benchmarks.peers.processes import free_port, stop, wait_until_ready, workers_of
from benchmarks.reliability.made_up import made_up_model
from features.history import HEAVY_CHAINS, History
from features.landmark import LandmarkFeatures
from models.artefact import save_artefact
from models.learned import LearnedModel

Landmarks = Callable[..., LandmarkFeatures]
Publish = Callable[..., Path]
ROOT = Path(__file__).parents[1]

# An example that is slow once says something about the machine, not about the law.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pictures docs/images`` renews the pictures of the documentation."""
    parser.addoption("--pictures", default=None, help="folder for screenshots of the page")


@pytest.fixture(scope="session")
def landmarks() -> Landmarks:
    """Landmarks of people with one visit each, from values by quantity; NaN is not measured."""

    def build(
        *,
        age: Sequence[float] | float = np.nan,
        sex: int = -1,
        heavy_chain: str | None = None,
        **labs: Sequence[float] | float,
    ) -> LandmarkFeatures:
        values = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in labs.values()))
        size = values[0].size
        who = np.arange(size)
        code = -1 if heavy_chain is None else HEAVY_CHAINS.index(heavy_chain)
        history = History(
            subject_ids=tuple(map(str, who)),
            subject=who,
            time_years=np.zeros(size),
            labs=dict(zip(labs, map(np.array, values), strict=True)),
            age_years=np.broadcast_to(np.asarray(age, float), (size,)),
            sex=np.full(size, sex, dtype=np.int8),
            heavy_chain=np.full(size, code, dtype=np.int8),
            light_chain=np.full(size, -1, dtype=np.int8),
            diagnosis_years=np.zeros(size),
        )
        return LandmarkFeatures(history)

    return build


@pytest.fixture(scope="session")
def learned_model() -> LearnedModel:
    """A model of two horizons made by hand; haemoglobin sharpens it, M-protein it must have."""
    return made_up_model()


@pytest.fixture(scope="session")
def publish(learned_model: LearnedModel) -> Publish:
    """Publish the model under a directory, as the registry does: written aside, then renamed.

    `spoil` names a file of the artefact that is altered before.
    """

    def publish(
        models_dir: Path, *, version: str = "1", spoil: str | None = None, **role: str
    ) -> Path:
        target = models_dir / learned_model.name
        fresh = models_dir / f".{learned_model.name}-{version}"
        save_artefact(learned_model, fresh / "artefact")
        told = {
            "name": learned_model.name,
            "version": version,
            "role": "champion",
            "study_hash": "a" * 12,
            "cohort_kind": "simulated",
            "run_id": "b" * 12,
            **role,
        }
        (fresh / "role.json").write_text(json.dumps(told), encoding="utf-8")
        if spoil is not None:
            path = fresh / "artefact" / spoil
            path.write_bytes(path.read_bytes() + b"x")
        if target.exists():
            target.rename(models_dir / f".old-{time.monotonic_ns()}")
        fresh.rename(target)
        return target

    return publish


@dataclass(frozen=True)
class Server:
    """A server in its own process.

    Parameters
    ----------
    url
        Where it listens.
    models_dir
        Where it looks for models.
    output
        File that takes everything it prints.
    pid
        Of the supervisor.
    """

    url: str
    models_dir: Path
    output: Path
    pid: int

    def workers(self) -> list[Path]:
        """Process directories of the workers."""
        return workers_of(self.pid)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The command line, in this process: its start alone takes longer than most commands."""

    def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        told = ["smoulder", *map(str, words)]
        monkeypatch.setattr(sys, "argv", told)
        # MLflow tells here which registry was opened last, for processes it starts.
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(SystemExit) as left:
            smoulder.main()
        written = capsys.readouterr()
        return subprocess.CompletedProcess(
            told, int(left.value.code or 0), written.out, written.err
        )

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server, shared by all tests; `create` gives each its own database."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


SERVE = """
import sys
from pathlib import Path
from serving.run import serve
serve(port=int(sys.argv[1]), models_dir=Path(sys.argv[2]))
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Server]:
    """The service as the command line starts it, with one learned model, shared by all tests."""
    home = tmp_path_factory.mktemp("server")
    models_dir = home / "models"
    models_dir.mkdir()
    publish(models_dir)
    port = free_port()
    output = home / "output"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port), str(models_dir)],
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(f"{url}/readyz", process, output)
        yield Server(url, models_dir, output, process.pid)
    finally:
        stop(process)
