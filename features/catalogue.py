"""Every feature a model may use: its label, what it needs, and how it is had at a landmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from features.analytes import ANALYTES
from features.derived import DERIVED
from features.flags import FLAGS
from features.history import HEAVY_CHAINS, Floats
from features.latest import COLUMNS, CourseKind, Latest
from features.trends import change, slope_per_year

__all__ = ["COURSES", "FEATURES", "NEEDS", "PROBES_IMWG_2020", "Feature"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One quantity a model may use.

    Parameters
    ----------
    name
        With its unit.
    label
        For people.
    needs
        Analytes or subject fields that it is computed from; what a caller gives to have it.
    compute
        From the landmark to (k,) values, NaN where unknown.
    """

    name: str
    label: str
    needs: tuple[str, ...]
    compute: Callable[[Latest], Floats]


def _flag(name: str) -> Callable[[Latest], Floats]:
    return lambda at: at.flag(name)


def _course(per_measurement: CourseKind, quantity: str) -> Callable[[Latest], Floats]:
    return lambda at: at.course([quantity], per_measurement)[0]


def _last(quantity: str) -> Callable[[Latest], Floats]:
    return lambda at: at.last_value(quantity)


def _years_since(quantity: str) -> Callable[[Latest], Floats]:
    return lambda at: at.time_years - at.time_of_latest(quantity)


def _age(at: Latest) -> Floats:
    return at.last_value("age") + (at.time_years - at.time_of_latest("age"))


def _male(at: Latest) -> Floats:
    return _MALE.take(at.history.sex[at.subject])


def _since_diagnosis(at: Latest) -> Floats:
    return at.time_years - at.history.diagnosis_years[at.subject]


def _non_igg(at: Latest) -> Floats:
    return _NON_IGG.take(at.history.heavy_chain[at.subject])


_MALE = np.array([0.0, 1.0, np.nan])
_NON_IGG = np.array([0.0, *np.ones(len(HEAVY_CHAINS) - 1), np.nan])
"""By the code of the sex and of the heavy chain; unknown is -1, the last."""


def _immunoparesis(at: Latest) -> Floats:
    """Number of uninvolved isotypes below the lower limit of normal; NaN when none was measured."""
    below, measured, _ = at.uninvolved
    return np.where(measured > 0, below, np.nan)


def _immunoparesis_most(at: Latest) -> Floats:
    """The number that could be below normal, those not measured included; NaN when none was."""
    below, measured, uninvolved = at.uninvolved
    return np.where(measured > 0, below + uninvolved - measured, np.nan)


def _fish_abnormalities(at: Latest) -> Floats:
    """Number of abnormalities found; NaN when no probe was read."""
    found = at.last_values(PROBES_IMWG_2020)
    read = found == found
    # Numbers of four are summed one after another, for one landmark as for many.
    return np.where(read.any(axis=0), np.where(read, found, 0.0).sum(axis=0), np.nan)


def _log(quantity: str) -> Callable[[Latest], Floats]:
    return lambda at: np.log(at.last_value(quantity))


PROBES_IMWG_2020 = ("fish_t_4_14", "fish_t_14_16", "fish_gain_1q", "fish_del_13q")
"""Named in the abstract of Mateos MV, Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3;
some later reviews print del(17p) for t(14;16)."""

NEEDS = {
    "flc_ratio_involved": ("kappa_flc", "lambda_flc"),
    "flc_ratio_kappa_lambda": ("kappa_flc", "lambda_flc"),
    "involved_flc": ("kappa_flc", "lambda_flc"),
    "uninvolved_flc": ("kappa_flc", "lambda_flc"),
    "egfr": ("creatinine", "age", "sex"),
    "calcium_corrected": ("calcium", "albumin"),
}


def _catalogue() -> dict[str, Feature]:
    features = [
        Feature("age_years", "Age", ("age",), _age),
        Feature("male", "Male sex", ("sex",), _male),
        Feature("non_igg", "Heavy chain other than IgG", ("heavy_chain",), _non_igg),
        Feature(
            "years_since_diagnosis", "Years since diagnosis", ("diagnosis_date",), _since_diagnosis
        ),
        Feature(
            "immunoparesis_isotypes",
            "Uninvolved immunoglobulins below normal",
            ("igg", "iga", "igm", "heavy_chain"),
            _immunoparesis,
        ),
        Feature(
            "immunoparesis_isotypes_most",
            "Uninvolved immunoglobulins that could be below normal",
            ("igg", "iga", "igm", "heavy_chain"),
            _immunoparesis_most,
        ),
        Feature(
            "fish_abnormalities",
            "Cytogenetic abnormalities of IMWG 2020",
            PROBES_IMWG_2020,
            _fish_abnormalities,
        ),
    ]
    for name, analyte in ANALYTES.items():
        features += _of_quantity(name, analyte.column, analyte.label)
    for name, (column, label) in DERIVED.items():
        features += _of_quantity(name, column, label)
    for name, flag in FLAGS.items():
        label, needs = ANALYTES[flag.quantity].label, NEEDS.get(flag.quantity, (flag.quantity,))
        features.append(Feature(name, f"{label}: {flag.said}", needs, _flag(name)))
    for name in ("flc_ratio_involved", "creatinine", "involved_flc", "ldh"):
        column = COLUMNS[name]
        features.append(Feature(f"ln_{column}", f"ln {column}", (), _log(name)))
    return {feature.name: feature for feature in features}


def _of_quantity(name: str, column: str, label: str) -> list[Feature]:
    needs = NEEDS.get(name, (name,))
    return [
        Feature(column, label, needs, _last(name)),
        Feature(f"{name}_years_since", f"{label}: years since measured", needs, _years_since(name)),
        Feature(f"{name}_change", f"{label}: change", needs, _course(change, name)),
        Feature(
            f"{name}_slope_per_year",
            f"{label}: slope per year",
            needs,
            _course(slope_per_year, name),
        ),
    ]


FEATURES: Mapping[str, Feature] = MappingProxyType(_catalogue())
"""Every feature by its name."""

COURSES: Mapping[CourseKind, Mapping[str, str]] = MappingProxyType(
    {
        change: {f"{name}_change": name for name in (*ANALYTES, *DERIVED)},
        slope_per_year: {f"{name}_slope_per_year": name for name in (*ANALYTES, *DERIVED)},
    }
)
"""Changes and slopes: feature to quantity."""
