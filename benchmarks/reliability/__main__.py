"""Make every fault, and write docs/reliability.md.

    python -m benchmarks.reliability [--short] [--only killed_workers,…]

The long run takes some twelve minutes on a quiet machine; the short one writes nothing.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reliability import callers, fuzz, processes, records, registry
from benchmarks.reliability.finding import Fault, Finding
from benchmarks.reliability.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

FAULTS: dict[str, Fault] = {
    each.__name__: each
    for each in (
        processes.killed_workers,
        processes.damaged_versions,
        processes.racing_promotions,
        registry.registry_faults,
        processes.clock_jumps,
        records.full_disk,
        records.locked_log,
        records.restarted_database,
        callers.slow_callers,
        callers.huge_bodies,
        callers.gzip_bomb,
        callers.deep_json,
        fuzz.fuzzed_requests,
    )
}

HEAD = """# Reliability

Faults the service has to survive, made on purpose on one machine with two cores, over loopback, and
what happened. `make reliability` makes them all anew and writes this page; a short version of each
is among the tests. Load is six askers of `POST /v1/risk` who know the right answer to everything
they ask; a record is sought for every answer they were given, and the chain of records is checked.

| fault | what happened | allowed | holds |
|---|---|---|---|
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default=",".join(FAULTS))
    chosen = parser.parse_args()
    found = [run(name, short=chosen.short) for name in chosen.only.split(",")]
    if not chosen.short and len(found) == len(FAULTS):
        PAGE.write_text(HEAD + "\n".join(map(_line, found)) + "\n", encoding="utf-8")
    sys.exit(not all(each.holds for each in found))


def run(name: str, *, short: bool) -> Finding:
    """Make one fault and print what it did."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="smoulder-fault-") as home,
        Served(Path(home)) as served,
    ):
        found = FAULTS[name](served, short)
    print(f"{name} ({time.monotonic() - began:.0f} s)\n{_line(found)}", flush=True)
    return found


def _line(found: Finding) -> str:
    return (
        f"| {found.fault} | {found.seen} | {found.limit} | {'yes' if found.holds else '**no**'} |"
    )


if __name__ == "__main__":
    main()
