"""Time and memory of reading and checking visits, against `pandas.read_csv` on the same file.

    python -m benchmarks.reading [--visits 100000] [--repeats 5]

Prints one JSON line. Each measurement runs in a process of its own, and memory is the growth of the
peak resident set after all imports, as a multiple of the file.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from features.sources import read_visits
from features.visits import check

VISITS_PER_SUBJECT = 10
TIME_LIMIT, MEMORY_LIMIT = 6.0, 6.0
KIB_PER_PEAK_UNIT = 1024


def made_up_visits(visits: int) -> pd.DataFrame:
    """Visits with every routine test, decimals as laboratories write them, marrow in 15 %."""
    rng = np.random.default_rng(20)
    subjects = visits // VISITS_PER_SUBJECT
    size = subjects * VISITS_PER_SUBJECT
    days = pd.date_range("2015-01-05", periods=VISITS_PER_SUBJECT, freq="120D").strftime("%Y-%m-%d")

    def throughout(words: list[str]) -> np.ndarray:
        return np.repeat(rng.choice(words, subjects), VISITS_PER_SUBJECT)

    def test(low: float, high: float, decimals: int, share: float = 1.0) -> np.ndarray:
        values = rng.uniform(low, high, size).round(decimals)
        return np.where(rng.random(size) < share, values, np.nan)

    return pd.DataFrame(
        {
            "subject_id": np.repeat([f"S{i:06d}" for i in range(subjects)], VISITS_PER_SUBJECT),
            "date": np.tile(days, subjects),
            "age": test(45, 85, 1),
            "sex": throughout(["F", "M"]),
            "heavy_chain": throughout(["IgG", "IgA"]),
            "light_chain": throughout(["kappa", "lambda"]),
            "diagnosis_date": "2014-12-01",
            "m_protein_g_dl": test(0.2, 4, 2),
            "kappa_flc_mg_l": test(5, 400, 1, 0.8),
            "lambda_flc_mg_l": test(5, 400, 1, 0.8),
            "bmpc_percent": test(5, 55, 0, 0.15),
            "hemoglobin_g_dl": test(10, 16, 1, 0.95),
            "creatinine_mg_dl": test(0.5, 1.6, 2, 0.95),
            "calcium_mg_dl": test(8.5, 10.5, 1, 0.95),
            "albumin_g_dl": test(3, 5, 1, 0.95),
            "ldh_u_l": test(110, 400, 0, 0.6),
            "b2m_mg_l": test(1.5, 5, 1, 0.6),
            "igg_mg_dl": test(300, 3000, 0, 0.7),
            "iga_mg_dl": test(20, 500, 0, 0.7),
            "igm_mg_dl": test(10, 250, 0, 0.7),
        }
    )


def read_and_check(path: Path) -> object:
    """Reading and validation, as `smoulder score` does both."""
    return check(read_visits(path))


def seconds_and_peak_bytes(work: Callable[[Path], object], path: Path) -> tuple[float, int]:
    """Time and growth of peak memory of one call, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, path))


def _measured(work: Callable[[Path], object], path: Path) -> tuple[float, int]:
    warm_up = path.with_name("warm-up.csv")
    work(warm_up)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    kept = work(path)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    del kept
    return seconds, grown * KIB_PER_PEAK_UNIT


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "visits.csv")
        frame = made_up_visits(chosen.visits)
        frame.to_csv(path, index=False)
        frame.head(200).to_csv(Path(folder, "warm-up.csv"), index=False)
        size = path.stat().st_size
        # Alternating, so that a busy machine slows both alike; the median pair stands.
        pairs = [
            (
                seconds_and_peak_bytes(read_and_check, path),
                seconds_and_peak_bytes(pd.read_csv, path),
            )
            for _ in range(chosen.repeats)
        ]
    ratios = [ours[0] / pandas[0] for ours, pandas in pairs]
    memory = max(ours[1] for ours, _ in pairs) / size
    answer = {
        "visits": chosen.visits,
        "file_mb": round(size / 1e6, 1),
        "read_and_check_s": round(statistics.median(ours[0] for ours, _ in pairs), 3),
        "pandas_read_csv_s": round(statistics.median(pandas[0] for _, pandas in pairs), 3),
        "times_pandas": round(statistics.median(ratios), 2),
        "times_pandas_limit": TIME_LIMIT,
        "memory_times_file": round(memory, 2),
        "memory_times_file_limit": MEMORY_LIMIT,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
