"""`smoulder train` from outside: cohorts it refuses, PANGEA files it takes, reasons it keeps."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from features.sources.csv import rows_from_frame
from features.visits import check
from training.cohort_files import write_cohort
from training.cohorts import Cohort
from training.commands.training import Work, train_and_register
from training.registry import Registry
from training.simulation import simulate_cohort
from training.study import read_study
from training.trials import open_storage

Spoil = Callable[[Cohort], Cohort]
ROOT = Path(__file__).parents[1]
QUICK = {
    "count = 5": "count = 2",
    "[1.0, 2.0, 5.0]": "[2.0]",
    "[search]": '[search]\ncandidates = ["logistic"]',
    "trials = 12": "trials = 2",
    "refits = 200": "refits = 4",
}


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One registry for all refusals: none of them may leave anything in it."""
    return tmp_path_factory.mktemp("refused")


@pytest.fixture(scope="module")
def simulated() -> Cohort:
    return simulate_cohort(240, seed=11)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shipped study with two folds, one horizon and one learner."""
    text = (ROOT / "training/studies/smm.toml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("study") / "smm.toml"
    for shipped, quicker in QUICK.items():
        assert shipped in text
        text = text.replace(shipped, quicker)
    path.write_text(text, encoding="utf-8")
    return str(path)


def _first(count: int) -> Spoil:
    def first(cohort: Cohort) -> Cohort:
        kept = cohort.outcomes.iloc[:count]
        visits = cohort.visits[cohort.visits["subject_id"].isin(kept["subject_id"])]
        return replace(cohort, visits=visits, outcomes=kept)

    return first


def _without_events(cohort: Cohort) -> Cohort:
    return replace(cohort, outcomes=cohort.outcomes.assign(event=0))


def _cut_short(cohort: Cohort) -> Cohort:
    """Everybody lost after a year and a half at the latest."""
    outcomes = cohort.outcomes.copy()
    late = outcomes["duration_years"] > 1.5
    outcomes.loc[late, "event"] = 0
    outcomes.loc[late, "duration_years"] = 1.5
    return replace(cohort, outcomes=outcomes)


def _leaking(cohort: Cohort) -> Cohort:
    outcome = cohort.outcomes.set_index("subject_id").loc[cohort.visits["subject_id"]]
    values = 0.8 + 0.7 * (outcome["event"] == 1).to_numpy()
    return replace(cohort, visits=cohort.visits.assign(creatinine_mg_dl=values))


def _twice(cohort: Cohort) -> Cohort:
    """Thirty people once more, as from a second file."""
    again = _first(30)(cohort)
    frames = [t.assign(subject_id="b" + t["subject_id"]) for t in (again.visits, again.outcomes)]
    visits, outcomes = (
        pd.concat([mine, more], ignore_index=True)
        for mine, more in zip((cohort.visits, cohort.outcomes), frames, strict=True)
    )
    return replace(cohort, visits=visits, outcomes=outcomes)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_first(40), "events: "),
        (_without_events, "events: nobody progresses within 1 years"),
        (_cut_short, "follow-up: horizon 2 years: follow-up ends before 2 years"),
        (_leaking, "outcome-in-feature: creatinine_mg_dl nearly determines"),
        (_twice, "duplicates: "),
    ],
    ids=["too small", "no events", "short follow-up", "outcome in a feature", "in two files"],
)
def test_an_unsound_cohort_is_refused_by_name_and_leaves_nothing(
    simulated: Cohort, runs: Path, tmp_path: Path, run: Run, spoil: Spoil, said: str
) -> None:
    write_cohort(spoil(simulated), tmp_path / "c")
    done = run("train", "smm", "--cohort", tmp_path / "c", "--runs", runs)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("smoulder: study smm on simulated-referral: ")
    assert said in last
    assert "is the design sound" in done.stdout
    registry = Registry(runs)
    every = [e.experiment_id for e in registry.client.search_experiments()]
    assert registry.client.search_runs(every) == []
    assert registry.versions() == []


def test_the_command_says_it_in_one_line_beside_the_table(
    simulated: Cohort, tmp_path: Path, run: Run
) -> None:
    write_cohort(_leaking(simulated), tmp_path / "c")
    told = ("train", "smm", "--cohort", tmp_path / "c", "--runs", tmp_path / "runs")
    done = run(*told, "--diagnose-only", "--json")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--override outcome-in-feature --because REASON" in done.stderr
    status = {f["check"]: f["status"] for f in json.loads(done.stdout)["findings"]}
    assert status["outcome-in-feature"] == "refuse"
    lesson = ("--override", "outcome-in-feature", "--because", "a planted leak, for teaching")
    done = run(*told, "--diagnose-only", *lesson)
    assert done.returncode == 0, done.stderr
    assert "overridden" in done.stdout
    assert run(*told, "--override", "outcome-in-feature").returncode == 2
    assert not (tmp_path / "runs").exists()


def test_a_helper_takes_trials_and_leaves_no_run(
    simulated: Cohort, tmp_path: Path, run: Run, quick: str
) -> None:
    write_cohort(simulated, tmp_path / "c")
    told = ("train", quick, "--cohort", tmp_path / "c", "--runs", tmp_path / "runs")
    assert "--search-only: expected --trials" in run(*told, "--search-only").stderr
    shared = ("--trials", f"sqlite:///{tmp_path / 'trials.db'}", "--jobs", "1")
    done = run(*told, *shared, "--search-only")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "runs").exists()
    with open_storage(shared[1]) as storage:
        searches = optuna.get_all_study_summaries(storage)
    # Two folds and all rows, two settings each.
    assert [found.n_trials for found in searches] == [2, 2, 2]
    done = run(*told, *shared, "--search-only", "--json")
    assert json.loads(done.stdout)["searched"] == ["logistic"]
    assert json.loads(done.stdout)["study_hash"] == read_study(quick).hash
    done = run(*told, "--trials", "postgresql://x:geheim@127.0.0.1:1/x?connect_timeout=2")
    assert done.returncode == 2
    assert done.stderr.startswith("smoulder: --trials: the database cannot be used")
    assert "geheim" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_helper_without_a_search_and_one_on_an_unsound_cohort_are_refused_as_a_training_is(
    simulated: Cohort, tmp_path: Path, run: Run, quick: str
) -> None:
    write_cohort(_leaking(simulated), tmp_path / "c")
    told = ("train", quick, "--cohort", tmp_path / "c", "--runs", tmp_path / "runs")
    shared = ("--search-only", "--trials", f"sqlite:///{tmp_path / 'trials.db'}")
    done = run(*told, *shared, "--quick")
    assert done.returncode == 2
    assert done.stderr.startswith("smoulder: --search-only: there is no search with --quick")
    assert not (tmp_path / "trials.db").exists()
    done = run(*told, *shared, "--json")
    assert done.returncode == 1
    status = {f["check"]: f["status"] for f in json.loads(done.stdout)["findings"]}
    assert status["outcome-in-feature"] == "refuse"


def test_a_training_that_is_stopped_says_that_nothing_done_is_lost(
    simulated: Cohort,
    tmp_path: Path,
    quick: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.fit.train", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_and_register(quick, simulated, None, 0, tmp_path, work=Work(searched=False))
    assert capsys.readouterr().err == "Stopped; the same command goes on where it stood.\n"


def test_a_quick_training_leaves_the_database_of_trials_alone(
    simulated: Cohort, tmp_path: Path, run: Run, quick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cohort(simulated, tmp_path / "c")
    monkeypatch.setenv("SMOULDER_TRIALS", "postgresql://x@127.0.0.1:1/x?connect_timeout=2")
    told = ("train", quick, "--cohort", tmp_path / "c", "--runs", tmp_path / "runs")
    done = run(*told, "--quick", "--jobs", "1")
    assert done.returncode in (0, 1), done.stderr
    title, *_ = (line for line in done.stdout.splitlines() if line.startswith("SMM progression"))
    assert "of simulated-referral, cross-validated, not tuned" in title
    assert "Penalised logistic regression – held to the gate" in done.stdout
    assert f"--backend-store-uri sqlite:///{tmp_path / 'runs' / 'mlflow.db'}" in done.stdout
    assert f"smoulder serve --runs {tmp_path / 'runs'}\n" in done.stdout
    assert not list((tmp_path / "runs").glob("trials.db*"))
    stages = [line for line in done.stderr.splitlines() if line.startswith("Training SMM")]
    # Three candidates in two folds, refits of the one held to the gate and of the best rule.
    assert stages[0] == "Training SMM progression: Published rule, recalibrated, 0 of 6"
    assert [line.endswith("refits, 0 of 40") for line in stages] == [False] * 3 + [True] * 2 + [
        False
    ]
    assert stages[-1] == "Training SMM progression: registering"


def _as_pangea(cohort: Cohort) -> pd.DataFrame:
    """The cohort as the collaborators write it: a row per interval between two visits."""
    history = check(rows_from_frame(cohort.visits, source="visits")).history
    outcomes = cohort.outcomes.set_index("subject_id")
    names = {
        "mspike": "m_protein",
        "iuratio": "flc_ratio_involved",
        "plasmacells": "bmpc",
        "creatinine": "creatinine",
        "hgb": "hemoglobin",
    }
    table = pd.DataFrame(
        {
            "participant_id": np.array(history.subject_ids, dtype=object)[history.subject],
            "tstart": history.time_years,
            "age": history.age_years,
            **{column: history.labs[lab] for column, lab in names.items()},
        }
    )
    ended = outcomes["duration_years"].loc[table["participant_id"]].to_numpy()
    table, ended = table[table["tstart"] < ended], ended[table["tstart"] < ended]
    after = table.groupby("participant_id")["tstart"].shift(-1)
    progressed = outcomes["event"].loc[table["participant_id"]].to_numpy() == 1
    return table.assign(
        tstop=np.where(after.isna(), ended, after), prog_mm=(after.isna() & progressed).astype(int)
    )


def test_a_pangea_file_ends_in_a_registered_and_judged_version(
    simulated: Cohort, tmp_path: Path, quick: str, run: Run
) -> None:
    """Two centres, one file each; the folder says that they are simulated."""
    folder = tmp_path / "pangea"
    folder.mkdir()
    table = _as_pangea(simulated)
    second = table["participant_id"].str[1:].astype(int) > 120
    table[~second].to_csv(folder / "boston.csv", index=False)
    table[second].to_csv(folder / "athens.csv", index=False)
    (folder / "cohort.json").write_text('{"name": "pangea", "kind": "simulated"}')
    done = run(
        *("train", quick, "--cohort", folder, "--jobs", "1"),
        *("--json", "--runs", tmp_path / "runs"),
    )
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert told["version"]["cohort_kind"] == "simulated"
    assert told["version"]["gate"] == ("passed" if done.returncode == 0 else "refused")
    assert told["champion"]["aliases"]
    assert told["used"]["subjects"] > 200
    status = {f["check"]: f["status"] for f in told["diagnosis"]["findings"]}
    # The file knows no death; two centres are told apart.
    assert status["deaths"] == "warn"
    assert status["units"] == status["duplicates"] == "pass"
    centres = next(f for f in told["diagnosis"]["findings"] if f["check"] == "centres")
    assert centres["figures"]["centres"] == 2


def test_a_small_pangea_file_is_refused_fairly(simulated: Cohort, tmp_path: Path, run: Run) -> None:
    _as_pangea(_first(40)(simulated)).to_csv(tmp_path / "small.csv", index=False)
    done = run("train", "smm", "--cohort", tmp_path / "small.csv", "--diagnose-only")
    assert done.returncode == 1
    assert "subjects progress within" in done.stderr
    assert "stay with the published rule" in done.stderr
