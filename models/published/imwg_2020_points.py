"""IMWG 2020 point score: ratio, M-protein, plasma cells and FISH, each by how far it is raised.

Mateos MV et al., Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3; fitted in the 689
patients with all four. Rates per single score are not monotone in the source, so the band is what
is reported. The source gives hazard ratios between bands, no interval of a band's own risk.
"""

from dataclasses import replace

from models.published.markers import (
    FISH_IMWG_2020,
    bmpc_above,
    flc_ratio_above,
    m_protein_above,
)
from models.published.points import Band, PointScore

__all__ = ["IMWG_2020_POINTS"]

IMWG_2020_POINTS = PointScore(
    name="imwg-2020-points",
    label="IMWG 2020 point score",
    version="2020",
    citation="Mateos MV, Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3",
    population="smm",
    markers=(
        flc_ratio_above(10.0, 25.0, 40.0, points=(0, 2, 3, 5)),
        m_protein_above(1.5, 3.0, points=(0, 3, 4)),
        bmpc_above(15.0, 20.0, 30.0, 40.0, points=(0, 2, 3, 5, 6)),
        replace(FISH_IMWG_2020, points=(0, 2)),
    ),
    bands=(
        Band("low", 0, 4, {2.0: 0.038}),
        Band("low-intermediate", 5, 8, {2.0: 0.262}),
        Band("intermediate", 9, 12, {2.0: 0.511}),
        Band("high", 13, 17, {2.0: 0.726}),
    ),
    horizons_years=(2.0,),
)
