"""IMWG 2020 with cytogenetics: the 20/2/20 count and a FISH abnormality as fourth factor.

Mateos MV et al., Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3. FISH counts once,
however many abnormalities are found. No interval is printed.
"""

from models.published.markers import (
    FISH_IMWG_2020,
    bmpc_above,
    flc_ratio_above,
    m_protein_above,
)
from models.published.points import Band, PointScore

__all__ = ["IMWG_2020_FISH"]

IMWG_2020_FISH = PointScore(
    name="imwg-2020-fish",
    label="IMWG 2020 with cytogenetics",
    version="2020",
    citation="Mateos MV, Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3",
    population="smm",
    markers=(bmpc_above(20.0), m_protein_above(2.0), flc_ratio_above(20.0), FISH_IMWG_2020),
    bands=(
        Band("low", 0, 0, {2.0: 0.06}),
        Band("low-intermediate", 1, 1, {2.0: 0.23}),
        Band("intermediate", 2, 2, {2.0: 0.46}),
        Band("high", 3, 4, {2.0: 0.63}),
    ),
    horizons_years=(2.0,),
)
