"""Markers that more than one published score reads."""

from collections.abc import Callable

import numpy as np

from features.catalogue import PROBES_IMWG_2020
from features.cuts import States, above, at_least, state
from features.flags import Flag
from features.history import Codes
from features.landmark import LandmarkFeatures
from features.trends import EvolvingRule
from models.published.points import Marker, cut_marker

__all__ = [
    "FISH_IMWG_2020",
    "IMMUNOPARESIS",
    "bmpc_above",
    "course",
    "flc_ratio_above",
    "kappa_lambda_abnormal",
    "m_protein_above",
]

_ANY_OF_UNKNOWN = 2


def bmpc_above(*cuts: float, points: tuple[int, ...] = (0, 1)) -> Marker:
    """Clonal bone-marrow plasma cells above each cut, %."""
    criterion = f"bone-marrow plasma cells > {_spelled(cuts)} %"
    return cut_marker("bmpc", "bmpc_percent", above(*cuts), points, criterion)


def m_protein_above(*cuts: float, points: tuple[int, ...] = (0, 1)) -> Marker:
    """Serum M-protein above each cut, g/dL."""
    criterion = f"M-protein > {_spelled(cuts)} g/dL"
    return cut_marker("m_protein", "m_protein_g_dl", above(*cuts), points, criterion)


def flc_ratio_above(*cuts: float, points: tuple[int, ...] = (0, 1)) -> Marker:
    """Involved/uninvolved free-light-chain ratio above each cut."""
    criterion = f"involved/uninvolved free-light-chain ratio > {_spelled(cuts)}"
    return cut_marker("flc_ratio_involved", "flc_ratio_involved", above(*cuts), points, criterion)


def _spelled(cuts: tuple[float, ...]) -> str:
    return ", > ".join(f"{cut:g}" for cut in cuts)


def _any_positive(names: tuple[str, ...]) -> Callable[[LandmarkFeatures], Codes]:
    """One abnormality is enough; none is known only once every probe was read."""
    table = at_least(1.0)

    def positive(at: LandmarkFeatures) -> Codes:
        # States as bits: 0 not found, 1 found, 2 not read; any 1 wins over any 2.
        return _ANY[np.bitwise_or.reduce(state(at.table(names), table))]

    return positive


_ANY = np.array([0, 1, _ANY_OF_UNKNOWN, 1], dtype=np.int8)

FISH_IMWG_2020 = Marker(
    name="fish",
    inputs={name: name for name in PROBES_IMWG_2020},
    points=(0, 1),
    state=_any_positive(PROBES_IMWG_2020),
    criterion="any of t(4;14), t(14;16), gain of 1q, del(13q) or monosomy 13 by FISH",
)


def _immunoparesis(at: LandmarkFeatures) -> Codes:
    """Met by one isotype below normal; ruled out only when every uninvolved one was measured."""
    below, measured, uninvolved = at.uninvolved
    # Neither the one nor the other: not known.
    ruled_out = (measured > 0) & (measured - below == uninvolved)
    states: Codes = _RULED_OUT_OR_MET[ruled_out + 2 * (below > 0)]
    return states


_RULED_OUT_OR_MET = np.array([2, 0, 1], dtype=np.int8)

IMMUNOPARESIS = Marker(
    name="immunoglobulins",
    inputs={
        "igg_mg_dl": "igg",
        "iga_mg_dl": "iga",
        "igm_mg_dl": "igm",
        "non_igg": "heavy_chain",
    },
    points=(0, 1),
    state=_immunoparesis,
    criterion="an uninvolved immunoglobulin below the laboratory's lower limit",
)
"""Judged against the reporting laboratory's own limits where given. The involved isotype is listed
as an input too: which one that is follows from the heavy chain."""

# Three states by kappa/lambda - low, normal, high - then unknown.
_KAPPA_LAMBDA = np.array([*at_least(0.26)[:-1], *above(1.65)])
_ABNORMAL = np.array([1, 0, 1, 2], dtype=np.int8)
# An involved ratio without its chains is kappa/lambda or its inverse: only where both are abnormal,
# or both normal, is the marker known.
_INVOLVED = np.array([*at_least(0.26, 1 / 1.65)[:-1], *above(1.65, 1 / 0.26)])
_ABNORMAL_EITHER_WAY = np.array([1, 2, 0, 2, 1, 2], dtype=np.int8)


def kappa_lambda_abnormal(at: LandmarkFeatures) -> States:
    """Kappa/lambda outside 0.26-1.65, from the ratio or from an involved ratio that settles it."""
    states = _ABNORMAL[state(at["flc_ratio_kappa_lambda"], _KAPPA_LAMBDA)]
    if (states == 2).any():
        either = _ABNORMAL_EITHER_WAY[state(at["flc_ratio_involved"], _INVOLVED)]
        states = np.where(states == 2, either, states)
    return states


_EVOLVED = at_least(1.0)


def course(*rules: EvolvingRule) -> Callable[[LandmarkFeatures], States]:
    """Evolving by any rule of one quantity; unknown without a value in the longest look-back."""
    flag = Flag(rules, compared=True)
    return lambda at: state(at.flags((flag,))[0], _EVOLVED)
