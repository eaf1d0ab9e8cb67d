"""Trainings that end at the same moment, each in a process of its own."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.entities import Dataset, DatasetInput
from mlflow.exceptions import MlflowException
from sqlalchemy import NullPool, create_engine, text

from training.documents import Documents
from training.fit import Trained
from training.gate import Check, Verdict
from training.registry import Registry
from training.store import settled

ROOT = Path(__file__).parents[3]
NAME = "mgus-progression"
REGISTER = """
import pickle, sys
from pathlib import Path
from training.registry import Registry

root, uri, given = sys.argv[1:]
trained, documents = pickle.loads(Path(given).read_bytes())
print(Registry(Path(root), tracking_uri=uri).register(trained, documents).version.version)
"""

DATASET = """insert into datasets
    (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source)
    values (:digest, 0, 'rows', :digest, 'code', '{}')"""
ALIAS = """insert into registered_model_aliases (workspace, name, alias, version)
    values ('default', 'mgus-progression', :alias, 1)"""
WAITING = """select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'"""


def collide(
    registry: Registry, row: str, values: dict[str, str], write: Callable[[], None]
) -> None:
    """Have another connection add a row that `write` looked for a moment before and adds too."""
    engine = create_engine(registry.store.uri, poolclass=NullPool)
    with engine.connect() as other, engine.connect() as watch, ThreadPoolExecutor(1) as thread:
        other.execute(text(row), values)
        written = thread.submit(write)
        until = time.monotonic() + 60
        while not watch.scalar(text(WAITING)):
            assert time.monotonic() < until and not written.done()
            watch.rollback()
            time.sleep(0.05)
        other.commit()
        written.result(timeout=60)


@pytest.mark.parametrize("registry", ["postgresql"], indirect=True)
def test_what_another_machine_writes_at_the_same_moment_is_found_the_second_time(
    registry: Registry,
) -> None:
    client = registry.client
    client.create_registered_model(NAME)
    version = client.create_model_version(NAME, source=str(registry.root)).version
    run = client.create_run("0").info.run_id

    def input_of(digest: str) -> None:
        dataset = DatasetInput(Dataset("rows", digest, "code", "{}"))
        client.log_inputs(run, [dataset])

    def alias(name: str) -> None:
        client.set_registered_model_alias(NAME, name, version)

    # MLflow alone refuses, or nothing would be shown here.
    for row, write, key in ((DATASET, input_of, "digest"), (ALIAS, alias, "alias")):
        with pytest.raises(MlflowException, match="UniqueViolation"):
            collide(registry, row, {key: "first"}, lambda write=write: write("first"))
        collide(
            registry, row, {key: "second"}, lambda write=write: settled(lambda: write("second"))
        )
    inputs = client.get_run(run).inputs.dataset_inputs
    assert [given.dataset.digest for given in inputs] == ["second"]
    assert client.get_model_version_by_alias(NAME, "second").version == version


def test_what_the_registry_refuses_for_another_reason_is_refused(registry: Registry) -> None:
    with pytest.raises(MlflowException, match="not found"):
        settled(lambda: registry.client.set_registered_model_alias(NAME, "champion", "1"))


@pytest.mark.parametrize(
    ("registry", "roots"),
    [("postgresql", 1), ("server", 2)],
    indirect=["registry"],
)
def test_trainings_at_the_same_moment_all_register_and_one_is_champion(
    registry: Registry,
    roots: int,
    trained: Trained,
    documents: Documents,
    tmp_path: Path,
    clean_environment: dict[str, str],
) -> None:
    """In one folder they take turns; in two, as on two machines, only the server is shared."""
    check = Check("drawn", 1.0, "as the test wants it", passed=True)
    judged = replace(trained, verdict=Verdict(trained.chosen, (check,)))
    given = tmp_path / "given"
    given.write_bytes(pickle.dumps((judged, documents)))
    folders = [tmp_path / f"root-{i % roots}" for i in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER, folder, registry.store.uri, given],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean_environment,
        )
        for folder in folders
    ]
    numbers = [process.communicate(timeout=240)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    versions = registry.history(NAME)
    passed = {version.version for version in versions if version.gate == "passed"}
    assert passed == set(numbers) and len(numbers) == 2
    assert registry.champion(NAME).version in passed
    # In one folder the second finds the first's champion; on two machines both may find none.
    assert 1 <= len([version for version in versions if version.gate == "rule"]) <= roots
    experiments = [found.experiment_id for found in registry.client.search_experiments()]
    assert not registry.client.search_runs(experiments, "attributes.status = 'RUNNING'")
