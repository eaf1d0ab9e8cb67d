"""The process that reads a dropped file and screens it: one file, one process, and it is gone.

What comes from outside is parsed here, away from the worker that answers single requests, under
limits of memory and time, in memory that no disk sees: ``python -m serving.web.screening_job``
takes the task (one line of JSON) and then the body of the form on its input, and gives frames on
its output – a kind, a length and content.
"""

import os
import resource
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from features.errors import FieldProblem, InputError
from features.labs import years_from_days
from features.visits import Finding, Visits, check
from serving.lifecycle import Watch
from serving.lineup import Lineup
from serving.problems import TOO_LARGE, ProblemError
from serving.web.parts import read_parts
from serving.web.screening_answers import screened
from serving.web.screening_frames import (
    ASKED,
    COLUMNS,
    FAULT,
    LISTED,
    READ,
    REFUSED,
    TOLD,
    Asked,
    Columns,
    Frame,
    Refusal,
    Task,
    write_frame,
)
from serving.web.screening_list import pack
from serving.web.screening_upload import Upload, read_upload, rows_of_upload

__all__ = ["CPU_SECONDS", "MEMORY_BYTES", "MOST_PATIENTS", "MOST_ROWS", "work"]

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 60
MOST_PATIENTS = 50_000
MOST_ROWS = 1_000_000


def main() -> None:
    """Work through one task."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    task = msgspec.json.decode(source.readline(), type=Task)
    try:
        for frame in work(task, source.read()):
            write_frame(sink, frame)
    except MemoryError:
        write_frame(sink, Frame(REFUSED, msgspec.json.encode(_too_much())))
    except Exception as error:  # noqa: BLE001  # the worker is told the place, never a value
        places = traceback.extract_tb(error.__traceback__)[-3:]
        lines = " < ".join(f"{place.filename}:{place.lineno}" for place in reversed(places))
        write_frame(sink, Frame(FAULT, f"{type(error).__name__} at {lines}".encode()))


def _limit() -> None:
    """Bound what a hostile file can take; a crash leaves no image of the memory."""
    os.nice(5)  # single requests go first
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def work(task: Task, body: bytes) -> Iterator[Frame]:
    """Frames for a form: its columns to confirm, its list after its records, or why not."""
    name = ""
    try:
        parts = read_parts(body, task.content_type)
        del body
        upload = read_upload(parts)
        name = upload.name
        with upload.opened() as path:
            yield from _answer(task, upload, path)
    except ProblemError as problem:
        errors = problem.errors or (FieldProblem("file", problem.detail),)
        yield Frame(REFUSED, msgspec.json.encode(Refusal(name, errors, problem.kind.status)))
    except InputError as error:
        told = FieldProblem(error.problem.field, error.problem.expected, error.problem.row)
        yield Frame(REFUSED, msgspec.json.encode(Refusal(name, (told,))))


def _answer(task: Task, upload: Upload, path: Path) -> Iterator[Frame]:
    rows = rows_of_upload(upload, path)
    if isinstance(rows, Columns):
        yield Frame(COLUMNS, msgspec.json.encode(rows))
        return
    if len(rows.subject_ids) > MOST_PATIENTS or rows.subject.size > MOST_ROWS:
        detail = (
            f"has more than {MOST_PATIENTS} patients or {MOST_ROWS} rows; "
            "split it, or use `smoulder screen`"
        )
        raise ProblemError(TOO_LARGE, detail)
    yield Frame(READ, msgspec.json.encode(len(rows.subject_ids)))
    visits = check(rows, as_of_years=float(years_from_days(np.array(task.today))))
    refusals, doubts = _worded(visits, upload)
    list_ = screened(
        rows, visits, _lineup(task), file=upload.name, doubts=doubts, refusals=refusals
    )
    packed = pack(list_.found)
    asked = Asked(upload.digest, dict(upload.names or {}), list_.shared, len(list_))
    yield Frame(ASKED, msgspec.json.encode(asked))
    for part in list_.told():
        yield Frame(TOLD, msgspec.json.encode(part))
    yield Frame(LISTED, packed)


def _lineup(task: Task) -> Lineup:
    """The models that answer single requests too."""
    watch = Watch(Path(task.models_dir))
    watch.look()
    now = watch.lineup
    same = {n: m for n, m in now.learned.items() if task.versions.get(n) == m.version}
    return Lineup(same, now.cards, now.faults)


def _worded(visits: Visits, upload: Upload) -> tuple[dict[int, str], dict[int, str]]:
    """Subject to why it was refused and to what wants confirming, in the file's own words."""
    refusals: dict[int, str] = {}
    doubts: dict[int, list[str]] = {}
    for finding in visits.findings:
        said = _said(finding, upload)
        if finding.severity == "refused":
            refusals.setdefault(finding.subject, said)
        else:
            doubts.setdefault(finding.subject, []).append(said)
    kept = {s: "; ".join(said) for s, said in doubts.items() if s not in refusals}
    return refusals, kept


def _said(finding: Finding, upload: Upload) -> str:
    own = {canonical: name for name, canonical in (upload.names or {}).items()}
    field = own.get(finding.field, finding.field)
    return str(Finding(finding.subject, finding.row, field, finding.message, finding.severity))


def _too_much() -> Refusal:
    needs = f"needs more than {MEMORY_BYTES >> 30} GB of memory; split it, or use `smoulder screen`"
    return Refusal("", (FieldProblem("file", needs),), TOO_LARGE.status)


if __name__ == "__main__":
    main()
