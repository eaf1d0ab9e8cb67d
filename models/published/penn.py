"""Penn: plasma cells >= 40 %, free-light-chain ratio >= 50, albumin <= 3.5 g/dL.

Waxman AJ et al., Leukemia 2015;29:751, doi:10.1038/leu.2014.313. Cuts and rates are recalled from
the literature and not yet checked against the paper; the answer says so.
"""

from features.cuts import above, at_least
from models.published.points import Band, PointScore, cut_marker

__all__ = ["PENN"]

PENN = PointScore(
    name="penn",
    label="Penn",
    version="2015",
    citation="Waxman AJ, Leukemia 2015;29:751, doi:10.1038/leu.2014.313",
    population="smm",
    markers=(
        cut_marker(
            "bmpc", "bmpc_percent", at_least(40.0), (0, 1), "bone-marrow plasma cells >= 40 %"
        ),
        cut_marker(
            "flc_ratio_involved",
            "flc_ratio_involved",
            at_least(50.0),
            (0, 1),
            "involved/uninvolved free-light-chain ratio >= 50",
        ),
        cut_marker("albumin", "albumin_g_dl", above(3.5), (1, 0), "albumin <= 3.5 g/dL"),
    ),
    bands=(
        Band("low", 0, 0, {2.0: 0.16}),
        Band("intermediate", 1, 1, {2.0: 0.44}),
        Band("high", 2, 3, {2.0: 0.81}),
    ),
    horizons_years=(2.0,),
    caution="cuts and rates are recalled from the literature, not yet confirmed in the paper",
)
