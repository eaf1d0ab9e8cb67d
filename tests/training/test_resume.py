"""A training that is killed goes on where it stood, and ends as one that was not."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import optuna

from models.artefact import save_artefact
from training.cohort_files import write_cohort
from training.cohorts import Cohort
from training.fit import train
from training.search_space import Search, Space
from training.study import Study
from training.trials import open_storage
from training.workshop import Workshop

SMALL = Search(
    candidates=("hazards", "cox"),
    trials=3,
    inner_folds=2,
    refits=6,
    shortlist=2,
    spaces={name: {"strength": Space(0.01, 1.0, log=True)} for name in ("hazards", "cox")},
)

STUDY = """
[search]
candidates = ["hazards", "cox"]
trials = 2
inner_folds = 2
refits = 4
[search.spaces.hazards]
strength = { low = 0.01, high = 1.0, log = true }
[search.spaces.cox]
strength = { low = 0.01, high = 1.0, log = true }
"""


def _bytes_of(directory: Path) -> dict[str, str]:
    files = sorted(directory.iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_one_process_and_two_give_the_same_bytes(
    mgus2: Cohort, mgus: Study, tmp_path: Path
) -> None:
    study = replace(mgus, search=SMALL)
    found = []
    for jobs in (1, 2):
        shop = Workshop(jobs, tmp_path / f"work-{jobs}")
        trained = train(
            mgus2,
            study,
            seed=3,
            searched=True,
            storage=f"sqlite:///{tmp_path / f'trials-{jobs}.db'}",
            workshop=shop,
        )
        assert trained.instability is not None and trained.instability.replicates == 6
        final = trained.candidate
        save_artefact(final.model, tmp_path / f"model-{jobs}", boosters=final.boosters)
        found.append(_bytes_of(tmp_path / f"model-{jobs}"))
    assert found[0] == found[1]


def test_kill_9_loses_no_finished_trial_and_no_finished_piece(
    mgus2: Cohort, tmp_path: Path
) -> None:
    import training

    shipped = (Path(training.__file__).parent / "studies" / "mgus.toml").read_text("utf-8")
    design = shipped[: shipped.index("[search]")].replace("repeats = 4", "repeats = 1")
    (tmp_path / "small.toml").write_text(design + STUDY)
    write_cohort(mgus2, tmp_path / "mgus2")
    runs = tmp_path / "runs"
    command = [sys.executable, "-m", "smoulder", "train", str(tmp_path / "small.toml")]
    command += ["--cohort", str(tmp_path / "mgus2"), "--runs", str(runs), "--jobs", "1"]
    command += ["--seed", "2"]

    def kept() -> list[Path]:
        return sorted((runs / "training").rglob("[!.]*.npz"))

    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        while len(kept()) < 8 and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, "it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
    before = {file: file.stat().st_mtime_ns for file in kept()}
    trials = _finished(runs)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Refused by the gate or not: it went through to a registered version.
    assert done.returncode in (0, 1), done.stderr
    assert "mgus-progression" in done.stdout + done.stderr
    assert len(before) >= 8
    after = _finished(runs)
    assert set(trials) <= set(after)
    assert all(after[key] == when for key, when in trials.items())
    # Five folds and all rows, two tuned candidates, two settings each: none done twice.
    assert len(after) == 6 * 2 * 2
    assert not (runs / "training").exists() or not kept()


def _finished(runs: Path) -> dict[tuple[str, int], object]:
    """When each setting of each search was finished."""
    found = {}
    with open_storage(f"sqlite:///{runs / 'trials.db'}") as storage:
        for study in optuna.get_all_study_summaries(storage):
            loaded = optuna.load_study(study_name=study.study_name, storage=storage)
            for trial in loaded.get_trials(states=(optuna.trial.TrialState.COMPLETE,)):
                key = study.study_name, trial.user_attrs["point"]
                assert key not in found, "a setting was tried twice"
                found[key] = trial.datetime_complete
    return found
