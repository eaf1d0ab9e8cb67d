"""The command line, from outside: exit status, one clear line, nothing half-written."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.registry import Registry

ROOT = Path(__file__).parents[1]
COMMANDS = (
    *("demo", "simulate", "cohort", "train", "models", "promote", "rollback"),
    *("history", "lineage"),
    *("score", "screen", "evaluate", "serve", "follow"),
)
GROUPS = ("keys", "audit")
GOOD = "subject_id,date,age,m_protein_g_dl,flc_ratio_involved,bmpc_percent\n"


def clean_environment() -> dict[str, str]:
    """The environment of a newcomer: MLflow tells child processes which database a test opened."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def alone(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, warnings as anybody sees them."""
    return subprocess.run(
        [sys.executable, "-m", "smoulder", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**clean_environment(), "COLUMNS": "200"},
        check=False,
    )


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, smoulder\n"
        "sys.argv = ['smoulder', '--help']\n"
        "try: smoulder.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'mlflow', 'xgboost', 'sklearn', 'bentoml', 'starlette'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_help_lists_the_commands_as_a_newcomer_meets_them(run: Run) -> None:
    table = run("--help").stdout.split(" Commands ")[1]
    named = [
        line.split()[1] for line in table.splitlines() if line.startswith("│ ") and line[2] != " "
    ]
    assert named == [*COMMANDS, *GROUPS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Example: smoulder {command}" in " ".join(done.stdout.split())


def test_a_suggested_command_looks_in_the_folder_of_the_caller(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "my runs"
    Registry(runs)
    shutil.copytree(runs, tmp_path / "mlruns")
    for asked, suggested in (
        (("history", "smm-progression"), "smoulder models"),
        (("serve", "--access"), "smoulder keys add"),
        (("serve", "--host", "0.0.0.0"), "smoulder keys add"),
    ):
        for folder in (("--runs", runs), ()):
            monkeypatch.chdir(tmp_path)
            done = run(*asked, *folder)
            assert done.returncode == 2
            (line,) = done.stderr.splitlines()
            assert suggested in line
            assert (f"{suggested} --runs '{runs}'" in line) == bool(folder), line
    monkeypatch.setenv("SMOULDER_RUNS", str(runs))
    assert "--runs" not in run("history", "smm-progression").stderr
    # The variable would lead elsewhere.
    assert "--runs mlruns" in run("history", "smm-progression", "--runs", "mlruns").stderr


@pytest.mark.parametrize(
    "words",
    [
        ("models",),
        ("history", "m"),
        ("lineage", "m", "1"),
        ("promote", "m", "1"),
        ("rollback", "m"),
    ],
)
def test_a_folder_without_a_registry_is_told_and_none_is_made_there(
    tmp_path: Path, run: Run, words: tuple[str, ...]
) -> None:
    typed = tmp_path / "mlrunz"
    done = run(*words, "--runs", typed)
    assert done.returncode == 2
    assert f"--runs: there is no registry in {typed}; train one" in done.stderr
    assert not typed.exists()


def test_a_cohort_is_written_once_and_never_over_another(tmp_path: Path, run: Run) -> None:
    assert run("simulate", "--subjects", "30", "--seed", "3", "--out", tmp_path / "c").stdout
    names = sorted(p.name for p in (tmp_path / "c").iterdir())
    assert names == ["cohort.json", "outcomes.csv", "truth.csv", "visits.csv"]
    again = run("simulate", "--subjects", "30", "--out", tmp_path / "c")
    assert again.returncode == 2
    assert "not empty" in again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_the_same_seed_gives_the_same_cohort(tmp_path: Path, run: Run) -> None:
    for name in ("a", "b"):
        run("simulate", "--subjects", "20", "--seed", "5", "--out", tmp_path / name)
    for file in ("visits.csv", "outcomes.csv", "truth.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_real_cohort_trains_to_a_refusal_that_leaves_the_rule(tmp_path: Path, run: Run) -> None:
    assert run("cohort", "mgus2", "--out", tmp_path / "mgus2").returncode == 0
    runs = ("--runs", tmp_path / "runs")
    done = alone("train", "mgus", "--cohort", tmp_path / "mgus2", "--json", "--quick", *runs)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["champion"]["gate"] == "rule"
    # Of 1,384 people 11 have no M-protein and one an impossible creatinine.
    assert told["used"] == {"subjects": 1372, "landmarks": 1372, "left_out": 11, "refused": 1}
    assert any(not check["passed"] for check in told["gate"])
    assert "stays champion" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    listed = json.loads(run("models", "--json", *runs).stdout)
    assert {(v["version"], v["gate"]) for v in listed} == {("1", "rule"), ("2", "refused")}
    assert run("promote", "mgus-progression", "2", *runs).returncode == 1
    assert run("rollback", "mgus-progression", *runs).returncode == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("subject_id,m_protein_g_dl\na,1\n", "date"),
        ("date,m_protein_g_dl\n2024-01-01,1\n", "subject_id"),
        ("subject_id,date,m_protein_mg_ml\na,2024-01-01,1\n", "m_protein_g_dl"),
        ("subject_id,date,m_protein\na,2024-01-01,1\n", "unit"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_no_output(
    tmp_path: Path, run: Run, text: str, said: str
) -> None:
    (tmp_path / "in.csv").write_text(text)
    done = run("score", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert "in.csv" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


SENTINEL = "77.7377"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (f"x,2024-01-01,60,{SENTINEL},5,12", "must lie within 0-10 g/dL"),
        ("x,2999-01-01,60,1,5,12", "future"),
        ("x,2024-01-01,60,1,5,12\nx,2024-01-01,60,2,5,12", "different values"),
        ("x,2024-01-01,60,,,", "no usable laboratory value"),
        (f"x,2024-01-01,60,about {SENTINEL},5,12", "m_protein_g_dl"),
        (f"x,2024-01-01,7{SENTINEL},1,5,12", "age"),
    ],
)
def test_a_bad_subject_is_one_line_and_the_others_are_answered(
    tmp_path: Path, run: Run, bad: str, said: str
) -> None:
    (tmp_path / "in.csv").write_text(f"{GOOD}g,2024-01-01,60,2.5,30,25\n{bad}\n")
    done = run("score", tmp_path / "in.csv", "-o", tmp_path / "out.csv", "--models", "20-2-20")
    assert done.returncode == 0, done.stderr
    assert said in done.stderr
    assert SENTINEL not in done.stderr + done.stdout
    table = pd.read_csv(tmp_path / "out.csv").set_index("subject_id")
    assert table.loc["g", "20-2-20.group"] == "high"
    assert table.loc["x", "20-2-20.status"] == "refused"
    assert said in table.loc["x", "20-2-20.reason"]
    strict = run("score", tmp_path / "in.csv", "-o", tmp_path / "strict.csv", "--on-error", "stop")
    assert strict.returncode == 2
    assert said in strict.stderr
    assert SENTINEL not in strict.stderr
    assert not (tmp_path / "strict.csv").exists()


def test_an_unknown_model_and_an_unknown_choice_are_refused(tmp_path: Path, run: Run) -> None:
    (tmp_path / "in.csv").write_text(f"{GOOD}g,2024-01-01,60,2.5,30,25\n")
    out = ("-o", tmp_path / "out.csv")
    unknown = run(
        "score", tmp_path / "in.csv", *out, "--models", "crystal", "--runs", tmp_path / "r"
    )
    assert "--models: 'crystal' is not one of 20-2-20" in unknown.stderr
    assert f"registered ones are those in {tmp_path / 'r' / 'serving'}" in unknown.stderr
    assert run("score", tmp_path / "in.csv", *out, "--at", "dawn").returncode == 2
    assert not (tmp_path / "out.csv").exists()


def test_a_place_that_cannot_be_used_and_a_seed_below_zero_are_no_traceback(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "in.csv").write_text(f"{GOOD}g,2024-01-01,60,2.5,30,25\n")
    run("simulate", "--subjects", "5", "--out", tmp_path / "c")
    blocked = tmp_path / "in.csv"
    for words in (
        ("simulate", "--subjects", "5", "--out", blocked / "c"),
        ("models", "--runs", blocked),
        ("train", "smm", "--cohort", tmp_path / "c", "--runs", blocked / "runs"),
        ("score", blocked, "-o", tmp_path / "out.csv", "--models", ","),
        ("train", "smm", "--cohort", tmp_path / "c", "--seed", "-1"),
    ):
        done = run(*words)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "in.csv"]


HOSPITAL = (
    "Pat_ID;Datum;Alter;HB;FLC_K;FLC_L;M_Protein;KM\n"
    "007;17.09.2024;61;12,1;240;8;3,4;35\n8;18.09.2024;70;13;10;12;1;10\n"
)
NAMES = {
    "Pat_ID": "subject_id", "Datum": "date", "Alter": "age", "HB": "hemoglobin_g_dl",
    "FLC_K": "kappa_flc_mg_l", "FLC_L": "lambda_flc_mg_l", "M_Protein": "m_protein_g_dl",
    "KM": "bmpc_percent",
}  # fmt: skip


def hospital(folder: Path) -> None:
    """A hospital's own extract, the same renamed by hand, and the names of its columns."""
    header, rest = HOSPITAL.split("\n", 1)
    (folder / "own.csv").write_text(HOSPITAL)
    renamed = ";".join(NAMES[name] for name in header.split(";"))
    (folder / "hand.csv").write_text(f"{renamed}\n{rest}")
    (folder / "names.json").write_text(json.dumps({"columns": NAMES | {"Ende": "event"}}))


@pytest.mark.parametrize("command", [("score",), ("screen", "--trial", "AQUILA")])
def test_a_file_with_its_own_names_is_answered_as_the_one_renamed_by_hand(
    tmp_path: Path, run: Run, command: tuple[str, ...]
) -> None:
    hospital(tmp_path)
    columns = ("--columns", tmp_path / "names.json")
    own = run(*command, tmp_path / "own.csv", "-o", tmp_path / "own.out.csv", *columns)
    hand = run(*command, tmp_path / "hand.csv", "-o", tmp_path / "hand.out.csv")
    assert (own.returncode, hand.returncode) == (0, 0), own.stderr
    answers = (tmp_path / "own.out.csv").read_text()
    assert answers == (tmp_path / "hand.out.csv").read_text()
    assert "007" in answers


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"Krea": "creatinine_mg_dl"}, "own.csv, Krea: is no column of the file"),
        ({"M-Protein": "m_protein_g_dl"}, "M-Protein: is no column of the file; is 'm_protein'"),
        ({"HB": "hemoglobin"}, "names.json, HB: 'hemoglobin' has no unit; expected one of"),
        ({"KM": "bmpc_percent", "Mark": "bmpc_percent"}, "bmpc_percent: is named for both 'KM'"),
    ],
)
def test_wrong_names_are_one_line_and_no_output(
    tmp_path: Path, run: Run, names: dict[str, str], said: str
) -> None:
    hospital(tmp_path)
    (tmp_path / "names.json").write_text(json.dumps({"columns": names}))
    out = ("-o", tmp_path / "out.csv", "--columns", tmp_path / "names.json")
    done = run("score", tmp_path / "own.csv", *out)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("layout", ["omop", "fhir", "pangea"])
def test_only_tables_of_visits_have_names_of_their_own(
    tmp_path: Path, run: Run, layout: str
) -> None:
    hospital(tmp_path)
    (tmp_path / "fhir.json").write_text("{}")
    (tmp_path / "pangea.csv").write_text("participant_id,tstart\n")
    file = {"omop": tmp_path, "fhir": "fhir.json", "pangea": "pangea.csv"}[layout]
    columns = ("--columns", tmp_path / "names.json")
    done = run("score", tmp_path / file, "-o", tmp_path / "out.csv", *columns)
    assert done.returncode == 2
    assert f"is read as {layout}, by its own names" in done.stderr


def test_scores_can_be_judged_and_screened(tmp_path: Path) -> None:
    alone("simulate", "--subjects", "300", "--seed", "2", "--out", tmp_path / "c")
    visits = pd.read_csv(tmp_path / "c" / "visits.csv", dtype={"subject_id": str})
    first = visits[visits["years"] == visits.groupby("subject_id")["years"].transform("min")]
    first.to_csv(tmp_path / "first.csv", index=False)
    scored = alone(
        "score", tmp_path / "first.csv", "-o", tmp_path / "s.csv", "--models", "pangea-smm,20-2-20"
    )
    assert scored.returncode == 0, scored.stderr
    judged = alone(
        *("evaluate", "--risks", tmp_path / "s.csv"),
        *("--outcomes", tmp_path / "c" / "outcomes.csv", "--thresholds", "0.1,0.2"),
    )
    assert judged.returncode == 0, judged.stderr
    rows = json.loads(judged.stdout)["rows"]
    assert {row["model"] for row in rows} == {"pangea-smm", "20-2-20"}
    assert all(0 <= row["auc"] <= 1 for row in rows if row["auc"] is not None)
    listed = alone(
        *("screen", tmp_path / "first.csv", "--trial", "AQUILA"),
        *("-o", tmp_path / "l.csv", "--json"),
    )
    assert listed.returncode == 0, listed.stderr
    counts = json.loads(listed.stdout)["counts"]
    table = pd.read_csv(tmp_path / "l.csv")
    assert sum(counts.values()) == len(table) == first["subject_id"].nunique()
    eligible = table[table["eligibility"] == "eligible"]
    assert len(eligible) == counts["eligible"] > 0
    assert (np.diff(eligible["pangea-smm.risk_2y"].dropna()) <= 0).all()
