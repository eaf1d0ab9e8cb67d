"""One result of a day that was printed in two units, or twice with different digits.

Creatinine of 97 umol/L and of 1.1 mg/dL is one result: 97 / 88.42 is 1.097, printed as 1.1.
"""

import math
from dataclasses import replace

import numpy as np

from features.analytes import ANALYTES
from features.errors import UnitError
from features.labs import CellFault
from features.sources.gathered import Gathered, Measured
from features.units import measured_unit, to_canonical

__all__ = ["leave_out_coarser"]

COARSER = "agrees, within its rounding, with a more exact value of that day; it was left out"

NOISE = 1e-6
"""Share of a tolerance left to binary arithmetic: 1.1 and 1.2 lie a whole place apart."""


def leave_out_coarser(found: Gathered) -> None:
    """Of values of one test and day that rounding alone sets apart, keep the most exact one.

    Two values agree where they differ by less than half a unit in the last place of each together,
    both in the canonical unit. Equal values, and values that differ, are for `features.visits`.
    """
    of_day: dict[tuple[str, str, str], list[int]] = {}
    for i, measured in enumerate(found.measured):
        if measured.day and not np.isnan(measured.value):
            of_day.setdefault((measured.subject, measured.day, measured.analyte), []).append(i)
    for same in of_day.values():
        if len(same) > 1:
            _keep_most_exact(found, same)


def _keep_most_exact(found: Gathered, same: list[int]) -> None:
    exact = [(*canonical, i) for i in same if (canonical := _canonical(found.measured[i]))]
    if not exact:
        return
    value, half, _ = best = min(exact, key=lambda each: each[1])
    for other, other_half, i in exact:
        apart = abs(other - value)
        equal = math.isclose(other, value, rel_tol=1e-9)
        if (other, other_half, i) == best or equal or apart >= (half + other_half) * (1 - NOISE):
            continue
        name = found.measured[i].analyte
        found.measured[i] = replace(found.measured[i], value=np.nan)
        found.faults.append((name, CellFault(i, COARSER, "doubted")))


def _canonical(measured: Measured) -> tuple[float, float] | None:
    """Value and half a place in the canonical unit; None where the unit is not understood."""
    analyte = ANALYTES[measured.analyte]
    try:
        unit = measured_unit(analyte, measured.unit)
    except UnitError:
        return None
    value, half = to_canonical(analyte, np.array([measured.value, measured.half]), unit).tolist()
    return value, half
