"""The service as the command line starts it, in its own processes, with a made-up model."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.processes import free_port, stop, until, wait_until_ready, workers_of
from benchmarks.reliability.made_up import made_up_model
from models.artefact import save_artefact

__all__ = ["ROOT", "Served", "publish"]

ROOT = Path(__file__).parents[2]

START = """
import sys
from pathlib import Path
from serving.run import serve
serve(port=int(sys.argv[1]), workers=int(sys.argv[2]), models_dir=Path(sys.argv[3]),
      audit_dir=Path(sys.argv[4]), audit_url=sys.argv[5])
"""

# Every clock on the wall that Python reads is moved by the seconds in a file; the steady ones stay.
MOVED_CLOCK = """
import datetime as dates, os, time
from pathlib import Path
_true, _file = time.time, Path(os.environ["RELIABILITY_CLOCK"])
def moved():
    return _true() + float(_file.read_text() or 0)
class Moved(dates.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(moved(), tz)
time.time, dates.datetime = moved, Moved
"""


def publish(
    models_dir: Path,
    version: str,
    *,
    shift: float = 0.0,
    spoil: bool = False,
    run_id: str = "0" * 12,
) -> None:
    """Put a version of the model in its place in one step, as the registry does.

    Parameters
    ----------
    models_dir
        Where a server looks for models.
    version
        Of the registry.
    shift
        Of the model's coefficients.
    spoil
        Whether a byte of the artefact is changed after it was hashed.
    run_id
        Of the training it claims to come from.
    """
    model = made_up_model(shift)
    fresh = models_dir / f".{model.name}-{version}-{time.monotonic_ns()}"
    save_artefact(model, fresh / "artefact")
    role = {
        "name": model.name,
        "version": version,
        "role": "champion",
        "study_hash": "0" * 12,
        "cohort_kind": "simulated",
        "run_id": run_id,
    }
    (fresh / "role.json").write_text(json.dumps(role), encoding="utf-8")
    if spoil:
        path = fresh / "artefact" / "arrays.npz"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    link = fresh.with_name(f"{fresh.name}.link")
    link.symlink_to(fresh.name, target_is_directory=True)
    link.replace(models_dir / model.name)


class Served:
    """A running service.

    Parameters
    ----------
    home
        Directory for models, audit log and output, laid out as `smoulder serve --runs` has it.
    workers
        Processes.
    audit_url
        PostgreSQL database of the records instead of a file.
    """

    def __init__(self, home: Path, *, workers: int = 2, audit_url: str = "") -> None:
        self.home = home
        self.models_dir = home / "serving"
        self.audit_url = audit_url
        self.audit_dir = home / "audit"
        self.output = home / "output"
        self.clock = home / "clock"
        self.count = workers
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.models_dir.mkdir(parents=True, exist_ok=True)
        self.clock.write_text("0")
        publish(self.models_dir, "1")
        self.start()
        return self

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.port = free_port()
        arguments = [self.port, self.count, self.models_dir, self.audit_dir, self.audit_url]
        site = self.home / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(MOVED_CLOCK)
        environment = {
            **os.environ,
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
            "RELIABILITY_CLOCK": str(self.clock),
        }
        with self.output.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, *map(str, arguments)],
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
            )
        wait_until_ready(f"{self.url}/readyz", self._process, self.output)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        stop(self._process)
        shutil.rmtree(self.models_dir, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """What it answers to a question of JSON."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def version(self) -> str:
        """Version of the model that one of the workers has."""
        return str(self.get("/v1/models/smm-progression")["version"])

    def wait_for(self, version: str, seconds: float) -> bool:
        """Whether all workers come to have a version in time, as far as asking often tells."""
        asks = 6 * self.count
        return until(lambda: {self.version() for _ in range(asks)} == {version}, seconds)

    @property
    def supervisor(self) -> int:
        """Process that starts the workers."""
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """Processes that serve, oldest first."""
        return [int(place.name) for place in workers_of(self.supervisor)]

    def resident_mib(self) -> float:
        """Memory of all workers."""
        pages = sum(int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in self.workers())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def move_clock(self, seconds: float) -> None:
        """Set the wall clock of the workers off by some seconds."""
        self.clock.write_text(str(seconds))
