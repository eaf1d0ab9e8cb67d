"""Runs that a killed process left behind are marked so by the next one that starts here."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.processes import free_port
from features.errors import RegistryError
from training.store import HOST, PROCESS, Store

ROOT = Path(__file__).parents[3]
LEAVE_A_RUN = """
import sys, time
from pathlib import Path
from training.store import Store

store = Store(Path(sys.argv[1]))
run = store.client.create_run(store.experiment("study", "about it"), tags=store.owner())
print(run.info.run_id, flush=True)
time.sleep(600)
"""


def _start(root: Path) -> tuple[subprocess.Popen[str], str]:
    # MLflow tells child processes which database another test opened.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    process = subprocess.Popen(
        [sys.executable, "-c", LEAVE_A_RUN, str(root)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_run_is_marked_killed_by_the_next_start_and_only_after_a_kill(tmp_path: Path) -> None:
    process, run_id = _start(tmp_path)
    try:
        assert Store(tmp_path).client.get_run(run_id).info.status == "RUNNING"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        assert Store(tmp_path).client.get_run(run_id).info.status == "KILLED"
    finally:
        process.kill()
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({HOST: "another machine", PROCESS: "999999999 1"}, "RUNNING"),
        ({}, "RUNNING"),
        # The number lives again: this very process, but started at another time.
        ({PROCESS: f"{os.getpid()} 1"}, "KILLED"),
    ],
)
def test_runs_of_others_and_numbers_that_came_again(
    tmp_path: Path, tags: dict[str, str], status: str
) -> None:
    store = Store(tmp_path)
    owner = store.owner() if tags else {}
    run = store.client.create_run(store.experiment("study", "about it"), tags={**owner, **tags})
    assert Store(tmp_path).client.get_run(run.info.run_id).info.status == status


def test_an_experiment_is_made_once_and_says_what_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.experiment("study", "about it")
    assert store.experiment("study", "told again") == first
    found = store.client.get_experiment(first)
    assert found.tags["mlflow.note.content"] == "about it"


@pytest.mark.parametrize("kind", ["http", "postgresql+psycopg"])
def test_a_server_that_does_not_answer_is_told_at_once_and_without_its_password(
    tmp_path: Path, kind: str
) -> None:
    place = f"127.0.0.1:{free_port()}"
    with pytest.raises(RegistryError, match=f"{place} does not answer") as caught:
        Store(tmp_path, f"{kind}://ward:secret@{place}/smoulder")
    assert "secret" not in str(caught.value)


def test_an_address_that_is_no_url_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="is no URL; expected one such as"):
        Store(tmp_path, "http://ward:secret")
