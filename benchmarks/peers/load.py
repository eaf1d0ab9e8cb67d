"""Servers in processes of their own, and wrk that puts them under load."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.processes import free_port, stop, wait_until_ready, workers_of

__all__ = ["Load", "Server", "start", "wrk"]

ROOT = Path(__file__).parents[2]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_SECONDS = 120.0

POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{body}]==]
"""


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Parameters
    ----------
    url
        Where.
    process
        Started by us; its children serve, or it does.
    ready_after
        Seconds from its start to its first answer.
    """

    url: str
    process: subprocess.Popen[bytes]
    ready_after: float

    def family(self) -> list[Path]:
        """Process directories of the server and everything it started."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return [Path("/proc", str(pid)) for pid in found]

    def cpu_seconds(self) -> float:
        """Processor time of the whole family."""
        ticks = 0
        for place in self.family():
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_PER_SECOND

    def worker(self) -> Path:
        """Process directory of the one that answers: our worker, or the server itself."""
        return next(iter(workers_of(self.process.pid)), Path("/proc", str(self.process.pid)))

    def resident_mb(self) -> float:
        """Resident memory of the worker."""
        lines = (self.worker() / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def mapped(self, *libraries: str) -> list[str]:
        """Which libraries the worker has in memory."""
        maps = (self.worker() / "maps").read_text()
        return [name for name in libraries if f"/{name}/" in maps]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it, and what it started with it."""
        stop(self.process)


def start(command: Sequence[str], path: str) -> Server:
    """A server on a free port, PORT in `command`; `path` answers as soon as it is ready."""
    port = free_port()
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        # MLflow calls uvicorn by its name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(port) if word == "PORT" else word for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment,
    )
    try:
        wait_until_ready(url + path, process, seconds=START_SECONDS)
    except TimeoutError:
        stop(process)
        raise SystemExit(f"a server did not answer; try: {' '.join(command)}") from None
    return Server(url, process, time.perf_counter() - began)


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured.

    Parameters
    ----------
    per_second
        Requests answered.
    cpu_us
        Processor time of the server per answer, user and system, µs.
    p50_ms, p99_ms
        Latency.
    """

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float


def wrk(server: Server, path: str, body: Any, connections: int, seconds: float) -> Load:
    """Put a server under load; every answer must be a 200."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(POST.format(body=json.dumps(body)))
        script.flush()
        began = server.cpu_seconds()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
        done = subprocess.run(
            [*command, "-s", script.name, server.url + path],
            capture_output=True,
            text=True,
            check=True,
        )
        spent = server.cpu_seconds() - began
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"{server.url}{path}: not every answer was a 200\n{done.stdout}")
    found = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found is not None
    assert rate is not None
    return Load(
        per_second=float(rate[1]),
        cpu_us=1e6 * spent / int(found[1]),
        p50_ms=_percentile(done.stdout, "50%"),
        p99_ms=_percentile(done.stdout, "99%"),
    )


def _percentile(printed: str, name: str) -> float:
    """Latency of one percentile, ms."""
    found = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", printed)
    assert found is not None
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]
