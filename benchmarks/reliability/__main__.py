"""Make every fault, and write docs/reliability.md.

    python -m benchmarks.reliability [--short] [--only killed_workers,…]

The long run of every fault takes some twelve minutes on a quiet machine and writes the page; a
short one, and one of some faults only, print their lines and write nothing.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability import callers, fuzz, processes, records, registry
from benchmarks.reliability.finding import Fault, Finding
from benchmarks.reliability.served import ROOT, Served

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

Faults the service has to survive, made on purpose on one machine, over loopback, and what happened.
`make reliability` makes them all anew and writes this page; a short version of each is among the
tests. Load is six askers of `POST /v1/risk` (two while the registry fails or a body is huge) who
know the right answer to everything they ask; a record is sought for every answer they were given,
and the chain of records is checked. "Not given" is any other status and any broken connection.
Memory is what all workers together hold. Seconds are of the clock on the wall, with the askers on
the same cores.
"""

COLUMNS = """
| fault | what happened | allowed | holds |
|---|---|---|---|
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", type=_chosen, default=list(FAULTS))
    chosen = parser.parse_args()
    made = _made()
    found = [run(name, short=chosen.short) for name in chosen.only]
    if not chosen.short and chosen.only == list(FAULTS):
        PAGE.write_text(page(found, made), encoding="utf-8")
    sys.exit(not all(each.holds for each in found))


def _chosen(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in FAULTS:
            message = f"{name} is none of {', '.join(FAULTS)}"
            raise argparse.ArgumentTypeError(message)
    return names


def page(found: Sequence[Finding], made: str) -> str:
    """The page about these findings, which tells when and on what they were made."""
    return HEAD + f"\n{made}\n" + COLUMNS + "\n".join(map(_line, found)) + "\n"


def _made() -> str:
    """When, of which state of the code and on what machine, before the first fault."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return (
        f"Made on {datetime.now(UTC):%Y-%m-%d} of commit {commit or 'unknown'} with Python "
        f"{platform.python_version()} on {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.1f} before."
    )


def run(name: str, *, short: bool) -> Finding:
    """Make one fault and print what it did; one that cannot be made to its end does not hold."""
    began = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="smoulder-fault-") as home,
            Served(Path(home)) as served,
        ):
            found = FAULTS[name](served, short)
    except Exception as error:  # noqa: BLE001  # the others are still worth their minutes
        traceback.print_exc()
        found = Finding(name, f"not made to its end: {type(error).__name__}", "", holds=False)
    print(f"{name} ({time.monotonic() - began:.0f} s)\n{_line(found)}", flush=True)
    return found


def _line(found: Finding) -> str:
    return (
        f"| {found.fault} | {found.seen} | {found.limit} | {'yes' if found.holds else '**no**'} |"
    )


if __name__ == "__main__":
    main()
