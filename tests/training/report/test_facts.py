"""What a training answers of TRIPOD+AI by itself."""

from dataclasses import replace

import numpy as np
import pytest

from training.cohorts import Cohort
from training.fit import Trained, train
from training.gate import Check
from training.report.checklists import TODO
from training.report.facts import training_facts
from training.study import Folds, Study


@pytest.fixture(scope="module")
def trained(mgus2: Cohort, mgus: Study) -> Trained:
    few = replace(mgus, folds=Folds(count=2, repeats=1))
    return train(mgus2, few, candidate="logistic", seed=1, refits=0)


def test_parts_that_were_held_out_are_named_and_none_is_said_too(trained: Trained) -> None:
    part = Check("observed/expected, centre Oslo held out", 1.0, "not surely outside", passed=True)
    other = Check("observed/expected, age_years below 60", 1.0, "not surely outside", passed=True)
    verdict = replace(trained.verdict, checks=(other,))
    without = training_facts(replace(trained, verdict=verdict), trained.candidate)
    assert without["12d"].startswith("No centre and no later diagnoses")
    told = training_facts(replace(trained, verdict=verdict.also(part)), trained.candidate)
    assert told["12d"] == told["23b"]
    assert told["12d"].endswith("not seen them: centre Oslo; see the gate.")


@pytest.mark.parametrize("days", [None, "nobody's"])
def test_dates_are_a_persons_to_write_where_no_diagnosis_has_one(
    trained: Trained, days: str | None
) -> None:
    none = None if days is None else np.full(trained.rows.subject.size, np.nan)
    rows = replace(trained.rows, diagnosed_years=none)
    assert training_facts(replace(trained, rows=rows), trained.candidate)["5b"] == TODO


def test_a_diagnosis_on_new_years_day_is_of_its_year(trained: Trained) -> None:
    # 2011-01-01 and 2018-12-31 are 14,975 and 17,896 days after 1970-01-01.
    days = np.full(trained.rows.subject.size, np.nan)
    days[:2] = np.array([14975, 17896]) / 365.25
    rows = replace(trained.rows, diagnosed_years=days)
    told = training_facts(replace(trained, rows=rows), trained.candidate)["5b"]
    assert told == "Diagnoses of 2011 to 2018. End of follow-up: TODO"
