"""Mayo 2008: plasma cells >= 10 %, M-protein >= 3 g/dL, kappa/lambda <= 0.125 or >= 8.

Dispenzieri A et al., Blood 2008;111:785, doi:10.1182/blood-2007-08-108357. Everyone in the source
had one point at least; no point is a group without a rate.
"""

import numpy as np

from features.cuts import at_least, state
from features.history import Codes
from features.landmark import LandmarkFeatures
from models.published.points import Band, Marker, PointScore, cut_marker

__all__ = ["MAYO_2008"]

# Three states by kappa/lambda - low, normal, high - then unknown.
_RATIO = np.array([0.125, *at_least(8.0)])
_ABNORMAL = np.array([1, 0, 1, 2], dtype=np.int8)
_INVOLVED = at_least(8.0)


def _ratio_abnormal(at: LandmarkFeatures) -> Codes:
    """Kappa/lambda, or where only the involved ratio was reported, that one: 8 is 1/0.125."""
    states = _ABNORMAL[state(at["flc_ratio_kappa_lambda"], _RATIO)]
    if (states == 2).any():
        states = np.where(states == 2, state(at["flc_ratio_involved"], _INVOLVED), states)
    return states


MAYO_2008 = PointScore(
    name="mayo-2008",
    label="Mayo 2008",
    version="2008",
    citation="Dispenzieri A, Blood 2008;111:785, doi:10.1182/blood-2007-08-108357",
    population="smm",
    markers=(
        cut_marker(
            "bmpc", "bmpc_percent", at_least(10.0), (0, 1), "bone-marrow plasma cells >= 10 %"
        ),
        cut_marker("m_protein", "m_protein_g_dl", at_least(3.0), (0, 1), "M-protein >= 3 g/dL"),
        Marker(
            name="flc_ratio_kappa_lambda",
            inputs={"flc_ratio_kappa_lambda": "flc_ratio_kappa_lambda"},
            points=(0, 1),
            state=_ratio_abnormal,
            criterion="kappa/lambda <= 0.125 or >= 8",
        ),
    ),
    bands=(
        Band("no factor", 0, 0, {}),
        Band("low", 1, 1, {5.0: 0.25}),
        Band("intermediate", 2, 2, {5.0: 0.51}),
        Band("high", 3, 3, {5.0: 0.76}),
    ),
    horizons_years=(5.0,),
)
