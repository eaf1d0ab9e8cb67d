"""What laboratory values look like in people with SMM: the distribution of 214 real patients.

Bustoros M et al., Nat Commun 2022, doi:10.1038/s41467-022-30694-w (two US sites, no outcome). The
sample is trial-heavy and sicker than the IMWG cohort: it says what a missing value could plausibly
be, not how common a group is.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

__all__ = ["LEVELS", "REFERENCE", "share_above"]

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)

REFERENCE: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "m_protein_g_dl": (0.0, 0.9, 1.8, 2.64, 3.63),
        "flc_ratio_involved": (1.4, 6.5, 17.5, 45.8, 113.0),
        "involved_flc_mg_l": (8.3, 41.7, 118.0, 306.0, 739.0),
        "uninvolved_flc_mg_l": (1.3, 3.4, 7.9, 11.0, 19.2),
        "bmpc_percent": (10.0, 15.0, 25.0, 40.0, 52.0),
        "hemoglobin_g_dl": (10.9, 11.8, 12.8, 13.6, 15.1),
        "creatinine_mg_dl": (0.60, 0.72, 0.88, 1.04, 1.30),
        "albumin_g_dl": (3.3, 3.8, 4.0, 4.3, 4.6),
        "ldh_u_l": (113.0, 146.0, 175.0, 222.0, 403.0),
    }
)
"""Quantiles at `LEVELS`, by feature."""


def share_above(feature: str, cut: float) -> float:
    """Share of the reference patients above a cut, within 5-95 %.

    Examples
    --------
    >>> round(share_above("bmpc_percent", 20.0), 3)
    0.625
    """
    return float(1.0 - np.interp(cut, REFERENCE[feature], LEVELS))
