"""M-proteins that are given band by band.

Some laboratories code the only band of an M-protein as its first one, so it is the M-protein – but
not beside the sum, and not beside a second band, which is not in it.
"""

from dataclasses import replace

import numpy as np

from features.labs import CellFault
from features.sources.gathered import Gathered

__all__ = ["leave_out_bands"]

BESIDE_SUM = "is one band of an M-protein whose sum is given as well; it was left out"
BESIDE_SECOND = "is one of several bands; the M-protein is their sum (33358-3); it was left out"


def leave_out_bands(found: Gathered) -> None:
    """Leave out a first band where it is not the M-protein of its day."""
    bands = [i for i, each in enumerate(found.measured) if each.band and not np.isnan(each.value)]
    if not bands:
        return
    name = found.measured[bands[0]].analyte
    sums = {
        (each.subject, each.day)
        for each in found.measured
        if each.analyte == name and not each.band and not np.isnan(each.value)
    }
    for i in bands:
        band = found.measured[i]
        day = (band.subject, band.day)
        if day in sums or day in found.second_bands:
            said = BESIDE_SUM if day in sums else BESIDE_SECOND
            found.measured[i] = replace(band, value=np.nan)
            found.faults.append((name, CellFault(i, said, "doubted")))
