"""Mayo 2005 for MGUS: M-protein >= 1.5 g/dL, heavy chain other than IgG, abnormal kappa/lambda.

Rajkumar SV et al., Blood 2005;106:812, doi:10.1182/blood-2005-03-1038. The source gives the
twenty-year risk twice: 5, 21, 37 and 58 % for 0-3 factors as if nobody died first, and 2, 10, 18
and 27 % with death competing. A risk here is the chance that progression happens, so it is the
second; the first is kept in `WITHOUT_COMPETING_DEATH`.
"""

from features.cuts import at_least
from models.published.markers import kappa_lambda_abnormal
from models.published.points import Band, Marker, PointScore, cut_marker

__all__ = ["MAYO_2005_MGUS", "WITHOUT_COMPETING_DEATH"]

WITHOUT_COMPETING_DEATH = {
    "low": 0.05,
    "low-intermediate": 0.21,
    "intermediate": 0.37,
    "high": 0.58,
}
"""Twenty-year risk by Kaplan-Meier, death censored."""

MAYO_2005_MGUS = PointScore(
    name="mayo-2005-mgus",
    label="Mayo 2005 (MGUS)",
    version="2005",
    citation="Rajkumar SV, Blood 2005;106:812, doi:10.1182/blood-2005-03-1038",
    population="mgus",
    markers=(
        cut_marker("m_protein", "m_protein_g_dl", at_least(1.5), (0, 1), "M-protein >= 1.5 g/dL"),
        cut_marker("heavy_chain", "non_igg", at_least(1.0), (0, 1), "heavy chain other than IgG"),
        Marker(
            name="flc_ratio_kappa_lambda",
            inputs={"flc_ratio_kappa_lambda": "flc_ratio_kappa_lambda"},
            points=(0, 1),
            state=kappa_lambda_abnormal,
            criterion="kappa/lambda < 0.26 or > 1.65",
        ),
    ),
    bands=(
        Band("low", 0, 0, {20.0: 0.02}),
        Band("low-intermediate", 1, 1, {20.0: 0.10}),
        Band("intermediate", 2, 2, {20.0: 0.18}),
        Band("high", 3, 3, {20.0: 0.27}),
    ),
    horizons_years=(20.0,),
    caution="risks count death first as no progression; without competing death 5/21/37/58 %",
)
