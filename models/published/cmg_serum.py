"""Czech serum-only model: ratio > 30, immunoparesis, M-protein >= 2.3 g/dL; no marrow needed.

Hajek R et al., Br J Haematol 2020, doi:10.1111/bjh.16572 (n = 527). The source gives the two-year
risk of all three factors, 78.7 % (53-96), and 81.3 % (47-99) in its validation cohort; groups with
fewer factors are named without a rate.
"""

from features.cuts import at_least
from models.published.markers import IMMUNOPARESIS, flc_ratio_above
from models.published.points import Band, PointScore, cut_marker

__all__ = ["CMG_SERUM"]

CMG_SERUM = PointScore(
    name="cmg-serum",
    label="Czech Myeloma Group, serum only",
    version="2020",
    citation="Hajek R, Br J Haematol 2020, doi:10.1111/bjh.16572",
    population="smm",
    markers=(
        flc_ratio_above(30.0),
        IMMUNOPARESIS,
        cut_marker("m_protein", "m_protein_g_dl", at_least(2.3), (0, 1), "M-protein >= 2.3 g/dL"),
    ),
    bands=(
        Band("no factor", 0, 0, {}),
        Band("one factor", 1, 1, {}),
        Band("two factors", 2, 2, {}),
        Band("high", 3, 3, {2.0: 0.787}, {2.0: (0.53, 0.96)}),
    ),
    horizons_years=(2.0,),
)
