"""The process that reads files has its limits."""

import subprocess
import sys

import msgspec

from serving.web.screening_frames import REFUSED, Refusal, Task


def test_a_process_that_reads_files_has_its_limits() -> None:
    limits = (
        "import resource; from serving.web import screening_job as job; job._limit();"
        "print([resource.getrlimit(getattr(resource, f'RLIMIT_{name}'))[0]"
        " for name in ('DATA', 'CPU', 'CORE')])"
    )
    said = subprocess.run([sys.executable, "-c", limits], capture_output=True, text=True)
    assert said.stdout.strip() == str([2 * 1024**3, 60, 0])


def test_a_process_that_needs_too_much_memory_says_so() -> None:
    hungry = (
        "import io, sys; from serving.web import screening_job as job;"
        "job.MEMORY_BYTES = 256 * 1024**2;"
        "job.work = lambda task, body: iter([bytearray(2**29)]);"
        "job.main()"
    )
    task = msgspec.json.encode(Task("", "", {}, 20_468)) + b"\n"
    said = subprocess.run([sys.executable, "-c", hungry], input=task, capture_output=True)
    assert said.stdout[:1] == REFUSED
    found = msgspec.json.decode(said.stdout[5:], type=Refusal)
    assert found.status == 413
    assert "of memory" in found.errors[0].expected
