"""The criteria of IMWG 2014: which are met, not met or unknown, and the values behind them.

Rajkumar SV et al., Lancet Oncol 2014;15:e538, doi:10.1016/S1470-2045(14)70442-5. Thresholds that
need an optional companion – a laboratory's own limit, an estimated clearance – apply where it is
given; the absolute threshold beside them always does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from features.analytes import ANALYTES
from features.cuts import above, at_least, state, tabulate
from features.derived import DERIVED
from features.history import HEAVY_CHAINS, Codes, Floats
from features.landmark import LandmarkFeatures

__all__ = [
    "CRITERIA",
    "HEAVY_STATES",
    "IGM",
    "LIGHT_CHAIN_ONLY",
    "MET",
    "NOT_MET",
    "UNKNOWN",
    "Criterion",
    "Role",
    "criterion_states",
    "latest_values",
]

Role = Literal["event", "to confirm", "burden", "evidence", "presence"]

NOT_MET, MET, UNKNOWN = 0, 1, 2

IGM, LIGHT_CHAIN_ONLY = HEAVY_CHAINS.index("IgM"), HEAVY_CHAINS.index("none")
HEAVY_STATES = len(HEAVY_CHAINS) + 1
"""Heavy chains and, as the last state, not typed: the code -1 indexes it."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of the diagnosis.

    Parameters
    ----------
    name
        Identifier.
    rule
        The inequality as published, for people.
    role
        ``event`` defines myeloma, ``to confirm`` does if the plasma-cell disorder causes it,
        ``burden`` separates SMM from MGUS, ``evidence`` says which disease it is, ``presence`` that
        there is one.
    quantities
        Analytes and derived quantities whose values decide it, the deciding one first.
    """

    name: str
    rule: str
    role: Role
    quantities: tuple[str, ...]


_ALL = (
    Criterion("plasma_cells_60", "clonal plasma cells >= 60 %", "event", ("bmpc",)),
    Criterion(
        "flc_ratio_100",
        "involved/uninvolved free-light-chain ratio >= 100 and involved chain >= 100 mg/L",
        "event",
        ("flc_ratio_involved", "involved_flc"),
    ),
    Criterion("mri_lesions", "more than one focal MRI lesion", "event", ("mri_focal_lesions",)),
    Criterion(
        "hypercalcemia",
        "calcium > 11 mg/dL (2.75 mmol/L) or > 1 mg/dL above the laboratory's upper limit",
        "to confirm",
        ("calcium", "calcium_corrected", "calcium_uln"),
    ),
    Criterion(
        "renal_insufficiency",
        "creatinine > 2 mg/dL (177 umol/L) or clearance < 40 mL/min",
        "to confirm",
        ("creatinine", "egfr"),
    ),
    Criterion(
        "anemia",
        "haemoglobin < 10 g/dL or > 2 g/dL below the laboratory's lower limit",
        "to confirm",
        ("hemoglobin", "hemoglobin_lln"),
    ),
    Criterion("bone_lesions", "an osteolytic lesion", "to confirm", ("lytic_lesions",)),
    Criterion("plasma_cells_10", "clonal plasma cells >= 10 %", "burden", ("bmpc",)),
    Criterion("m_protein_30", "serum M-protein >= 3 g/dL", "burden", ("m_protein",)),
    Criterion(
        "urine_m_protein_500", "urine M-protein >= 500 mg/24 h", "burden", ("urine_m_protein",)
    ),
    Criterion(
        "light_chain_disease",
        "no heavy chain, kappa/lambda outside 0.26-1.65 and the involved chain raised",
        "evidence",
        ("flc_ratio_kappa_lambda", "kappa_flc", "lambda_flc"),
    ),
    Criterion("m_protein_present", "serum M-protein > 0", "presence", ("m_protein",)),
)

CRITERIA: Mapping[str, Criterion] = MappingProxyType({each.name: each for each in _ALL})
"""Every criterion by its name, myeloma-defining events first."""

CALCIUM_MG_DL, CALCIUM_AS_MMOL_L = 11.0, 2.75 * 4.008
CREATININE_MG_DL, CREATININE_AS_UMOL_L = 2.0, 177 / 88.42
"""Both published spellings of one threshold; they differ by a rounding, so a value that lies
exactly on either is not above it."""

TOLERANCE = 1e-9
"""Differences of decimal values miss 2.0 or 1.0 by binary rounding, by far less than this."""

_PLASMA_CELLS = at_least(10.0, 60.0)
_PRESENT, _M_PROTEIN = above(0.0), at_least(3.0)
_URINE = at_least(500.0)
_HUNDRED = at_least(100.0)
_LESIONS = at_least(1.0)
_FOCAL_LESIONS = above(1.0)
_CALCIUM, _CREATININE = above(CALCIUM_MG_DL), above(CREATININE_MG_DL)
_HEMOGLOBIN, _CLEARANCE = at_least(10.0), at_least(40.0)
_RATIO = np.array([*at_least(0.26)[:-1], *above(1.65)])
_KAPPA, _LAMBDA = above(19.4), above(26.3)
"""Freelite ranges: Katzmann JA, Clin Chem 2002;48:1437, doi:10.1093/clinchem/48.9.1437."""

_FLIPPED = np.array([MET, NOT_MET, UNKNOWN], dtype=np.int8)
"""A state of "at least" turned into one of "below"."""


def latest_values(features: LandmarkFeatures) -> dict[str, Floats]:
    """(k,) latest values of the quantities that any criterion reads and anybody measured."""
    measured = features.history.labs
    values = {name: features[column] for name, column in _COLUMNS.items() if name in measured}
    if "calcium_corrected" in values:
        # An albumin of another day must not correct today's calcium.
        measured_at = features.time_of_latest
        same = measured_at("calcium") == measured_at("calcium_corrected")
        values["calcium_corrected"] = np.where(same, values["calcium_corrected"], np.nan)
    return values


def _columns() -> dict[str, str]:
    quantities = dict.fromkeys(quantity for each in _ALL for quantity in each.quantities)
    return {
        name: DERIVED[name][0] if name in DERIVED else ANALYTES[name].column for name in quantities
    }


_COLUMNS = _columns()


def criterion_states(
    values: Mapping[str, Floats], heavy_chain: Codes, size: int
) -> dict[str, Codes]:
    """State of every criterion at k landmarks.

    Parameters
    ----------
    values
        From `latest_values`.
    heavy_chain : (k,) array
        Codes of `features.history`.
    size
        Number k of landmarks.

    Returns
    -------
    mapping of criterion to (k,) array
        ``NOT_MET``, ``MET`` or ``UNKNOWN``, in the order of `CRITERIA`.
    """

    def of(quantity: str, table: Floats) -> Codes:
        found = values.get(quantity)
        if found is None:
            return _all(table.size, size)
        return state(found, table).astype(np.int8)

    cells = of("bmpc", _PLASMA_CELLS)
    present = of("m_protein", _PRESENT)
    return {
        "plasma_cells_60": _REACHES_60[cells],
        "flc_ratio_100": _BOTH[of("flc_ratio_involved", _HUNDRED), of("involved_flc", _HUNDRED)],
        "mri_lesions": of("mri_focal_lesions", _FOCAL_LESIONS),
        "hypercalcemia": _hypercalcemia(values, size),
        "renal_insufficiency": _renal_insufficiency(values, size),
        "anemia": _anemia(values, size),
        "bone_lesions": of("lytic_lesions", _LESIONS),
        "plasma_cells_10": _REACHES_10[cells],
        "m_protein_30": _REACHES_30[heavy_chain, of("m_protein", _M_PROTEIN)],
        "urine_m_protein_500": of("urine_m_protein", _URINE),
        "light_chain_disease": _LIGHT_CHAIN[
            heavy_chain,
            present,
            of("flc_ratio_kappa_lambda", _RATIO),
            of("kappa_flc", _KAPPA),
            of("lambda_flc", _LAMBDA),
        ],
        "m_protein_present": present,
    }


def _all(code: int, size: int) -> Codes:
    return np.array([code], dtype=np.int8).repeat(size)


def _hypercalcemia(values: Mapping[str, Floats], size: int) -> Codes:
    """Corrected calcium where albumin was measured with it, else total calcium."""
    calcium = values.get("calcium")
    if calcium is None:
        return _all(UNKNOWN, size)
    corrected = values.get("calcium_corrected")
    if corrected is not None:
        calcium = np.where(np.isnan(corrected), calcium, corrected)
    states = state(calcium, _CALCIUM).astype(np.int8)
    states[calcium == CALCIUM_AS_MMOL_L] = NOT_MET
    limit = values.get("calcium_uln")
    if limit is not None:
        states[calcium - limit > 1.0 + TOLERANCE] = MET
    return states


def _renal_insufficiency(values: Mapping[str, Floats], size: int) -> Codes:
    """Creatinine, and estimated clearance where age and sex allow one."""
    creatinine = values.get("creatinine")
    if creatinine is None:
        return _all(UNKNOWN, size)
    states = state(creatinine, _CREATININE).astype(np.int8)
    states[creatinine == CREATININE_AS_UMOL_L] = NOT_MET
    clearance = values.get("egfr")
    if clearance is not None:
        states[clearance < 40.0] = MET
    return states


def _anemia(values: Mapping[str, Floats], size: int) -> Codes:
    """Haemoglobin, against the laboratory's lower limit as well where that is given."""
    hemoglobin = values.get("hemoglobin")
    if hemoglobin is None:
        return _all(UNKNOWN, size)
    states = _FLIPPED[state(hemoglobin, _HEMOGLOBIN)]
    limit = values.get("hemoglobin_lln")
    if limit is not None:
        states[limit - hemoglobin > 2.0 + TOLERANCE] = MET
    return states


def _light_chain_of(heavy: int, present: int, ratio: int, kappa: int, lambda_: int) -> int:
    """Evidence for light-chain disease; where untyped, it needs a serum without M-protein."""
    untyped = heavy == HEAVY_STATES - 1
    if present == MET or not (untyped or heavy == LIGHT_CHAIN_ONLY):
        return NOT_MET
    raised = {0: lambda_, 1: NOT_MET, 2: kappa, 3: UNKNOWN}[ratio]
    return UNKNOWN if untyped and present == UNKNOWN and raised == MET else raised


def _reaches_30_of(heavy: int, reached: int) -> int:
    """M-protein >= 3 g/dL; light-chain disease has no heavy chain that could be missing one."""
    return NOT_MET if heavy == LIGHT_CHAIN_ONLY and reached == UNKNOWN else reached


_REACHES_10 = np.array([NOT_MET, MET, MET, UNKNOWN], dtype=np.int8)
_REACHES_60 = np.array([NOT_MET, NOT_MET, MET, UNKNOWN], dtype=np.int8)
_REACHES_30 = tabulate(_reaches_30_of, HEAVY_STATES, 3)
_BOTH = tabulate(lambda a, b: NOT_MET if NOT_MET in (a, b) else max(a, b), 3, 3)
_LIGHT_CHAIN = tabulate(_light_chain_of, HEAVY_STATES, 3, 4, 3, 3)
