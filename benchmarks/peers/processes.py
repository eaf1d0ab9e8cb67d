"""Servers in processes of their own: a free port, waiting until one answers, stopping, workers."""

import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from serving.run import WORKER

__all__ = ["free_port", "stop", "until", "wait_until_ready", "workers_of"]

PAUSE_SECONDS = 0.02


def free_port() -> int:
    """A port of the loopback interface that nobody uses, below those that systems hand out."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def wait_until_ready(
    url: str,
    process: "subprocess.Popen[bytes]",
    output: Path | None = None,
    *,
    seconds: float = 180.0,
) -> None:
    """Return once an address answers 200.

    Parameters
    ----------
    url
        Of a page that is there as soon as the server can do its work.
    process
        The server.
    output
        File that takes what it prints; its end is told with the failure.
    seconds
        How long to wait.

    Raises
    ------
    TimeoutError
        If it does not answer in time, or ended.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(PAUSE_SECONDS)
    printed = output.read_text(errors="replace")[-4000:] if output else ""
    state = "does not answer" if process.poll() is None else f"ended ({process.poll()})"
    raise TimeoutError(f"{url}: {state} within {seconds:g} s\n{printed}")


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes to hold in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(PAUSE_SECONDS)
    return False


def stop(process: "subprocess.Popen[bytes]", *, seconds: float = 20.0) -> None:
    """Tell a server to stop, and end it if it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def workers_of(supervisor: int) -> list[Path]:
    """Process directories of the workers of `smoulder serve`, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            name = (entry / "comm").read_text().strip()
        except OSError:
            continue
        if parent == supervisor and name == WORKER:
            found.append(entry)
    return sorted(found, key=lambda entry: int(entry.name))
