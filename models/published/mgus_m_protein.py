"""The MGUS rule: M-protein >= 1.5 g/dL carries the higher risk of progression.

The cut is one of the three factors of Rajkumar SV, Blood 2005;106:812,
doi:10.1182/blood-2005-03-1038. Risks with death competing are Aalen–Johansen estimates in the open
Mayo cohort of 1,384 people with MGUS (Kyle RA, N Engl J Med 2002;346:564,
doi:10.1056/NEJMoa01133202; data set ``mgus2`` of R's survival package).
"""

from features.cuts import at_least
from models.published.points import Band, PointScore, cut_marker

__all__ = ["MGUS_M_PROTEIN", "M_PROTEIN_CUT_G_DL"]

M_PROTEIN_CUT_G_DL = 1.5

MGUS_M_PROTEIN = PointScore(
    name="mgus-m-protein",
    label="MGUS rule: M-protein >= 1.5 g/dL",
    version="2005",
    citation=(
        "Rajkumar SV, Blood 2005;106:812, doi:10.1182/blood-2005-03-1038; risks with death "
        "competing from Kyle RA, N Engl J Med 2002;346:564, doi:10.1056/NEJMoa01133202"
    ),
    population="mgus",
    markers=(
        cut_marker(
            "m_protein",
            "m_protein_g_dl",
            at_least(M_PROTEIN_CUT_G_DL),
            (0, 1),
            "M-protein >= 1.5 g/dL",
        ),
    ),
    bands=(
        Band("low", 0, 0, {5.0: 0.021, 10.0: 0.044, 20.0: 0.068}),
        Band("high", 1, 1, {5.0: 0.065, 10.0: 0.111, 20.0: 0.165}),
    ),
    horizons_years=(5.0, 10.0, 20.0),
)
