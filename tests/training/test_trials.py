"""Trials that workers share: each done by one of them, none lost with one that dies."""

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sqlalchemy import text

from features.errors import InputError
from models.artefact import save_artefact
from training.cohorts import Cohort
from training.fit import train
from training.search_space import Search, Space
from training.study import Study
from training.trials import open_storage, open_trials

ROOT = Path(__file__).parents[2]
NUMBERS = count()
STRENGTH = {"strength": Space(0.01, 1.0, log=True)}
SMALL = Search(("hazards", "cox"), 4, 2, 1, spaces={"hazards": STRENGTH, "cox": STRENGTH})
WORKER = """
import pickle, sys
from pathlib import Path
from models.artefact import save_artefact
from training.fit import train

given, url, folder = sys.argv[1:]
cohort, study = pickle.loads(Path(given).read_bytes())
found = train(cohort, study, seed=3, searched=True, storage=url).candidate
save_artefact(found.model, Path(folder), boosters=found.boosters)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trials.db'}"
    return str(request.getfixturevalue("postgres").create(f"trials_{next(NUMBERS)}"))


def test_a_setting_is_claimed_by_one_worker_and_free_when_that_is_done(
    url: str, tmp_path: Path
) -> None:
    with open_trials("one search", url) as first, open_trials("one search", url) as second:
        with first.claim(0, wait=False) as ours, second.claim(0, wait=False) as theirs:
            assert ours and not theirs
            with second.claim(1, wait=False) as other:
                assert other
            with open_trials("another", url) as third, third.claim(0, wait=False) as elsewhere:
                assert elsewhere
        with second.claim(0, wait=True) as theirs:
            assert theirs
        first.add(3, {"strength": 0.5}, np.array([0.25, 0.75]))
        assert {k: v.tolist() for k, v in second.losses().items()} == {3: [0.25, 0.75]}
    assert not list(tmp_path.glob("*.lock"))


def test_a_claim_outlives_the_patience_of_the_server(postgres: Any) -> None:
    url = postgres.create(name := f"trials_{next(NUMBERS)}")
    with open_storage(url) as storage, storage.engine.begin() as connection:
        limit = f"alter database {name} set idle_in_transaction_session_timeout = '200ms'"
        connection.execute(text(limit))
    both = open_trials("one search", url), open_trials("one search", url)
    with both[0] as first, both[1] as second, first.claim(0, wait=False) as ours:
        time.sleep(0.6)
        with second.claim(0, wait=False) as theirs:
            assert ours and not theirs


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_waiting_for_a_claim_outlives_the_patience_of_the_server(postgres: Any, limit: str) -> None:
    url = postgres.create(name := f"trials_{next(NUMBERS)}")
    with open_storage(url) as storage, storage.engine.begin() as connection:
        connection.execute(text(f"alter database {name} set {limit} = '200ms'"))

    def wait() -> bool:
        with open_trials("one search", url) as theirs, theirs.claim(0, wait=True) as got:
            return got

    with ThreadPoolExecutor(1) as thread:
        with open_trials("one search", url) as first, first.claim(0, wait=False):
            waiting = thread.submit(wait)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=3)
        assert waiting.result(timeout=60)


def test_trials_in_memory_are_everybodys_own() -> None:
    with open_trials("one search", None) as first, open_trials("one search", None) as second:
        with first.claim(0, wait=False) as ours, second.claim(0, wait=True) as theirs:
            assert ours and theirs
        first.add(0, {}, np.array([0.5]))
        assert second.losses() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        "sqlite://",
        "mysql://user@host/database",
        "postgresql://user@host:port/database",
        "postgresql://user:geheim@127.0.0.1:1/none?connect_timeout=2",
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(wrong: str) -> None:
    expected = pytest.raises(InputError, match=r"^--trials: .*expected postgresql://")
    with expected as caught, open_trials("one search", wrong):
        pass
    assert "geheim" not in str(caught.value)
    # As a worker process hands it on.
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_three_trainings_share_a_search_and_one_that_is_killed_changes_nothing(
    mgus2: Cohort, mgus: Study, postgres: Any, tmp_path: Path
) -> None:
    url = postgres.create(f"trials_{next(NUMBERS)}")
    study = replace(mgus, search=SMALL)
    given = tmp_path / "given"
    given.write_bytes(pickle.dumps((mgus2, study)))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, given, url, tmp_path / str(i)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for i in range(3)
    ]
    _wait(lambda: workers[0].pid in _workers(url).values())
    workers[0].send_signal(signal.SIGKILL)
    workers[0].wait(timeout=60)
    before = _workers(url)
    assert [worker.wait(timeout=300) for worker in workers[1:]] == [0, 0]
    after = _workers(url)
    # Three folds and all rows, two candidates, four settings each; what was done stayed done.
    assert len(after) == 4 * 2 * 4 > len(before)
    assert before.items() <= after.items()
    assert {worker.pid for worker in workers} == set(after.values())
    assert not (tmp_path / "0").exists()
    alone = train(mgus2, study, seed=3, searched=True).candidate
    save_artefact(alone.model, tmp_path / "alone", boosters=alone.boosters)
    assert _bytes(tmp_path / "1") == _bytes(tmp_path / "2") == _bytes(tmp_path / "alone")


def _workers(url: str) -> dict[tuple[str, int], int]:
    """Process that finished each setting of each search."""
    found = {}
    with open_storage(url) as storage:
        for study in optuna.get_all_study_summaries(storage):
            for trial in optuna.load_study(study_name=study.study_name, storage=storage).trials:
                key = study.study_name, trial.user_attrs["point"]
                assert key not in found, "a setting was tried twice"
                found[key] = int(trial.user_attrs["worker"].split()[1])
    return found


def _wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.1)


def _bytes(directory: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in directory.iterdir()}
