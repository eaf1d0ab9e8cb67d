"""Faults of the model registry: stopped, frozen, failing, and giving out the wrong model."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.peers.processes import free_port, stop, until, wait_until_ready
from benchmarks.reliability.finding import Finding
from benchmarks.reliability.made_up import made_up_model
from benchmarks.reliability.served import ROOT, Served, publish
from benchmarks.reliability.traffic import Traffic, asked_bodies, traffic, unrecorded
from models.artefact import save_artefact
from models.learned import LearnedModel
from models.signature import sign
from serving.followed import REGISTRY, STATUS

__all__ = ["Tracking", "answering", "register", "registry_faults"]

NAME = "smm-progression"
SHIFTS = (0.0, 0.3)
START_SECONDS, TOLD_SECONDS, SERVED_SECONDS = 120.0, 30.0, 10.0


class Tracking:
    """An MLflow server in its own process group, which keeps the artifacts itself.

    Parameters
    ----------
    home
        Empty directory of its database and artifacts.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = ["server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self.home / 'mlflow.db'}"]
        words += ["--artifacts-destination", str(self.home / "artifacts")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=self.home,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until_ready(f"{self.url}/health", self.process, seconds=START_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """End it without a word, if it runs."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    def promote(self, version: str) -> None:
        """Move the champion's alias, as another machine would."""
        import mlflow

        client = mlflow.MlflowClient(self.url, self.url)
        client.set_registered_model_alias(NAME, "champion", version)


def register(url: str, model: LearnedModel, *, private_key: Path | None = None) -> str:
    """Run of a version registered as a training does it, without the training."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    column: Any = [ColSpec("double", "x", required=False)]
    signature = ModelSignature(inputs=Schema(column), outputs=Schema(column))
    client = mlflow.MlflowClient(url, url)
    known = client.get_experiment_by_name("smm")
    experiment = client.create_experiment("smm") if known is None else known.experiment_id
    with (
        tempfile.TemporaryDirectory() as folder,
        _tracked_at(url),
        mlflow.start_run(experiment_id=experiment) as run,
        warnings.catch_warnings(),
    ):
        artefact = Path(folder, "artefact")
        save_artefact(model, artefact)
        if private_key is not None:
            sign(artefact, private_key)
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        logged = mlflow.pyfunc.log_model(
            name="smm",
            loader_module="models.artefact",
            data_path=str(artefact),
            pip_requirements=["smoulder"],
            signature=signature,
        )
        for path in ("judgement.json", "cards/linear/card.md", "cards/linear/card.html"):
            mlflow.log_text("{}", path)
    if not client.search_registered_models():
        client.create_registered_model(NAME)
    tags = {"candidate": "linear", "study_hash": "0" * 12, "cohort_kind": "simulated"}
    run_id = str(run.info.run_id)
    client.create_model_version(
        NAME, source=logged.model_uri, run_id=run_id, tags=tags, model_id=logged.model_id
    )
    return run_id


@contextmanager
def _tracked_at(url: str) -> Iterator[None]:
    """Runs go to a server for now."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(url)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


@contextmanager
def answering(status: int, body: bytes, *, port: int = 0) -> Iterator[str]:
    """Address of a server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def registry_faults(served: Served, short: bool) -> Finding:
    """A real MLflow server, followed by `smoulder follow`, goes wrong in every way, under load."""
    lasting = 0.5 if short else 5.0
    with tempfile.TemporaryDirectory(prefix="smoulder-mlflow-") as home:
        tracking = Tracking(Path(home))
        tracking.start()
        try:
            run_ids = [register(tracking.url, made_up_model(shift)) for shift in SHIFTS]
            register(tracking.url, made_up_model(0.5))
            _damage(tracking.home)
            tracking.promote("2")
            asked = asked_bodies(SHIFTS, run_ids)
            with _followed(served, tracking, short=short), traffic(served, asked, 2) as found:
                told, late = _made(served, tracking, lasting)
                if not short:
                    tracking.start()
                    until(lambda: not _told(served), TOLD_SECONDS)
                    late = max(late, *(_promoted(served, tracking, each) for each in ("2", "1")))
        finally:
            tracking.stop()
    missing = unrecorded(served, found)
    # The registry's version 1 came from another run than the one that was here before.
    for version in ("between", "1"):
        publish(served.models_dir, version)
        served.wait_for(version, SERVED_SECONDS)
    return _finding(found, told, missing, late, lasting)


@contextmanager
def _followed(served: Served, tracking: Tracking, *, short: bool) -> Iterator[None]:
    """`smoulder follow` beside a server, from when version 2 of the registry answers."""
    words = ["follow", "--registry", tracking.url, "--runs", str(served.home), "--every", "0.5"]
    patience = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"} if short else {}
    follower = subprocess.Popen(
        [sys.executable, "-m", "smoulder", *words],
        cwd=ROOT,
        env={**os.environ, **patience},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert served.wait_for("2", START_SECONDS)
        yield
    finally:
        stop(follower)
        (served.models_dir / STATUS).unlink(missing_ok=True)


def _made(served: Served, tracking: Tracking, lasting: float) -> tuple[dict[str, float], float]:
    """Seconds until `/readyz` told each fault, and until a promotion between them was served."""
    told: dict[str, float] = {}

    def hold(name: str) -> None:
        began = time.time()
        if until(lambda: _looked(served) > began + 1 and REGISTRY in _told(served), TOLD_SECONDS):
            told[name] = time.time() - began
        time.sleep(lasting)

    tracking.promote("3")
    hold("an altered version promoted")
    tracking.promote("2")
    until(lambda: not _told(served), TOLD_SECONDS)
    tracking.signal(signal.SIGSTOP)
    hold("black-holed")
    tracking.signal(signal.SIGCONT)
    until(lambda: not _told(served), TOLD_SECONDS)
    late = _promoted(served, tracking, "1")
    tracking.stop()
    hold("stopped")
    with answering(500, b"{}", port=tracking.port):
        hold("answering 500")
    return told, late


def _promoted(served: Served, tracking: Tracking, version: str) -> float:
    """Seconds from a promotion at the registry until all workers have it."""
    tracking.promote(version)
    began = time.monotonic()
    served.wait_for(version, 2 * SERVED_SECONDS)
    return time.monotonic() - began


def _finding(
    found: Traffic, told: dict[str, float], missing: int, late: float, lasting: float
) -> Finding:
    others = sum(n for status, n in found.statuses.items() if status != "200")
    shown = ", ".join(f"{name} ({seconds:.1f} s)" for name, seconds in told.items())
    return Finding(
        f"the MLflow server that is followed gives out an altered version, is black-holed (it "
        f"accepts and never answers), stopped, answers 500, {lasting:g} s each, under load",
        f"{len(found.acknowledged)} answers of the last good version, {found.wrong} wrong, "
        f"{others} not given, {missing} without a record; told by /readyz: {shown}; once it is "
        f"back a promotion is served after {late:.1f} s at most",
        f"no wrong answer, none lost, every fault told, served within {SERVED_SECONDS:g} s",
        found.wrong == 0
        and others == 0
        and missing == 0
        and len(told) == 4
        and late < SERVED_SECONDS,
    )


def _looked(served: Served) -> float:
    """When the follower last told what it saw; a second after a change, that is the change."""
    return (served.models_dir / STATUS).stat().st_mtime


def _told(served: Served) -> str:
    faults = served.get("/readyz")["faults"]
    return "; ".join(f"{each['model']}: {each['fault']}" for each in faults)


def _damage(home: Path) -> None:
    """Change one bit of the artefact that was stored last."""
    path = max((home / "artifacts").rglob("arrays.npz"), key=lambda each: each.stat().st_mtime_ns)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
