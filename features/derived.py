"""Quantities computed from several tests of one visit: ratios, eGFR, corrected calcium.

All functions work on arrays, element by element, and give NaN where an input is missing.
"""

import numpy as np
from numpy.typing import NDArray

from features.cuts import at_least, state
from features.history import KAPPA, LAMBDA, UNKNOWN

__all__ = [
    "DERIVED",
    "IMMUNOGLOBULIN_LLN_MG_DL",
    "chain_ratio",
    "corrected_calcium_mg_dl",
    "egfr_ml_min_173m2",
    "involved_chain",
    "involved_ratio",
    "ratio_disagrees",
    "ratio_of_chain",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

IMMUNOGLOBULIN_LLN_MG_DL = {"igg": 768.0, "iga": 68.0, "igm": 35.0}
"""Lower limits of one laboratory (Freelite centre; evidence for SMM in Lakshman A, Blood Cancer J
2018;8:59, doi:10.1038/s41408-018-0077-4), used only where the reporting laboratory gives none."""

DERIVED = {
    "involved_flc": ("involved_flc_mg_l", "Involved free light chain"),
    "uninvolved_flc": ("uninvolved_flc_mg_l", "Uninvolved free light chain"),
    "egfr": ("egfr_ml_min_173m2", "eGFR (CKD-EPI 2021)"),
    "calcium_corrected": ("calcium_corrected_mg_dl", "Calcium corrected for albumin"),
}
"""Derived quantities of a visit: the feature that holds the latest one, and its label."""

RATIO_TOLERANCE = 0.10
"""A reported ratio further than this from kappa/lambda deserves a question: 11 of 214 real SMM
patients (Bustoros M, Nat Commun 2022, doi:10.1038/s41467-022-30694-w) differ by more."""

RATIO_DECIMALS = 9
"""Binary division leaves a residue in the sixteenth digit: 110/1.1 falls short of the 100 that is a
myeloma-defining event. Ratios are kept to far more decimals than concentrations are reported in."""


def egfr_ml_min_173m2(creatinine_mg_dl: Floats, age_years: Floats, sex: Codes) -> Floats:
    """Estimated glomerular filtration rate by CKD-EPI 2021, mL/min per 1.73 m2.

    Inker LA, N Engl J Med 2021;385:1737, doi:10.1056/NEJMoa2102953; without race.

    Parameters
    ----------
    creatinine_mg_dl, age_years : (n,) arrays
        NaN where unknown.
    sex : (n,) array
        Codes of `features.history`; unknown gives NaN.

    Examples
    --------
    >>> egfr_ml_min_173m2(np.array([1.0]), np.array([60.0]), np.array([1], dtype=np.int8)).round(1)
    array([86.2])
    """
    kappa, alpha, factor = _CKD_EPI_BY_SEX.take(sex, axis=1)
    scaled = creatinine_mg_dl / kappa
    rate: Floats = (
        142.0
        * np.minimum(scaled, 1.0) ** alpha
        * np.maximum(scaled, 1.0) ** -1.200
        * 0.9938**age_years
        * factor
    )
    return rate


_CKD_EPI_BY_SEX = np.array([[0.7, 0.9, np.nan], [-0.241, -0.302, np.nan], [1.012, 1.0, np.nan]])
"""Kappa, alpha and the factor for female, male and, as the last one, unknown: the code is -1."""


def corrected_calcium_mg_dl(calcium_mg_dl: Floats, albumin_g_dl: Floats) -> Floats:
    """Total calcium corrected for albumin, mg/dL: Ca + 0.8 (4.0 - albumin).

    Payne RB, BMJ 1973;4:643, doi:10.1136/bmj.4.5893.643; total calcium only, never ionised.

    Examples
    --------
    >>> corrected_calcium_mg_dl(np.array([10.0]), np.array([3.0]))
    array([10.8])
    """
    return calcium_mg_dl + 0.8 * (4.0 - albumin_g_dl)


def involved_chain(kappa_lambda: Floats, light_chain: Codes) -> Codes:
    """Involved light chain: the one typed by immunofixation, else the one in excess.

    Parameters
    ----------
    kappa_lambda : (n,) array
        Kappa/lambda ratio; NaN where unknown.
    light_chain : (n,) array
        Typed chain, or unknown.
    """
    untyped = _IN_EXCESS[state(kappa_lambda, _EVEN)]
    return np.where(light_chain == UNKNOWN, untyped, light_chain)


_EVEN = at_least(1.0)
_IN_EXCESS = np.array([LAMBDA, KAPPA, UNKNOWN], dtype=np.int8)


def involved_ratio(kappa_lambda: Floats, light_chain: Codes) -> Floats:
    """Involved/uninvolved free-light-chain ratio from kappa/lambda and the typed chain.

    IMWG 2014, Rajkumar SV, Lancet Oncol 2014;15:e538, doi:10.1016/S1470-2045(14)70442-5.

    Examples
    --------
    >>> untyped = np.array([-1, -1], dtype=np.int8)
    >>> involved_ratio(np.array([25.0, 0.04]), untyped)
    array([25., 25.])
    """
    return ratio_of_chain(kappa_lambda, involved_chain(kappa_lambda, light_chain))


def ratio_of_chain(kappa_lambda: Floats, chain: Codes) -> Floats:
    """The same from a chain of `involved_chain`."""
    with np.errstate(divide="ignore"):
        ratio: Floats = np.where(chain == LAMBDA, 1.0 / kappa_lambda, kappa_lambda)
    return ratio.round(RATIO_DECIMALS)


def chain_ratio(kappa_mg_l: Floats, lambda_mg_l: Floats) -> Floats:
    """Kappa/lambda ratio of two reported concentrations.

    Examples
    --------
    >>> float(chain_ratio(np.array(110.0), np.array(1.1)))  # 99.99999999999999 in binary
    100.0
    """
    ratio: Floats = kappa_mg_l / lambda_mg_l
    return ratio.round(RATIO_DECIMALS + 3)


def ratio_disagrees(reported: Floats, computed: Floats) -> NDArray[np.bool_]:
    """Whether a reported ratio is more than 10 % away from the one its chains give."""
    known = ~(np.isnan(reported) | np.isnan(computed))
    return known & (np.abs(reported - computed) > RATIO_TOLERANCE * np.abs(computed))
