"""A process kept running beside the server: started again when it ends, ended with the server."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["kept_running"]

PAUSE_SECONDS = 2.0
"""Before a process that ended is started again."""

ENDING_SECONDS = 5.0


@contextmanager
def kept_running(command: Sequence[str]) -> Iterator[None]:
    """Run a command for as long as the block does; none when it is empty.

    Parameters
    ----------
    command
        Program and words.
    """
    if not command:
        yield
        return
    over = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not over.is_set():
            running[:] = [subprocess.Popen(command, stdin=subprocess.DEVNULL)]  # noqa: S603  # ours
            running[0].wait()
            over.wait(PAUSE_SECONDS)

    thread = threading.Thread(target=keep, name="smoulder-companion", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        for process in running:
            process.terminate()
            try:
                process.wait(timeout=ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        thread.join(timeout=ENDING_SECONDS)
