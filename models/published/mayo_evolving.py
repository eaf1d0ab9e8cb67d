"""Mayo evolving: plasma cells >= 20 %, an evolving M-protein, an evolving haemoglobin.

Ravi P et al., Blood Cancer J 2016;6:e454, doi:10.1038/bcj.2016.65 (n = 190). Evolving M-protein: a
rise of >= 10 % within 6 months, if it was >= 3 g/dL, or of >= 25 % within 12 months, and in both
cases of >= 0.5 g/dL. Evolving haemoglobin: a fall of >= 0.5 g/dL within 12 months. The source
counted from diagnosis; at a later landmark the look-back ends there. One measurement alone cannot
show a course: without an earlier one the marker is unknown.

With all three factors 90.5 % progressed within two years; for fewer the source gives medians to
progression (12.3, 5.1 and 2.0 years for 0, 1 and 2), which are no two-year risks.
"""

from features.cuts import at_least
from features.trends import EvolvingRule
from models.published.markers import course
from models.published.points import Band, Marker, PointScore, cut_marker

__all__ = ["HEMOGLOBIN", "MAYO_EVOLVING", "M_PROTEIN_SIX_MONTHS", "M_PROTEIN_TWELVE_MONTHS"]

M_PROTEIN_SIX_MONTHS = EvolvingRule("m_protein", "relative rise", 0.10, 0.5, 0.5, 3.0)
M_PROTEIN_TWELVE_MONTHS = EvolvingRule("m_protein", "relative rise", 0.25, 1.0, 0.5)
HEMOGLOBIN = EvolvingRule("hemoglobin", "fall", 0.5, 1.0)
MAYO_EVOLVING = PointScore(
    name="mayo-evolving",
    label="Mayo evolving",
    version="2016",
    citation="Ravi P, Blood Cancer J 2016;6:e454, doi:10.1038/bcj.2016.65",
    population="smm",
    markers=(
        cut_marker(
            "bmpc", "bmpc_percent", at_least(20.0), (0, 1), "bone-marrow plasma cells >= 20 %"
        ),
        Marker(
            name="m_protein_earlier",
            inputs={"m_protein_g_dl": "m_protein"},
            points=(0, 1),
            state=course("m_protein", M_PROTEIN_SIX_MONTHS, M_PROTEIN_TWELVE_MONTHS),
            criterion=(
                "M-protein risen by >= 10 % in 6 months (from >= 3 g/dL) or >= 25 % in 12 months, "
                "and by >= 0.5 g/dL"
            ),
        ),
        Marker(
            name="hemoglobin_earlier",
            inputs={"hemoglobin_g_dl": "hemoglobin"},
            points=(0, 1),
            state=course("hemoglobin", HEMOGLOBIN),
            criterion="haemoglobin fallen by >= 0.5 g/dL in 12 months",
        ),
    ),
    bands=(
        Band("no factor", 0, 0, {}),
        Band("one factor", 1, 1, {}),
        Band("two factors", 2, 2, {}),
        Band("high", 3, 3, {2.0: 0.905}),
    ),
    horizons_years=(2.0,),
)
