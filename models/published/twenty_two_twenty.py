"""20/2/20: bone-marrow plasma cells > 20 %, M-protein > 2 g/dL, free-light-chain ratio > 20.

The count of Lakshman A et al., Blood Cancer J 2018;8:59, doi:10.1038/s41408-018-0077-4, with the
five-year risks of that paper and the two-year risks of the international validation: Mateos MV et
al., Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3 (n = 1,996). Neither source prints
an interval.
"""

from models.published.markers import bmpc_above, flc_ratio_above, m_protein_above
from models.published.points import Band, PointScore

__all__ = ["TWENTY_TWO_TWENTY"]

TWENTY_TWO_TWENTY = PointScore(
    name="20-2-20",
    label="Mayo 2018 (20/2/20)",
    version="2020",
    citation=(
        "Lakshman A, Blood Cancer J 2018;8:59, doi:10.1038/s41408-018-0077-4; two-year risks "
        "Mateos MV, Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3"
    ),
    population="smm",
    markers=(bmpc_above(20.0), m_protein_above(2.0), flc_ratio_above(20.0)),
    bands=(
        Band("low", 0, 0, {2.0: 0.062, 5.0: 0.23}),
        Band("intermediate", 1, 1, {2.0: 0.179, 5.0: 0.47}),
        Band("high", 2, 3, {2.0: 0.442, 5.0: 0.82}),
    ),
    horizons_years=(2.0, 5.0),
)
