"""What the pipeline reaches: on mgus2, on simulated cohorts with their truth, and how fast.

    python -m benchmarks.training [--part mgus2|simulated|rule_only|peers|periods|pipeline]
                                  [--cohorts 20] [--candidates hazards,cox,…] [--quick]
                                  [--jobs 2] [--keep FOLDER]

Writes a section of docs/benchmarks.md for each part. Needs the demo extra; the peers are hazardous
and scikit-survival (development only, Python below 3.13). All parts together take about an hour of
processor time; with `--keep` what is finished is kept and not done again by the next run, so that
it may be broken off. Change nothing in between.
"""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks.page import write_section
from benchmarks.training import mgus2, peers, periods, pipeline, rule_only, simulated
from benchmarks.training.simulated import Cohorts
from training.workshop import Workshop


def main() -> None:
    """Write the sections asked for and print them."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="no search on simulated cohorts")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--candidates", help="of the simulated cohorts; those of the study if none")
    parts: dict[str, Callable[[Workshop, Cohorts], str]] = {
        "periods": lambda *_: periods.section(),
        "pipeline": lambda shop, _: pipeline.section(shop.jobs),
        "mgus2": lambda shop, _: mgus2.section(shop),
        "rule_only": rule_only.section,
        "simulated": simulated.section,
        "peers": lambda shop, _: peers.section(shop),
    }
    parser.add_argument("--part", choices=parts)
    asked = parser.parse_args()
    named = tuple(asked.candidates.split(",")) if asked.candidates else ()
    cohorts = Cohorts(asked.cohorts, named, searched=not asked.quick)
    shop = Workshop(asked.jobs, asked.keep, lambda *told: print(*told, sep=", ", flush=True))
    for name, made in parts.items():
        if asked.part in (None, name):
            text = made(shop.within(name), cohorts)
            write_section(f"training-{name}", text)
            print(text)


if __name__ == "__main__":
    main()
