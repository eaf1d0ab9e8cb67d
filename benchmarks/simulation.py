"""Visits simulated per second on one core, and whether time grows in step with subjects.

``python -m benchmarks.simulation`` prints a table; ``--subjects`` sets the largest cohort.
"""

import argparse
import time

from training.simulation import simulate_cohort

STEPS = (1, 2, 5, 10)


def measure(subjects: int) -> tuple[float, int]:
    """Seconds and visits of one cohort."""
    started = time.perf_counter()
    visits = len(simulate_cohort(subjects, seed=1).visits)
    return time.perf_counter() - started, visits


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation")
    parser.add_argument("--subjects", type=int, default=100_000)
    largest = parser.parse_args().subjects
    measure(1000)
    print(f"{'subjects':>10} {'visits':>10} {'seconds':>8} {'visits/s':>10} {'us/subject':>11}")
    for step in STEPS:
        subjects = largest * step // STEPS[-1]
        seconds, visits = measure(subjects)
        print(
            f"{subjects:>10,} {visits:>10,} {seconds:>8.2f} {visits / seconds:>10,.0f} "
            f"{1e6 * seconds / subjects:>11.1f}"
        )


if __name__ == "__main__":
    main()
