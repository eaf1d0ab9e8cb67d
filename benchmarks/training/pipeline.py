"""The whole default training through the command line: clock, processor, and a peer beside it."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.training.peers import forest_risk, rows_and_folds
from benchmarks.training.periods import seconds
from benchmarks.training.simulated import SUBJECTS

__all__ = ["section"]

MINUTES = 5


def timed(*arguments: str) -> tuple[float, float, str]:
    """Seconds by the clock and of processor of one command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    # A refusal of the gate exits with 1 and is a result like any other.
    done = subprocess.run(
        [sys.executable, "-m", "smoulder", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, used, done.stdout


def forest_seconds() -> float:
    """Processor seconds of one random survival forest of scikit-survival: the machine's measure."""
    rows, masks = rows_and_folds()
    return seconds(lambda: forest_risk(rows.rows(~masks[0]), rows.rows(masks[0])))


def section(jobs: int) -> str:
    """Clock and processor time of one training."""
    with tempfile.TemporaryDirectory() as folder:
        cohort, runs = str(Path(folder) / "cohort"), str(Path(folder) / "runs")
        timed("simulate", "--subjects", str(SUBJECTS), "--seed", "1", "--out", cohort)
        forest = forest_seconds()
        given = ("--cohort", cohort, "--runs", runs, "--seed", "1", "--jobs", str(jobs))
        clock, used, said = timed("train", "smm", *given)
        forest = (forest + forest_seconds()) / 2
    ratio = used / forest
    verdict = next(line for line in said.splitlines() if line.startswith("The gate"))
    return f"""
## Training: the default pipeline

`python -m benchmarks.training --part pipeline`

`smoulder train smm` as it comes – diagnosis, nested 5 × 5 search over all default candidates, 200
refits of the chosen one and of its opponent, gate, registration – on {SUBJECTS:,} simulated
subjects with serial visits, {jobs} processes.

| | measured |
|---|---|
| by the clock (asked: about {MINUTES} min) | {clock / 60:.1f} min |
| processor, all processes | {used / 60:.1f} min |
| processor, in random survival forests of scikit-survival, {forest:.1f} s each | {ratio:.0f} |

{verdict}
"""
