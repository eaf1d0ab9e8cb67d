import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from training.evaluation import evaluate_files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ORACLES = Path(__file__).parents[1] / "oracles"
TABLE = pd.read_csv(ORACLES / "ties.csv")
IDS = [f"s{k}" for k in range(len(TABLE))]
OUTCOMES = TABLE[["duration_years", "event"]].assign(subject_id=IDS)
RISKS = pd.DataFrame(
    {"subject_id": IDS, "model": "good", "horizon_years": 3.0, "risk": TABLE["good"]}
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    risks, outcomes = tmp_path / "risks.csv", tmp_path / "outcomes.csv"
    RISKS.to_csv(risks, index=False)
    OUTCOMES.to_csv(outcomes, index=False)
    return risks, outcomes


def test_every_kind_of_file_gives_the_same_judgement(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    expected = evaluate_files(*files).to_dict()
    RISKS.to_parquet(tmp_path / "risks.parquet")
    RISKS.to_excel(tmp_path / "risks.xlsx", index=False)
    RISKS.to_csv(tmp_path / "german.csv", sep=";", decimal=",", index=False, encoding="utf-8-sig")
    wide = pd.DataFrame({"subject_id": IDS, "good.status": "ok", "good.risk_3y": TABLE["good"]})
    wide.to_csv(tmp_path / "scores.csv", index=False)
    for name in ("risks.parquet", "risks.xlsx", "german.csv", "scores.csv"):
        assert evaluate_files(tmp_path / name, files[1]).to_dict() == expected
    outcomes = pd.read_csv(files[1])
    outcomes.to_csv(tmp_path / "german-outcomes.csv", sep=";", decimal=",", index=False)
    assert evaluate_files(files[0], tmp_path / "german-outcomes.csv").to_dict() == expected


def test_outcomes_with_their_own_names_are_judged_as_those_renamed_by_hand(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    names = {"Pat_ID": "subject_id", "Dauer": "duration_years", "Ende": "event", "HB": "igg_g_l"}
    (tmp_path / "cohort.json").write_text(json.dumps({"name": "c", "columns": names}))
    own = OUTCOMES.rename(columns={name: own for own, name in names.items()})
    own.to_csv(tmp_path / "own.csv", sep=";", decimal=",", index=False)
    own.to_excel(tmp_path / "own.xlsx", index=False)
    expected = evaluate_files(*files).to_dict()
    for name in ("own.csv", "own.xlsx"):
        judged = evaluate_files(files[0], tmp_path / name, columns_path=tmp_path / "cohort.json")
        assert judged.to_dict() == expected
    own.rename(columns={"Dauer": "Dauer_J"}).to_csv(tmp_path / "o.csv", index=False)
    with pytest.raises(InputError, match=r"^o\.csv, Dauer: .* file; is 'dauer_j' meant\?$"):
        evaluate_files(files[0], tmp_path / "o.csv", columns_path=tmp_path / "cohort.json")


def test_semicolons_with_decimal_points_are_read_as_they_are_written(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    RISKS.to_csv(tmp_path / "points.csv", sep=";", index=False)
    expected = evaluate_files(*files).to_dict()
    assert evaluate_files(tmp_path / "points.csv", files[1]).to_dict() == expected


def test_a_refused_subject_of_a_score_table_has_no_risk(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    refused = TABLE["good"].where(np.arange(len(TABLE)) >= 10)
    scores = pd.DataFrame({"subject_id": IDS, "a.b.risk_3y": refused, "a.b.risk_3y_lower": 0.0})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    rows = evaluate_files(tmp_path / "scores.csv", files[1]).rows
    assert [(row.model, row.n) for row in rows] == [("a.b", 290)]


def test_files_appear_whole_and_nothing_else(files: tuple[Path, Path], tmp_path: Path) -> None:
    out, report = tmp_path / "out" / "j.json", tmp_path / "out" / "r.html"
    out.parent.mkdir()
    judgement = evaluate_files(*files, out=out, report=report)
    written = json.loads(out.read_text())
    figures = written.pop("figures")
    assert written == json.loads(judgement.to_json())
    # What the page draws is there as numbers: 50 thresholds, and nobody by name.
    assert len(figures["curves"][0]["decision"]["model"]) == 50
    assert figures["flows"][0]["subjects"] == len(TABLE)
    assert "s17" not in out.read_text()
    assert report.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in out.parent.iterdir()) == ["j.json", "r.html"]


def test_an_error_names_file_row_and_column_and_writes_nothing(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    RISKS.assign(risk=np.where(np.arange(len(RISKS)) == 4, 1.5, RISKS["risk"])).to_csv(
        files[0], index=False
    )
    out = tmp_path / "j.json"
    with pytest.raises(InputError, match=r"^risks\.csv, row 6, risk: "):
        evaluate_files(*files, out=out)
    assert not out.exists()


def test_a_blank_line_does_not_shift_the_row(files: tuple[Path, Path]) -> None:
    lines = files[0].read_text().splitlines()
    files[0].write_text("\n".join([*lines[:3], "", *lines[3:], "", ""]) + "\n")
    with pytest.raises(InputError, match=r"^risks\.csv, row 4, "):
        evaluate_files(*files)


def test_blank_lines_at_the_end_are_no_rows(files: tuple[Path, Path]) -> None:
    files[0].write_text(files[0].read_text() + "\n\n")
    assert evaluate_files(*files).rows[0].n == len(RISKS)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "none.csv, file: not found"),
        ("risks.sav", b"", "expected a .csv, .parquet or .xlsx"),
        ("risks.parquet", b"not parquet", "risks.parquet, file: cannot be read"),
        ("risks.xlsx", b"not a sheet", "risks.xlsx, file: cannot be read"),
        ("risks.csv", b"", "risks.csv, file: cannot be read"),
        ("risks.csv", b"subject_id,model\n1,m\n", "risks.csv, horizon_years: missing"),
        ("risks.csv", b"\xff\xfe\x00", "risks.csv, row 1, column 1: is not UTF-8"),
        ("risks.csv", b"subject_id;model,risk\n", "risks.csv, row 1, header: has both commas"),
        ("risks.csv", b"id;risk\n1;1,234\n", "risks.csv, row 2, risk: .* between thousands"),
    ],
)
def test_what_is_no_table_is_refused_by_name(
    files: tuple[Path, Path], tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / "given" / name
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        evaluate_files(path, files[1])


def test_a_folder_that_is_not_there_is_refused_before_writing(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="folder does not exist"):
        evaluate_files(*files, out=tmp_path / "no" / "j.json")


def test_the_command_reminds_of_the_day_that_risks_of_a_score_table_count_from(
    files: tuple[Path, Path], tmp_path: Path, run: Run
) -> None:
    scores = pd.DataFrame({"subject_id": IDS, "date": "2020-01-31", "a.risk_3y": TABLE["good"]})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    told = ("--outcomes", files[1], "--out", tmp_path / "j.json")
    done = run("evaluate", "--risks", tmp_path / "scores.csv", *told)
    assert done.returncode == 0, done.stderr
    assert "scores.csv: each risk is as of the visit of its row" in done.stderr
    assert "'smoulder score --at first'" in done.stderr
    assert done.stdout == f"1 model judged on up to {len(TABLE)} people: {tmp_path / 'j.json'}\n"
    # Anybody's risks are as of the day that they say.
    assert "as of the visit" not in run("evaluate", "--risks", files[0], *told).stderr


def test_the_high_group_of_a_score_table_is_a_strategy(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    group = np.where(np.arange(len(TABLE)) < 40, "high", "low").astype(object)
    group[:10] = "intermediate|high"
    scores = pd.DataFrame({"subject_id": IDS, "a.risk_3y": TABLE["good"], "a.group": group})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    told = evaluate_files(tmp_path / "scores.csv", files[1]).strategies
    # The ten whose group stays open are known to be neither high nor not.
    assert [(row.strategy, row.n, row.flagged) for row in told] == [
        ("treat all", len(TABLE), len(TABLE)),
        ("a high", len(TABLE) - 10, 30),
    ]


def test_files_of_mgus2_with_any_risk_columns_are_judged_as_r_judges_them(tmp_path: Path) -> None:
    table = pd.read_csv(ORACLES / "mgus2.csv").assign(subject_id=lambda t: t.index)
    horizons = (2.0, 5.0, 10.0)
    long = pd.concat(
        table[["subject_id"]].assign(model=model, horizon_years=years, risk=table[model])
        for model in ("good", "noisy", "rule")
        for years in horizons
    )
    long.to_csv(tmp_path / "risks.csv", index=False)
    table.to_csv(tmp_path / "outcomes.csv", index=False)
    out = tmp_path / "judgement.json"
    evaluate_files(
        tmp_path / "risks.csv", tmp_path / "outcomes.csv", thresholds=(0.05, 0.1), out=out
    )
    found = {
        (row["model"], row["horizon_years"]): row for row in json.loads(out.read_text())["rows"]
    }
    constants = pd.read_csv(ORACLES / "riskregression.csv", keep_default_na=False, na_values=["NA"])
    by_r = constants[(constants["sample"] == "mgus2") & constants["horizon"].isin(horizons)]
    compared = 0
    for one in by_r.itertuples():
        if (one.model, one.horizon) not in found:
            continue
        row = found[one.model, one.horizon]
        if one.quantity in ("auc", "brier", "ipa"):
            assert row[one.quantity] == pytest.approx(one.value, abs=1e-8)
            compared += 1
        if one.quantity in ("auc", "brier"):
            assert row[f"{one.quantity}_se"] == pytest.approx(one.se, abs=1e-4)
        if one.quantity.startswith("net_benefit_0.05"):
            assert row["net_benefit"]["0.05"] == pytest.approx(one.value, abs=1e-8)
            compared += 1
    # Three models × three horizons × four measures.
    assert compared == 36
