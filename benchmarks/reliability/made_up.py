"""A learned model made by hand, for tests that need one and no training."""

import numpy as np

from models.learned import LearnedModel
from models.learners import LinearLearner
from models.link import recalibrated
from models.refits import Refits

__all__ = ["made_up_model"]


def made_up_model(shift: float = 0.0) -> LearnedModel:
    """A model of two horizons; haemoglobin sharpens it, M-protein it must have.

    Parameters
    ----------
    shift
        Of its coefficients, so that versions can be told apart by their risks.
    """

    def linear(change: float) -> LinearLearner:
        return LinearLearner(
            fill=np.array([1.5, 13.0]),
            centre=np.array([1.5, 13.0]),
            scale=np.array([1.0, 2.0]),
            coefficient=np.array([[0.8 + change, -0.3], [0.7 + change, -0.2]]),
            intercept=np.array([-2.0, -1.0]),
        )

    recalibration = np.array([[0.1, 0.9, 0.9], [0.0, 1.0, 1.0]])
    values = np.random.default_rng(1).normal([1.5, 13.0], [1.0, 2.0], (300, 2))
    own, *others = (
        recalibrated(recalibration, linear(shift + change).margin(values))
        for change in (0.0, *np.linspace(-0.2, 0.2, 9))
    )
    return LearnedModel(
        name="smm-progression",
        version="unregistered",
        label="Progression from SMM",
        citation="made for tests",
        population="smm",
        horizons_years=(2.0, 5.0),
        decision_horizon_years=2.0,
        learner=linear(shift),
        recalibration=recalibration,
        refits=Refits.of(values, own, np.stack(others)),
        features=("m_protein_g_dl", "hemoglobin_g_dl"),
        necessary=("m_protein_g_dl",),
        expected=("hemoglobin_g_dl",),
        plausible=np.array([[0.2, 3.6], [10.9, 15.1]]),
        lookback_years=2.0,
        provenance={"study": "smm"},
    )
