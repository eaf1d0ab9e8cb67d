"""The canary: a model is tried out in a process of its own before it answers.

Hashes tell that a file is the one that was written, not that it can be run. Whatever it does –
crash, hang, eat memory – it does there, within limits.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

from features.errors import ArtefactError

__all__ = ["CANARY_SECONDS", "try_out"]

CANARY_SECONDS = 20.0
"""Far more than a model needs (under a second); a promoted version is served within ten."""

MOST_MEMORY = 2 * 1024**3
KEPT = ("PATH", "PYTHONPATH", "LANG", "SYSTEMROOT", "TMPDIR")
REFUSED = 3


def try_out(artefact: Path) -> None:
    """Load a model and run its golden rows, elsewhere.

    Raises
    ------
    ArtefactError
        If it is refused, crashes or takes too long.
    """
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  # our own module on a path of ours
            [sys.executable, "-m", "serving.canary", str(artefact)],
            env={**environment, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=CANARY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ArtefactError(
            f"artefact: the canary was given up after {CANARY_SECONDS:g} s"
        ) from None
    if done.returncode == REFUSED:
        raise ArtefactError(done.stderr.decode(errors="replace").strip()[:500])
    if done.returncode != 0:
        raise ArtefactError(f"artefact: the canary ended with status {done.returncode}")


def main() -> int:
    """Exit status of one canary: ``python -m serving.canary DIRECTORY``."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    seconds = int(CANARY_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    from models.artefact import load_artefact

    try:
        load_artefact(Path(sys.argv[1]))
    except ArtefactError as error:
        sys.stderr.write(str(error))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
