"""Cox regression against an independent implementation and R's published anchors."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from training.cohorts import Cohort
from training.cox import fit_cox


def test_coefficients_on_mgus2_are_those_of_coxph(mgus2: Cohort) -> None:
    """R survival 3.5, coxph(Surv(time, event == 1) ~ age + sex + hgb + creat + mspike)."""
    visits, outcomes = mgus2.visits, mgus2.outcomes
    design = np.column_stack(
        [
            visits["age"],
            visits["sex"] == "M",
            visits[["hemoglobin_g_dl", "creatinine_mg_dl", "m_protein_g_dl"]],
        ]
    ).astype(float)
    complete = ~np.isnan(design).any(axis=1)
    found = fit_cox(
        design[complete],
        outcomes["duration_years"].to_numpy()[complete],
        (outcomes["event"] == 1).to_numpy()[complete],
    )
    expected = [0.01117, 0.09870, -0.13465, -0.14503, 0.91238]
    np.testing.assert_allclose(found.coefficient, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize("digits", [0, 1, 6])
def test_ties_and_baseline_are_those_of_lifelines(digits: int) -> None:
    """Durations rounded to whole years tie by the dozen; Efron's ties, and a baseline at zero."""
    generator = np.random.default_rng(4)
    design = generator.normal(size=(400, 3))
    duration = generator.exponential(8.0 * np.exp(-design @ [0.5, -0.3, 0.0]))
    duration = np.round(np.minimum(duration, 12.0), digits) + 0.5
    happened = (generator.random(400) < 0.7) & (duration < 12.5)
    found = fit_cox(design, duration, happened)
    table = pd.DataFrame(design).assign(duration=duration, happened=happened)
    table.columns = table.columns.astype(str)
    oracle = CoxPHFitter().fit(table, "duration", "happened", fit_options={"precision": 1e-12})
    np.testing.assert_allclose(found.coefficient, oracle.params_, atol=1e-6)
    if digits == 6:
        # lifelines' baseline is Breslow's, without ties the same, and straight between events.
        ends = found.times[[30, 80, 130]]
        nobody = pd.DataFrame(np.zeros((1, 3)), columns=["0", "1", "2"])
        expected = oracle.predict_cumulative_hazard(nobody, times=ends).to_numpy()[:, 0]
        np.testing.assert_allclose(np.cumsum(found.increments(ends)), expected, rtol=1e-5)


def test_a_penalty_draws_coefficients_to_zero() -> None:
    generator = np.random.default_rng(5)
    design = generator.normal(size=(200, 2))
    duration = generator.exponential(np.exp(-design[:, 0]))
    happened = np.ones(200, dtype=bool)
    free, held = (fit_cox(design, duration, happened, penalty=p) for p in (0.0, 100.0))
    assert abs(held.coefficient[0]) < 0.8 * abs(free.coefficient[0])
