"""Cohorts in files: folders, and the collaborators' file."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from training import cohort_files
from training.cohort_files import read_cohort, write_cohort
from training.cohorts import Cohort
from training.diagnosis import examine
from training.simulation import simulate_cohort
from training.study import read_study


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_cohort_saved_by_a_german_spreadsheet_reads_as_the_english_one_does(tmp_path, encoding):
    visits = "subject_id,date,sex,m_protein_g_dl\nMüller-7,2024-09-17,F,2.4\nB,2025-03-04,M,3\n"
    outcomes = "subject_id,duration_years,event,treated_years\nMüller-7,1.234,1,0.5\nB,2.75,0,\n"
    (tmp_path / "english").mkdir()
    (tmp_path / "german").mkdir()
    for name, text in (("visits.csv", visits), ("outcomes.csv", outcomes)):
        (tmp_path / "english" / name).write_text(text, encoding="utf-8")
        (tmp_path / "german" / name).write_text(as_german(text), encoding=encoding)
    english, german = read_cohort(tmp_path / "english"), read_cohort(tmp_path / "german")
    pd.testing.assert_frame_equal(english.visits, german.visits)
    pd.testing.assert_frame_equal(english.outcomes, german.outcomes)


def as_german(text):
    """As Excel saves the same sheet where its language is German, but for the days."""
    return text.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize("duration", ["1,234", "12.345"])
def test_a_duration_that_could_be_in_thousands_of_years_is_refused(tmp_path, duration):
    folder = tables(tmp_path / "c")
    text = f"subject_id;duration_years;event\nA;1;0\nB;{duration};1\n"
    (folder / "outcomes.csv").write_text(text)
    with pytest.raises(ColumnError, match=r"^outcomes\.csv, row 3, duration_years: .* thousands"):
        read_cohort(folder)


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
    write = cohort_files._write_table

    def fail_at_the_second(table, file, file_format):
        if file.stem == "outcomes":
            raise OSError("disk full")
        write(table, file, file_format)

    monkeypatch.setattr(cohort_files, "_write_table", fail_at_the_second)
    with pytest.raises(OSError, match="disk full"):
        write_cohort(small(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "error", "message"),
    [
        ("outcomes.csv", None, InputError, r"outcomes.csv: not found"),
        ("visits.csv", None, InputError, r"visits.csv: not found"),
        ("visits.csv", "", InputError, "cannot be read as a table"),
        (
            "visits.csv",
            "id,years\nA,0\n",
            ColumnError,
            r"visits.csv, row 1, subject_id: is needed and missing; is 'id' meant",
        ),
        (
            "visits.csv",
            "subject_id,m\nA,0\n",
            ColumnError,
            "row 1, date: date, or years since diagnosis, is needed and missing; the columns are",
        ),
        (
            "visits.csv",
            "subject_id,years\nA,0\n,1\n",
            InputError,
            "visits.csv, row 3, subject_id: every row needs a subject",
        ),
        (
            "visits.csv",
            "subject_id,years\nA,0\nC,0\n",
            InputError,
            "visits.csv, row 3, subject_id: every subject with visits needs a row in outcomes.csv",
        ),
        (
            "outcomes.csv",
            "subject_id,event\nA,0\n",
            ColumnError,
            r"outcomes.csv, row 1, duration_years: is needed and missing; the columns",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nB,-1,0\n",
            ValueRangeError,
            "outcomes.csv, row 3, duration_years: expected years from diagnosis, 0 or more",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,soon,0\nB,1,0\n",
            ValueRangeError,
            "outcomes.csv, row 2, duration_years",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nB,1,3\n",
            ValueRangeError,
            "outcomes.csv, row 3, event: expected 0 censored, 1 progression or 2 death first",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event\nA,1,0\nA,2,0\nB,1,1\n",
            DuplicateError,
            "outcomes.csv, row 3, subject_id: expected one row per subject",
        ),
        (
            "outcomes.csv",
            "subject_id,duration_years,event,treated_years\nA,1,0,\nB,1,0,early\n",
            ValueRangeError,
            "outcomes.csv, row 3, treated_years: expected years from diagnosis to the first",
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


@pytest.mark.parametrize(
    ("file", "named", "meant"),
    [
        ("visits.csv", "PatNr", "subject_id"),
        ("outcomes.csv", "duration_year", "duration_years"),
        ("outcomes.csv", "Event ", "event"),
    ],
)
def test_where_a_column_is_missing_the_one_that_is_meant_is_named(tmp_path, file, named, meant):
    folder = tables(tmp_path / "c")
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(meant, named, 1))
    with pytest.raises(ColumnError, match=f"{meant}: .* is {named!r} meant"):
        read_cohort(folder)


def test_one_cell_that_is_no_number_leaves_the_decimal_commas_of_the_others(tmp_path):
    folder = tables(tmp_path / "c")
    (folder / "outcomes.csv").write_text(
        "subject_id;duration_years;event\nA;1,5;0\nB;soon;0\n", encoding="utf-8"
    )
    with pytest.raises(ValueRangeError, match=r"outcomes.csv, row 3, duration_years"):
        read_cohort(folder)


def test_a_table_given_twice_is_refused(tmp_path):
    folder = tables(tmp_path / "c")
    pd.DataFrame({"subject_id": ["A"]}).to_parquet(folder / "visits.parquet")
    with pytest.raises(InputError, match="given as CSV and as Parquet"):
        read_cohort(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder"):
        read_cohort(tmp_path / "nowhere")


def test_errors_hold_no_value_of_a_patient(tmp_path):
    folder = tables(tmp_path / "c")
    sentinel = "SENTINEL" + hashlib.sha256(b"x").hexdigest()[:8]
    (folder / "outcomes.csv").write_text(
        f"subject_id,duration_years,event\nA,{sentinel},0\nB,1,0\n"
    )
    with pytest.raises(InputError) as caught:
        read_cohort(Path(folder))
    assert sentinel not in str(caught.value)


def pangea(rows):
    """The collaborators' file of one centre, from (participant, start, stop, progressed)."""
    table = pd.DataFrame(rows, columns=["participant_id", "tstart", "tstop", "prog_mm"])
    return table.assign(
        mspike=1.5, iuratio=12.0, plasmacells=15.0, age=61.0, creatinine=0.9, hgb=13.1
    )


COURSE = [("07", 0.0, 0.5, 0), ("07", 0.5, 1.25, 1), ("8", 0.3, 2.0, 0)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_pangea_file_is_a_cohort(tmp_path, suffix):
    file = tmp_path / f"boston.{suffix}"
    table = pangea(COURSE)
    table.to_csv(file, index=False) if suffix == "csv" else table.to_parquet(file)
    cohort = read_cohort(file)
    assert (cohort.name, cohort.kind) == ("boston", "real")
    assert cohort.visits["subject_id"].tolist() == ["07", "07", "8"]
    assert cohort.visits["years"].tolist() == [0.0, 0.5, 0.3]
    assert cohort.visits["m_protein_g_dl"].tolist() == [1.5] * 3
    assert "centre" not in cohort.visits
    assert cohort.outcomes.to_dict("list") == {
        "subject_id": ["07", "8"], "duration_years": [1.25, 2.0], "event": [1, 0],
    }  # fmt: skip


def test_a_folder_of_pangea_files_has_a_centre_for_each(tmp_path):
    pangea(COURSE).to_csv(tmp_path / "boston.csv", index=False)
    pangea([("9", 0.0, 3.0, 0)]).to_csv(tmp_path / "athens.csv", index=False)
    (tmp_path / "cohort.json").write_text('{"name": "two", "kind": "simulated"}')
    cohort = read_cohort(tmp_path)
    assert (cohort.name, cohort.kind) == ("two", "simulated")
    assert cohort.visits["centre"].tolist() == ["athens", "boston", "boston", "boston"]
    assert cohort.outcomes["subject_id"].tolist() == ["9", "07", "8"]


def test_a_participant_in_two_files_is_refused_by_file_and_not_by_name(tmp_path):
    pangea([("SENTINEL7", 0.0, 3.0, 0)]).to_csv(tmp_path / "athens.csv", index=False)
    pangea([*COURSE, ("SENTINEL7", 3.0, 4.0, 1)]).to_csv(tmp_path / "boston.csv", index=False)
    with pytest.raises(
        DuplicateError, match=r"boston\.csv: .*1 participants are in another"
    ) as told:
        read_cohort(tmp_path)
    assert "SENTINEL" not in str(told.value)


@pytest.mark.parametrize("name", ["visits-2.csv", "visits_athens.parquet", "Outcomes.old.csv"])
def test_a_second_file_of_visits_or_outcomes_is_never_passed_over(tmp_path, name):
    (tables(tmp_path / "c") / name).write_text("subject_id\n")
    with pytest.raises(InputError, match=r"is not read; put all (visits|outcomes) in one"):
        read_cohort(tmp_path / "c")


def test_a_file_that_is_no_cohort_says_what_would_be(tmp_path):
    (tmp_path / "labs.csv").write_text("subject_id,years,m_protein_g_dl\nA,0,1\n")
    for path in (tmp_path / "labs.csv", tmp_path):
        with pytest.raises(InputError, match=r"labs\.csv: is no PANGEA file; expected a folder"):
            read_cohort(path)


def test_a_bad_cell_of_a_pangea_file_is_named_with_its_row(tmp_path):
    table = pangea(COURSE).astype({"tstop": object})
    table.loc[1, "tstop"] = "later"
    table.to_csv(tmp_path / "boston.csv", index=False)
    with pytest.raises(InputError, match=r"boston\.csv, row 3, tstop"):
        read_cohort(tmp_path / "boston.csv")


OWN = {
    "Pat_ID": "subject_id", "Datum": "date", "Erstdiagnose": "diagnosis_date",
    "M_Protein": "m_protein_g_dl", "Zentrum": "centre",
    "Dauer": "duration_years", "Ende": "event",
}  # fmt: skip
OWN_VISITS = (
    "Pat_ID;Datum;Erstdiagnose;M_Protein;Zentrum;age;;\n"
    "007;17.09.2024;17.09.2024;2,4;12.345;61;;\n1,5;18.09.2024;18.09.2024;3;7;70;;\n"
)
OWN_OUTCOMES = "Pat_ID;Dauer;Ende\n007;1,25;1\n1,5;2;0\n"


def named(folder, *, visits=OWN_VISITS, outcomes=OWN_OUTCOMES, **columns):
    """A hospital's own extract, and a cohort.json that says what its columns are."""
    folder.mkdir()
    (folder / "visits.csv").write_text(visits)
    (folder / "outcomes.csv").write_text(outcomes)
    told = {"name": "ours", "kind": "real", "columns": OWN | columns}
    (folder / "cohort.json").write_text(json.dumps(told))
    return folder


def renamed(text):
    """The same table, its columns renamed by hand."""
    header, rest = text.split("\n", 1)
    return ";".join(OWN.get(name, name) for name in header.split(";")) + "\n" + rest


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_cohort_with_its_own_names_is_the_one_renamed_by_hand(tmp_path, suffix):
    own = named(tmp_path / "own")
    hand = named(tmp_path / "hand", visits=renamed(OWN_VISITS), outcomes=renamed(OWN_OUTCOMES))
    (hand / "cohort.json").write_text('{"name": "ours", "kind": "real"}')
    expected = read_cohort(hand)
    if suffix == "parquet":
        back = {name: own_name for own_name, name in OWN.items()}
        for part in ("visits", "outcomes"):
            getattr(expected, part).rename(columns=back).to_parquet(own / f"{part}.parquet")
            (own / f"{part}.csv").unlink()
    cohort = read_cohort(own)
    # Those without a name at all are not read.
    read = [name for name in expected.visits if not name.startswith("Unnamed")]
    pd.testing.assert_frame_equal(cohort.visits[read], expected.visits[read])
    pd.testing.assert_frame_equal(cohort.outcomes, expected.outcomes)
    assert cohort.visits["subject_id"].tolist() == ["007", "1,5"]
    assert cohort.visits["m_protein_g_dl"].tolist() == [2.4, 3.0]
    assert cohort.visits["centre"].tolist() == ["12.345", "7"]


def test_a_training_of_own_names_has_the_rows_of_the_renamed_cohort(tmp_path):
    source = simulate_cohort(200, seed=3)
    write_cohort(source, tmp_path / "plain")
    write_cohort(
        replace(
            source,
            visits=source.visits.rename(columns={"hemoglobin_g_dl": "HB", "subject_id": "Pat_ID"}),
            outcomes=source.outcomes.rename(columns={"event": "Ende", "subject_id": "Pat_ID"}),
        ),
        tmp_path / "own",
    )
    columns = {"Pat_ID": "subject_id", "HB": "hemoglobin_g_dl", "Ende": "event"}
    told = {"name": source.name, "kind": source.kind, "columns": columns}
    (tmp_path / "own" / "cohort.json").write_text(json.dumps(told))
    digests = [
        examine(read_cohort(tmp_path / folder), read_study("smm"))[0].digest
        for folder in ("plain", "own")
    ]
    assert digests[0] == digests[1]


def test_outcomes_made_for_a_cohort_need_no_names(tmp_path):
    outcomes = "subject_id,duration_years,event\n007,1,1\n"
    folder = named(tmp_path / "c", visits=OWN_VISITS.split("1,5")[0], outcomes=outcomes)
    told = {name: OWN[name] for name in OWN_VISITS.split(";")[:5]}
    (folder / "cohort.json").write_text(json.dumps({"name": "c", "kind": "real", "columns": told}))
    assert read_cohort(folder).outcomes["subject_id"].tolist() == ["007"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Krea": "creatinine_mg_dl"}, r"^visits\.csv, Krea: is no column of the file"),
        ({"Therapie": "treated_years"}, r"^outcomes\.csv, Therapie: is no column of the file"),
        ({"Krea": "creatinine"}, r"^cohort\.json, Krea: 'creatinine' has no unit; expected one of"),
        ({"Alter": "age", "age": "years"}, r"^visits\.csv, Alter: .* is 'age' meant"),
    ],
)
def test_a_cohort_with_wrong_names_is_refused_by_file_and_column(tmp_path, columns, message):
    with pytest.raises(InputError, match=message):
        read_cohort(named(tmp_path / "c", **columns))


def test_a_pangea_file_has_no_other_names(tmp_path):
    pangea(COURSE).to_csv(tmp_path / "boston.csv", index=False)
    told = {"name": "b", "kind": "real", "columns": {"HB": "hemoglobin_g_dl"}}
    (tmp_path / "cohort.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"cohort\.json, columns: .* read by its own names"):
        read_cohort(tmp_path)
