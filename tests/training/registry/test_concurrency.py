"""Trainings that end at the same moment, each in a process of its own."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from training.documents import Documents
from training.fit import Trained
from training.gate import Check, Verdict
from training.registry import Registry

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
