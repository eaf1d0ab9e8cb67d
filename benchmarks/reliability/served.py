"""The service as the command line starts it, in its own processes, with a made-up model."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.reliability.made_up import made_up_model
from models.artefact import save_artefact

__all__ = ["Served", "publish"]

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0

START = """
import sys
from pathlib import Path
from serving.run import serve
serve(port=int(sys.argv[1]), workers=int(sys.argv[2]), models_dir=Path(sys.argv[3]),
      audit_dir=Path(sys.argv[4]))
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


def publish(models_dir: Path, version: str, *, shift: float = 0.0, spoil: bool = False) -> None:
    """Put a version of the model in its place in one step, as the registry does.

    Parameters
    ----------
    spoil
        Whether a byte of the artefact is changed after it was hashed.
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
        "run_id": "0" * 12,
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
        Empty directory for models, audit log and output.
    workers
        Processes.
    """

    def __init__(self, home: Path, *, workers: int = 2) -> None:
        self.home = home
        self.models_dir = home / "models"
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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        arguments = [self.port, self.count, self.models_dir, self.audit_dir]
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
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return once `/readyz` answers 200."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise TimeoutError(self.output.read_text(errors="replace")[-2000:])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self.models_dir, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def supervisor(self) -> int:
        """Process that starts the workers."""
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """Processes that serve."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                serves = b"serving.service:Smoulder" in (entry / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if parent == self.supervisor and serves:
                found.append(int(entry.name))
        return found

    def kill_a_worker(self) -> None:
        """End the oldest worker without a word."""
        os.kill(min(self.workers()), signal.SIGKILL)

    def starts(self) -> int:
        """How often a worker has come to have its model."""
        return self.output.read_bytes().count(b"version 1 answers")

    def resident_mib(self) -> float:
        """Memory of all workers."""
        pages = sum(int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in self.workers())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def move_clock(self, seconds: float) -> None:
        """Set the wall clock of the workers off by some seconds."""
        self.clock.write_text(str(seconds))
