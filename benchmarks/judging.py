"""How fast risks are judged: a million subjects, and 1,000 bootstrap contrasts beside R's Score.

    python -m benchmarks.judging

Writes its section of docs/benchmarks.md. R with riskRegression is a Debian package; without it the
comparison is left out and the section says so.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# One core means one: set before numpy starts its threads.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
import numpy as np
import pandas as pd

from benchmarks.page import write_section
from training.judge import judge
from training.metrics.bootstrap import paired_bootstrap
from training.metrics.timeline import Timeline

SUBJECTS = 1_000_000
HORIZONS = (2.0, 5.0, 10.0)
REPLICATES = 1000
SAMPLE = Path(__file__).parents[1] / "tests" / "oracles" / "mgus2.csv"

# The same work: resample subjects, refit the censoring distribution, AUC and Brier of two models.
SCORE = """
suppressMessages({{library(riskRegression); library(prodlim); library(survival)}})
data <- read.csv("{sample}"); set.seed(1)
took <- system.time(for (i in seq_len({replicates})) {{
  drawn <- data[sample.int(nrow(data), replace = TRUE), ]
  Score(list(good = drawn$good, noisy = drawn$noisy),
    formula = Hist(duration_years, event) ~ 1, data = drawn, times = 10,
    metrics = c("auc", "brier"), cens.model = "km", se.fit = FALSE, contrasts = TRUE)
}})
cat(took[["elapsed"]])
"""


def million(subjects: int, *, with_concordance: bool) -> tuple[float, float, float]:
    """Seconds by the clock and of the processor, and peak memory in GB: 3 models × 3 horizons."""
    rng = np.random.default_rng(1)
    score = rng.normal(size=subjects)
    progression = rng.exponential(1 / (0.03 * np.exp(0.8 * score)))
    death, censoring = rng.exponential(1 / 0.06, subjects), rng.uniform(2, 25, subjects)
    duration = np.minimum(np.minimum(progression, death), censoring)
    event = np.select([duration == progression, duration == death], [1, 2], 0)
    ids = np.arange(subjects)
    outcomes = pd.DataFrame({"subject_id": ids, "duration_years": duration, "event": event})
    tables = []
    for model in range(3):
        guess = 0.8 * score + 0.3 * model * rng.normal(size=subjects)
        tables += [
            pd.DataFrame(
                {
                    "subject_id": ids,
                    "model": f"model {model}",
                    "horizon_years": years,
                    "risk": -np.expm1(-0.03 * years * np.exp(guess)),
                }
            )
            for years in HORIZONS
        ]
    risks = pd.concat(tables, ignore_index=True)
    del tables
    started, busy = time.perf_counter(), time.process_time()
    judge(risks, outcomes, with_concordance=with_concordance)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def contrasts(replicates: int) -> float:
    """Seconds for paired bootstrap contrasts of two models on mgus2 at ten years."""
    table = pd.read_csv(SAMPLE)
    line = Timeline.of(table["duration_years"].to_numpy(), table["event"].to_numpy())
    risks = {name: table[name].to_numpy() for name in ("good", "noisy")}
    started = time.perf_counter()
    paired_bootstrap(line, risks, 10.0, replicates=replicates, seed=1, floor=0)
    return time.perf_counter() - started


def contrasts_by_r(replicates: int) -> float | None:
    """Seconds for the same by R's Score, or None without R."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".R") as script:
        script.write(SCORE.format(sample=SAMPLE, replicates=replicates))
        script.flush()
        done = subprocess.run(["Rscript", script.name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return None
    return float(done.stdout)


def main() -> None:
    """Write the section and print it."""
    seconds, busy, memory = million(SUBJECTS, with_concordance=False)
    _, with_c, _ = million(SUBJECTS, with_concordance=True)
    _, small, _ = million(SUBJECTS // 10, with_concordance=False)
    ours = contrasts(REPLICATES)
    # R is asked for a tenth and the time multiplied: its replicates cost the same each.
    theirs = contrasts_by_r(REPLICATES // 10)
    ratio = "no R with riskRegression here" if theirs is None else (
        f"{ours:.2f} s against {10 * theirs:.1f} s (100 replicates timed): "
        f"{10 * theirs / ours:.0f} times as fast"
    )  # fmt: skip
    clock = f"{busy:.1f} s of processor, {seconds:.1f} s by the clock"
    text = f"""
## Judging

`python -m benchmarks.judging`

| work | measured |
|---|---|
| {SUBJECTS:,} subjects × 3 models × 3 horizons, with contrasts, one core | {clock} |
| other load meanwhile (runnable processes on {os.cpu_count()} cores) | {os.getloadavg()[1]:.1f} |
| peak memory, tables included | {memory:.2f} GB |
| a tenth of the subjects | {small:.1f} s of processor (× {busy / small:.1f} for ten times) |
| with Wolbers' concordance too | {with_c:.1f} s of processor |
| {REPLICATES:,} bootstrap contrasts (AUC, Brier), n = 1,384, beside R's `Score` | {ratio} |
"""
    write_section("judging", text)
    print(text)


if __name__ == "__main__":
    main()
