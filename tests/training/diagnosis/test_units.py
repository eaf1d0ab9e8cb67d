"""Values in the unit they say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from training.cohorts import Cohort
from training.diagnosis import Finding
from training.simulation import simulate_cohort
from training.study import Study


def _scaled(cohort: Cohort, factor: float, *columns: str, centre: str | None = None) -> Cohort:
    visits = cohort.visits.copy()
    where = visits["centre"].notna() if centre is None else visits["centre"] == centre
    visits.loc[where, list(columns)] *= factor
    return replace(cohort, visits=visits)


@pytest.mark.parametrize(
    ("columns", "factor", "said"),
    [
        # mg/dL written under mg/L, and the other way round; g/dL under g/L for albumin.
        (("kappa_flc_mg_l", "lambda_flc_mg_l"), 0.1, "as if mg/dL stood for mg/L"),
        (("kappa_flc_mg_l", "lambda_flc_mg_l"), 10.0, "as if mg/L stood for mg/dL"),
        (("igg_mg_dl",), 0.01, "as if g/L stood for mg/dL"),
        (("m_protein_g_dl",), 0.1, "as if g/dL stood for g/L"),
    ],
)
def test_a_centre_in_another_unit_is_refused_by_name(
    look, simulated: Cohort, smm: Study, columns: tuple[str, ...], factor: float, said: str
) -> None:
    centre = simulated.visits["centre"].value_counts().index[1]
    found = look("units", _scaled(simulated, factor, *columns, centre=centre), smm)
    assert found.status == "refuse"
    assert f"at {centre}" in found.found
    assert said in found.found


@pytest.mark.parametrize(
    ("columns", "factor", "name"),
    [
        (("kappa_flc_mg_l", "lambda_flc_mg_l"), 10.0, "uninvolved_flc"),
        (("kappa_flc_mg_l", "lambda_flc_mg_l"), 0.1, "uninvolved_flc"),
        (("bmpc_percent",), 0.01, "bmpc"),
        (("ldh_u_l",), 3.0, "ldh"),
    ],
)
def test_a_whole_cohort_out_of_place_is_told(
    look, simulated: Cohort, smm: Study, columns: tuple[str, ...], factor: float, name: str
) -> None:
    one = replace(simulated, visits=simulated.visits.assign(centre="only"))
    found = look("units", _scaled(one, factor, *columns), smm)
    # Three times the LDH is no known confusion of units: only odd.
    assert found.status == ("warn" if name == "ldh" else "refuse")
    assert f"{name}: median outside the usual range" in found.found


@pytest.mark.parametrize("scenario", ["referral", "screened", "trial", "shifted-assay"])
def test_other_assays_and_other_patients_are_no_other_units(
    look, smm: Study, scenario: str
) -> None:
    assert look("units", simulate_cohort(300, seed=5, scenario=scenario), smm).status == "pass"


def test_columns_that_are_not_read_and_values_in_doubt_are_told(
    look: Callable[..., Finding], drawn: Callable[..., Cohort], smm: Study
) -> None:
    # Above 6 g/dL is unusual, below 10 still possible.
    cohort = drawn([3.0] * 4, [0, 1, 0, 2], m_protein_g_dl=[1.5, 1.6, 6.5, 7.0], ward=[1.0] * 4)
    found = look("values", cohort, smm)
    assert found.status == "pass"
    expected = "values doubted: 2; column 'ward' is not used; every subject's visits can be used"
    assert found.found == expected


def test_many_refused_for_one_column_are_refused_together(
    look, simulated: Cohort, smm: Study
) -> None:
    assert look("values", simulated, smm).status == "pass"
    centre = simulated.visits["centre"].value_counts().index[0]
    found = look("values", _scaled(simulated, 10.0, "hemoglobin_g_dl", centre=centre), smm)
    assert found.status == "refuse"
    assert "hemoglobin_g_dl must lie within 3-22 g/dL; it looks like a value in g/L" in found.found
