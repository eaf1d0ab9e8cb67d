"""Equal to R, on real data with ties and on simulated data with ties, heavy censoring and edges.

`tests/oracles/riskregression.R` made the constants with riskRegression 2022.11.28, prodlim
2019.11.13 and survival 3.5-3 from the samples of `tests/oracles/make_samples.py`.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.metrics.aalen_johansen import aalen_johansen, pseudo_values
from training.metrics.brier import brier_score
from training.metrics.calibration import weak_calibration
from training.metrics.calibration_curve import calibration_curve
from training.metrics.censoring import ipcw_weights
from training.metrics.concordance import concordance
from training.metrics.contrasts import contrast
from training.metrics.discrimination import auc
from training.metrics.estimate import Estimate
from training.metrics.net_benefit import net_benefit

ORACLES = Path(__file__).parents[2] / "oracles"
SAMPLES = ("mgus2", "ties", "heavy", "edges")
EXACT, ERROR = 1e-8, 1e-4


@cache
def sample(name: str) -> pd.DataFrame:
    return pd.read_csv(ORACLES / f"{name}.csv")


@cache
def _constants() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "riskregression.csv", keep_default_na=False, na_values=["NA"])


def constants(name: str, quantity: str) -> pd.DataFrame:
    table = _constants()
    found = table[(table["sample"] == name) & (table["quantity"] == quantity)]
    assert len(found) > 0
    return found


def outcome(name: str) -> tuple[np.ndarray, np.ndarray]:
    table = sample(name)
    return table["duration_years"].to_numpy(), table["event"].to_numpy()


def risk(name: str, model: str) -> np.ndarray:
    return sample(name)[model].to_numpy()


def judged(name: str, measure: str, model: str, horizon: float) -> Estimate:
    if measure == "auc":
        return auc(*outcome(name), risk(name, model), horizon, floor=0)
    some = "good" if model == "Null model" else model
    score = brier_score(*outcome(name), risk(name, some), horizon, floor=0)
    return score.null if model == "Null model" else score.brier


def held(estimate: Estimate) -> float:
    assert estimate.value is not None, estimate.reason
    return estimate.value


def test_r_judged_every_sample() -> None:
    assert set(_constants()["sample"]) == set(SAMPLES)
    assert np.isfinite(_constants()["value"]).all()


@pytest.mark.parametrize("name", SAMPLES)
def test_auc_and_its_standard_error_are_those_of_score(name: str) -> None:
    for row in constants(name, "auc").itertuples():
        found = judged(name, "auc", row.model, row.horizon)
        assert held(found) == pytest.approx(row.value, abs=EXACT)
        assert found.standard_error == pytest.approx(row.se, abs=ERROR)


@pytest.mark.parametrize("name", SAMPLES)
def test_brier_score_and_its_standard_error_are_those_of_score(name: str) -> None:
    for row in constants(name, "brier").itertuples():
        found = judged(name, "brier", row.model, row.horizon)
        assert held(found) == pytest.approx(row.value, abs=EXACT)
        assert found.standard_error == pytest.approx(row.se, abs=ERROR)


@pytest.mark.parametrize("name", SAMPLES)
def test_ipa_is_that_of_score(name: str) -> None:
    rows = constants(name, "ipa")
    for row in rows[rows["model"] != "Null model"].itertuples():
        score = brier_score(*outcome(name), risk(name, row.model), row.horizon, floor=0)
        assert held(score.ipa) == pytest.approx(row.value, abs=EXACT)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("measure", ["auc", "brier"])
def test_paired_contrasts_are_those_of_score(name: str, measure: str) -> None:
    for row in constants(name, f"delta_{measure}").itertuples():
        pair = [judged(name, measure, model, row.horizon) for model in (row.model, row.reference)]
        found = contrast(*pair).delta
        assert held(found) == pytest.approx(row.value, abs=EXACT)
        assert found.standard_error == pytest.approx(row.se, abs=ERROR)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("cause", [1, 2])
def test_incidence_and_its_standard_error_are_those_of_prodlim(name: str, cause: int) -> None:
    curve = aalen_johansen(*outcome(name), cause=cause)
    for row in constants(name, f"incidence_{cause}").itertuples():
        found = curve.at(row.horizon)
        assert held(found) == pytest.approx(row.value, abs=EXACT)
        assert found.standard_error == pytest.approx(row.se, abs=EXACT)


@pytest.mark.parametrize("name", SAMPLES)
def test_censoring_weights_are_those_of_prodlim(name: str) -> None:
    for row in constants(name, "weight_sum").itertuples():
        weights = ipcw_weights(*outcome(name), row.horizon, floor=0).weights
        assert weights.sum() == pytest.approx(row.value, rel=EXACT)
    for row in constants(name, "weight_squares").itertuples():
        weights = ipcw_weights(*outcome(name), row.horizon, floor=0).weights
        assert (weights**2).sum() == pytest.approx(row.value, rel=EXACT)


@pytest.mark.parametrize("name", SAMPLES)
def test_pseudo_values_are_those_of_prodlim(name: str) -> None:
    for row in constants(name, "pseudo_squares").itertuples():
        found = pseudo_values(*outcome(name), row.horizon)
        assert (found**2).sum() == pytest.approx(row.value, rel=EXACT)
    for row in constants(name, "pseudo_weighted").itertuples():
        found = pseudo_values(*outcome(name), row.horizon)
        assert found @ risk(name, "good") == pytest.approx(row.value, rel=EXACT)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("threshold", ["0.05", "0.1", "0.3"])
def test_net_benefit_is_made_of_prodlim_incidence(name: str, threshold: str) -> None:
    for row in constants(name, f"net_benefit_{threshold}").itertuples():
        found = net_benefit(
            *outcome(name), risk(name, row.model), row.horizon, threshold=float(threshold)
        )
        if found.value is None:
            # R's product-limit object is read beyond the follow-up of those flagged; we are not.
            assert "follow-up ends" in str(found.reason)
            continue
        assert found.value == pytest.approx(row.value, abs=EXACT)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("link", ["cloglog", "logit"])
def test_calibration_line_is_that_of_weighted_glm(name: str, link: str) -> None:
    for quantity in ("intercept", "slope"):
        for row in constants(name, f"{quantity}_{link}").itertuples():
            line = weak_calibration(
                *outcome(name), risk(name, row.model), row.horizon, link=link, floor=0
            )
            found = line.intercept if quantity == "intercept" else line.slope
            assert held(found) == pytest.approx(row.value, abs=1e-6)


@pytest.mark.parametrize("name", ["mgus2", "heavy", "edges"])
def test_calibration_indices_are_those_of_natural_splines(name: str) -> None:
    for quantity in ("ici", "e50", "e90"):
        for row in constants(name, quantity).itertuples():
            curve = calibration_curve(*outcome(name), risk(name, row.model), row.horizon)
            assert held(getattr(curve, quantity)) == pytest.approx(row.value, abs=1e-7)


@pytest.mark.parametrize("name", SAMPLES)
def test_concordance_without_death_is_that_of_survival(name: str) -> None:
    for row in constants(name, "uno_c").itertuples():
        duration, event = outcome(name)
        started = duration > 0
        found = concordance(
            duration[started],
            np.where(event == 1, 1, 0)[started],
            risk(name, row.model)[started],
            row.horizon,
            floor=0,
        )
        assert held(found) == pytest.approx(row.value, abs=EXACT)
