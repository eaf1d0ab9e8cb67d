"""10,000 patients on the list page: time to the first page, memory, and what others notice of it.

    python -m benchmarks.screening [--patients 10000]

The service runs as the command line starts it, with one worker. A file of simulated patients is
sent to ``/ui/screening`` as a browser sends it; the clock stops when the last byte of the first
page is there, every patient's answer on record by then. The peer is `smoulder score` on the same
file in its own process, which starts, reads, answers and writes. While more lists are screened,
single requests are asked of the same worker ten times a second, and before that without any list.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np

from benchmarks.page import write_section
from benchmarks.peers.processes import free_port, stop, wait_until_ready
from serving.openapi import EXAMPLE
from training.simulation import simulate_cohort

SECONDS_LIMIT = 5.0
REPEATS = 3
SERVE = """
import sys
from pathlib import Path
from serving.run import serve
serve(port=int(sys.argv[1]), models_dir=Path(sys.argv[2]))
"""


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """URL of a running service."""
    port = free_port()
    models = home / "models"
    models.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port), str(models)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(f"{url}/readyz", process)
        yield url
    finally:
        stop(process)


def peak_mb(parent: int) -> float:
    """Highest resident memory of any process below one, MB, as the kernel remembers it."""
    below, peaks = {parent}, [0.0]
    entries = sorted(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
    for pid in entries:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            if int(fields["PPid"]) in below:
                below.add(pid)
                peaks.append(int(fields.get("VmHWM", "0 kB").split()[0]) / 1024)
    return max(peaks)


def cpu_seconds(parent: int) -> float:
    """Processor time of everything below one process, the ended included."""
    below, ticks = {parent}, 0
    for pid in sorted(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) in below:
                below.add(pid)
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Neighbour:
    """Single requests, ten a second, and how long each took."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seconds: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.wait(0.1):
                began = time.perf_counter()
                assert client.post(f"{self.url}/v1/risk", json=EXAMPLE).status_code == 200
                self.seconds.append(time.perf_counter() - began)

    def __enter__(self) -> "Neighbour":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def milliseconds(self, share: float) -> float:
        """Quantile of the times."""
        return float(np.quantile(self.seconds, share)) * 1000


def first_page(url: str, content: bytes) -> tuple[float, int]:
    """Seconds from the first byte sent to the last one received, and how many these were."""
    began = time.perf_counter()
    page = httpx.post(f"{url}/ui/screening", files={"file": ("visits.csv", content)}, timeout=120)
    assert page.status_code == 200, page.text[:500]
    assert 'class="patients"' in page.text
    return time.perf_counter() - began, len(page.content)


def peer(path: Path) -> float:
    """Processor seconds of the command line on the same file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = path.with_name("scored.csv")
    command = [sys.executable, "-m", "smoulder", "score", str(path), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(patients: int) -> dict[str, float]:
    """Everything the section says."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "visits.csv"
        cohort = simulate_cohort(patients, seed=3)
        cohort.visits.to_csv(path, index=False)
        content = path.read_bytes()
        with served(home) as url:
            with Neighbour(url) as alone:
                time.sleep(5)
            with Peaks() as peaks:
                before = cpu_seconds(os.getpid())
                taken = [first_page(url, content) for _ in range(REPEATS)]
                cpu = (cpu_seconds(os.getpid()) - before) / REPEATS
            with Neighbour(url) as beside:
                first_page(url, content)
        return {
            "patients": patients,
            "visits": len(cohort.visits),
            "file_mb": len(content) / 1e6,
            "first_page_seconds": min(seconds for seconds, _ in taken),
            "first_page_seconds_worst": max(seconds for seconds, _ in taken),
            "cpu_seconds": cpu,
            "first_page_kb": taken[0][1] / 1000,
            "peak_mb": peaks.most,
            "single_p50_ms_alone": alone.milliseconds(0.5),
            "single_p95_ms_alone": alone.milliseconds(0.95),
            "single_p50_ms_beside": beside.milliseconds(0.5),
            "single_p95_ms_beside": beside.milliseconds(0.95),
            "peer_cpu_seconds": peer(path),
        }


class Peaks:
    """Highest memory of any process below this one, looked at twenty times a second."""

    def __init__(self) -> None:
        self.most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, peak_mb(os.getpid()))

    def __enter__(self) -> "Peaks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def section(found: dict[str, float]) -> str:
    """What the page of benchmarks says."""
    return f"""## A list of patients
`python -m benchmarks.screening`

{found["patients"]:,.0f} simulated patients with {found["visits"]:,.0f} visits, a CSV of
{found["file_mb"]:.1f} MB, sent to `/ui/screening` of a service with one worker; {REPEATS} times.

| | measured | limit |
|---|---|---|
| to the first page, every answer on record | {found["first_page_seconds"]:.1f} s (worst \
{found["first_page_seconds_worst"]:.1f} s) | {SECONDS_LIMIT:g} s |
| processor time of a list, worker and its process | {found["cpu_seconds"]:.1f} s | |
| highest memory of any process | {found["peak_mb"]:.0f} MB | 2,048 MB, enforced |
| first page, the list within | {found["first_page_kb"]:.0f} kB | |
| a single request alone, p50 / p95 | {found["single_p50_ms_alone"]:.1f} / \
{found["single_p95_ms_alone"]:.1f} ms | |
| a single request beside the lists, p50 / p95 | {found["single_p50_ms_beside"]:.1f} / \
{found["single_p95_ms_beside"]:.1f} ms | |
| `smoulder score` on the same file, processor time | {found["peer_cpu_seconds"]:.1f} s | |
"""


def main() -> None:
    """Print the measurements and write their section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    chosen = parser.parse_args()
    found = measured(chosen.patients)
    print(json.dumps({"benchmark": "screening", **{k: round(v, 3) for k, v in found.items()}}))
    write_section("screening", section(found))


if __name__ == "__main__":
    main()
