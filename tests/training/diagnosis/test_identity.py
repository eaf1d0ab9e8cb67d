"""The same person twice, two people as one."""

from dataclasses import replace

import pandas as pd
import pytest

from training.cohorts import Cohort
from training.study import Study


def _copied(cohort: Cohort, count: int, *, visits: int | None = None) -> Cohort:
    """Some subjects once more, with their first visits, under other names and at another centre."""
    ids = cohort.outcomes["subject_id"].iloc[:count]
    rows = cohort.visits[cohort.visits["subject_id"].isin(ids)]
    if visits is not None:
        rows = rows.groupby("subject_id").head(visits)
    rows = rows.assign(subject_id="again-" + rows["subject_id"], centre="elsewhere")
    outcomes = cohort.outcomes[cohort.outcomes["subject_id"].isin(ids)]
    outcomes = outcomes.assign(subject_id="again-" + outcomes["subject_id"])
    return replace(
        cohort,
        visits=pd.concat([cohort.visits, rows], ignore_index=True),
        outcomes=pd.concat([cohort.outcomes, outcomes], ignore_index=True),
    )


@pytest.mark.parametrize("visits", [None, 1])
@pytest.mark.parametrize(("count", "status"), [(1, "warn"), (20, "refuse")])
def test_one_person_under_two_names_is_found_by_its_labs(
    look, simulated: Cohort, smm: Study, count: int, status: str, visits: int | None
) -> None:
    found = look("duplicates", _copied(simulated, count, visits=visits), smm)
    assert found.status == status
    assert found.figures["subjects_sharing_a_visit"] == 2 * count
    assert "centres" in found.found


def test_nobody_is_taken_for_somebody_else(look, simulated: Cohort, smm: Study) -> None:
    found = look("duplicates", simulated, smm)
    assert found.status == "pass"
    assert found.figures["subjects_compared"] > 350


def test_three_rounded_tests_are_too_few_to_recognise_anybody(
    look, mgus2: Cohort, mgus: Study
) -> None:
    """In mgus2 people do share haemoglobin, creatinine and M-protein: they are not the same."""
    labs = ["hemoglobin_g_dl", "creatinine_mg_dl", "m_protein_g_dl"]
    assert mgus2.visits.dropna(subset=labs).duplicated(labs).sum() > 50
    found = look("duplicates", mgus2, mgus)
    assert found.status == "pass"
    assert found.figures["subjects_compared"] == 0


def test_centres_that_number_alike_are_refused_and_a_few_who_moved_warned(
    look, simulated: Cohort, smm: Study
) -> None:
    assert look("identifiers", simulated, smm).status == "pass"
    for every, status in ((3, "refuse"), (40, "warn")):
        visits = simulated.visits.copy()
        number = visits["subject_id"].str[1:].astype(int)
        late = (number % every == 0) & (visits["years"] > 0)
        visits.loc[late, "centre"] = "elsewhere"
        found = look("identifiers", replace(simulated, visits=visits), smm)
        assert found.status == status
