"""A small learned model, made by hand."""

import numpy as np
import pytest

from models.learned import LearnedModel
from models.learners import LinearLearner
from models.link import recalibrated
from models.refits import Refits

RECALIBRATION = np.array([[0.1, 0.9, 0.9], [0.0, 1.0, 1.0]])


def _linear(shift: float) -> LinearLearner:
    return LinearLearner(
        fill=np.array([1.5, 13.0, 0.0]),
        centre=np.array([1.5, 13.0, 0.0]),
        scale=np.array([1.0, 2.0, 1.0]),
        coefficient=np.array([[0.8 + shift, -0.3, 0.1], [0.7 + shift, -0.2, 0.1]]),
        intercept=np.array([-2.0, -1.0]),
    )


def _refits() -> Refits:
    """Nine models whose first coefficient differs, as the basis tells them."""
    values = np.random.default_rng(1).normal([1.5, 13.0, 0.0], [1.0, 2.0, 0.5], (300, 3))
    own, *others = (
        recalibrated(RECALIBRATION, _linear(shift).margin(values))
        for shift in (0.0, *np.linspace(-0.2, 0.2, 9))
    )
    return Refits.of(values, own, np.stack(others))


@pytest.fixture
def model() -> LearnedModel:
    """Two horizons, three features; the third may be missing without a word."""
    return LearnedModel(
        name="smm-progression",
        version="7",
        label="By hand",
        citation="made for tests",
        population="smm",
        horizons_years=(2.0, 5.0),
        decision_horizon_years=2.0,
        learner=_linear(0.0),
        recalibration=RECALIBRATION,
        refits=_refits(),
        features=("m_protein_g_dl", "hemoglobin_g_dl", "m_protein_slope_per_year"),
        necessary=("m_protein_g_dl",),
        expected=("hemoglobin_g_dl",),
        plausible=np.array([[0.2, 3.6], [10.9, 15.1], [-0.5, 1.0]]),
        lookback_years=2.0,
        provenance={"study": "smm", "cohort_kind": "simulated"},
    )
