"""The collaborators' file, exactly as it is: flags at every row, visits and outcomes at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.landmark import LandmarkFeatures
from features.sources import read_visits
from features.sources.pangea import pangea_outcomes, read_pangea
from features.visits import check

GOLDEN = Path(__file__).parents[2] / "data" / "pangea_smm_golden.csv"
HEADER = "participant_id,tstart,tstop,prog_mm,mspike,iuratio,plasmacells,age,creatinine,hgb\n"
TWO = (
    HEADER
    + "7,0,0.5,0,1.8,20,15,60,0.9,13.1\n"
    + "7,0.5,1.25,1,2.1,25,,60.5,0.9,12.8\n"
    + "8,0,2,0,0.9,3,12,70,1.1,14\n"
)


@pytest.mark.parametrize(
    ("column", "quantity"),
    [
        ("mspike_traj", "m_protein"),
        ("hgb_traj", "hemoglobin"),
        ("iuratio_traj", "flc_ratio_involved"),
        ("creatinine_traj", "creatinine"),
    ],
)
def test_flags_equal_those_of_the_authors_code_at_every_row(column, quantity):
    visits = check(read_visits(GOLDEN))
    flag = LandmarkFeatures(visits.history)[f"{quantity}_evolving_as_published"]
    golden = pd.read_csv(GOLDEN)[column].to_numpy()
    np.testing.assert_array_equal(flag[visits.visit_of_row], golden)
    assert golden.sum() > 0


def test_every_value_of_the_file_is_a_value_of_its_visit():
    visits = check(read_pangea(GOLDEN))
    golden = pd.read_csv(GOLDEN)
    names = {
        "mspike": "m_protein",
        "iuratio": "flc_ratio_involved",
        "plasmacells": "bmpc",
        "creatinine": "creatinine",
        "hgb": "hemoglobin",
    }
    for column, analyte in names.items():
        ours = visits.history.labs[analyte][visits.visit_of_row]
        np.testing.assert_array_equal(ours, golden[column].to_numpy())
    np.testing.assert_array_equal(
        visits.history.age_years[visits.visit_of_row], golden["age"].to_numpy()
    )


def test_the_visit_is_at_the_start_of_its_interval(written):
    rows = read_visits(written(TWO))
    assert rows.subject_ids == ("7", "8")
    assert rows.time_years.tolist() == [0.0, 0.5, 0.0]
    assert rows.diagnosis_years.tolist() == [0.0, 0.0]
    assert not rows.dated


def test_outcomes_are_the_last_stop_and_any_progression(written):
    outcomes = pangea_outcomes(written(TWO))
    assert outcomes.to_dict("list") == {
        "subject_id": ["7", "8"],
        "duration_years": [1.25, 2.0],
        "event": [1, 0],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("9,1,1,0,1,1,1,60,1,13", "row 5, tstop: must lie after tstart"),
        ("9,0,1,2,1,1,1,60,1,13", "row 5, prog_mm: must be 0 or 1"),
        ("9,0,,0,1,1,1,60,1,13", "row 5, tstop: is missing"),
        ("9,0,1,Zebra,1,1,1,60,1,13", "row 5, prog_mm: is not a number"),
    ],
)
def test_an_impossible_outcome_is_refused_with_its_row(written, row, message):
    with pytest.raises(InputError) as caught:
        pangea_outcomes(written(TWO + row + "\n"))
    assert message in str(caught.value)
    assert "Zebra" not in str(caught.value)


def test_a_file_of_visits_alone_has_no_outcomes(written):
    with pytest.raises(InputError, match="tstop: is missing; outcomes need it"):
        pangea_outcomes(written("participant_id,tstart,mspike\n7,0,1.8\n"))
