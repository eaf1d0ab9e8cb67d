"""Features at a landmark: what was known of a subject at one moment, and nothing later.

One function serves a single patient over HTTP, a training cohort and a batch of millions. Features
are computed when a model asks for them, each once, from the columnar history.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from features.analytes import ANALYTES
from features.derived import IMMUNOGLOBULIN_LLN_MG_DL
from features.history import MALE, UNKNOWN, Floats, History, Ints, Series, latest_at
from features.trends import EVOLVING_RULES, change, evolving, evolving_at_last, slope_per_year

__all__ = ["FEATURES", "LOOKBACK_YEARS", "PROBES_IMWG_2020", "Feature", "LandmarkFeatures"]

LOOKBACK_YEARS = 2.0
"""How far back changes and slopes look: two to four visits at the 3-6 months of usual follow-up."""


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
    compute: "Callable[[LandmarkFeatures], Floats]"


class LandmarkFeatures:
    """Features of k landmarks, computed on demand.

    Parameters
    ----------
    history
        Validated visits.
    subject, time_years : (k,) arrays
        Which subject, and when, on the subject's clock. Omitted: every visit is a landmark.
    lookback_years
        Window of changes and slopes.

    Examples
    --------
    >>> from features.history import History
    >>> none = np.array([-1], dtype=np.int8)
    >>> history = History(
    ...     subject_ids=("A",), subject=np.array([0, 0]), time_years=np.array([0.0, 1.0]),
    ...     labs={"m_protein": np.array([1.8, 2.1])}, age_years=np.array([60.0, 61.0]),
    ...     sex=none, heavy_chain=none, light_chain=none, diagnosis_years=np.array([0.0]))
    >>> features = LandmarkFeatures(history)
    >>> features["m_protein_g_dl"], features["m_protein_evolving"]
    (array([1.8, 2.1]), array([0., 1.]))
    """

    def __init__(
        self,
        history: History,
        subject: Ints | None = None,
        time_years: Floats | None = None,
        *,
        lookback_years: float = LOOKBACK_YEARS,
    ) -> None:
        self.history = history
        self.at_visits = subject is None or time_years is None
        self.subject = history.subject if subject is None else subject
        self.time_years = history.time_years if time_years is None else time_years
        self.lookback_years = lookback_years
        self.single = not self.at_visits and self.subject.size == 1
        self._known: slice | None = None
        self._visit: Ints | None = None
        self._values: dict[str, Floats] = {}
        self._latest: dict[str, tuple[Series, Ints]] = {}
        self._uninvolved: tuple[Floats, Floats, Floats] | None = None

    def __len__(self) -> int:
        return int(self.subject.size)

    def __getitem__(self, name: str) -> Floats:
        """(k,) values of a feature of the catalogue `FEATURES`."""
        if name not in self._values:
            self._values[name] = FEATURES[name].compute(self)
        return self._values[name]

    def matrix(self, names: Iterable[str], rows: NDArray[np.bool_] | None = None) -> Floats:
        """(k, p) values of several features, in the order named; of some landmarks only."""
        columns = [self[name] if rows is None else self[name][rows] for name in names]
        return np.column_stack(columns) if columns else np.empty((len(self), 0))

    def latest(self, quantity: str) -> tuple[Series, Ints]:
        """Series of a quantity and, per landmark, the position of its latest measurement."""
        if quantity not in self._latest:
            self._latest[quantity] = self._find_latest(quantity)
        return self._latest[quantity]

    def _find_latest(self, quantity: str) -> tuple[Series, Ints]:
        if self.single:
            if quantity not in self.history.labs and quantity != "age":
                return _UNMEASURED, _NOWHERE
            series = self.history.series(quantity, self._visits_known())
            return series, np.array([series.value.size - 1])
        if quantity not in self.history.labs and quantity != "age":
            return _UNMEASURED, np.full(len(self), -1)
        series = self.history.series(quantity)
        position = self._latest_at_visits(series)
        if self.at_visits:
            return series, position
        # Everything is measured at a visit: the last visit knows the latest measurement.
        visit = self._visits_before()
        return series, np.append(position, -1).take(visit)

    def _latest_at_visits(self, series: Series) -> Ints:
        subject = self.history.subject
        position = np.full(subject.size, -1)
        position[series.visit] = np.arange(series.visit.size)
        np.maximum.accumulate(position, out=position)
        known = position >= 0
        same = series.subject[position[known]] == subject[known]
        position[known] = np.where(same, position[known], -1)
        return position

    def _visits_known(self) -> slice:
        """Visits of the one subject a request asks of; what is later is not even looked at."""
        if self._known is None:
            self._known = self.history.until(int(self.subject[0]), float(self.time_years[0]))
        return self._known

    def last_value(self, quantity: str) -> Floats:
        """(k,) latest value of a quantity."""
        if not self.single:
            return self.of_latest(quantity, lambda series: series.value)
        measured = self.history.labs.get(quantity)
        known = [] if measured is None else measured[self._visits_known()].tolist()
        for value in reversed(known):
            if not math.isnan(value):
                return np.array([value])
        return _NOTHING

    def _visits_before(self) -> Ints:
        """(k,) last visit at or before each landmark, -1 before the first."""
        if self._visit is None:
            history = self.history
            every = np.arange(history.visits)
            visits = Series(every, history.subject, history.time_years, history.time_years)
            self._visit = latest_at(visits, self.subject, self.time_years)
        return self._visit

    def of_latest(self, quantity: str, per_measurement: Callable[[Series], Floats]) -> Floats:
        """(k,) something computed for each measurement, taken at the latest one."""
        series, position = self.latest(quantity)
        if self.single:
            return per_measurement(series)[-1:] if series.value.size else _NOTHING
        if not series.value.size:
            return np.full(len(self), np.nan)
        # Position -1, nothing measured yet, finds the NaN at the end.
        return np.append(per_measurement(series), np.nan).take(position)

    def uninvolved(self) -> tuple[Floats, Floats, Floats]:
        """(k,) numbers of uninvolved isotypes below normal, measured, and in all."""
        if self._uninvolved is None:
            self._uninvolved = _uninvolved(self)
        return self._uninvolved


_NOTHING, _NOWHERE = np.array([np.nan]), np.array([-1])
_NONE, _NEVER = np.array([], dtype=np.int64), np.array([], dtype=np.float64)
for _shared in (_NOTHING, _NOWHERE, _NONE, _NEVER):
    _shared.setflags(write=False)
_UNMEASURED = Series(_NONE, _NONE, _NEVER, _NEVER)


def _last(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.last_value(quantity)


def _years_since(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.time_years - at.of_latest(quantity, lambda series: series.time_years)


def _change(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.of_latest(quantity, lambda series: change(series, at.lookback_years))


def _slope(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.of_latest(
        quantity, lambda series: slope_per_year(series, at.lookback_years)
    )


def _flag(quantity: str, tolerance: float | None) -> Callable[[LandmarkFeatures], Floats]:
    rule = EVOLVING_RULES[quantity]
    chosen = {} if tolerance is None else {"tolerance": tolerance}

    def flag(at: LandmarkFeatures) -> Floats:
        rise = evolving_at_last if at.single else evolving
        return at.of_latest(quantity, lambda series: rise(series, rule, **chosen).astype(float))

    return flag


def _age(at: LandmarkFeatures) -> Floats:
    aged = at.time_years - at.of_latest("age", lambda series: series.time_years)
    return at.of_latest("age", lambda series: series.value) + aged


def _male(at: LandmarkFeatures) -> Floats:
    sex = at.history.sex[at.subject]
    return np.where(sex == UNKNOWN, np.nan, (sex == MALE).astype(np.float64))


def _since_diagnosis(at: LandmarkFeatures) -> Floats:
    return at.time_years - at.history.diagnosis_years[at.subject]


def _non_igg(at: LandmarkFeatures) -> Floats:
    chain = at.history.heavy_chain[at.subject]
    return np.where(chain == UNKNOWN, np.nan, (chain != 0).astype(np.float64))


def _uninvolved(at: LandmarkFeatures) -> tuple[Floats, Floats, Floats]:
    """Number of uninvolved isotypes below normal, measured, and in all; 0 in all when untyped."""
    chain = at.history.heavy_chain[at.subject]
    below, measured, uninvolved = np.zeros((3, len(at)))
    for code, isotype in enumerate(("igg", "iga", "igm")):
        counts = (chain != code) & (chain != UNKNOWN)
        uninvolved += counts
        if isotype not in at.history.labs:
            continue
        value = at[ANALYTES[isotype].column]
        limit = at[ANALYTES[f"{isotype}_lln"].column]
        limit = np.where(np.isnan(limit), IMMUNOGLOBULIN_LLN_MG_DL[isotype], limit)
        measured += counts & ~np.isnan(value)
        below += counts & (value < limit)
    return below, measured, uninvolved


def _immunoparesis(at: LandmarkFeatures) -> Floats:
    """Number of uninvolved isotypes below the lower limit of normal; NaN when none was measured."""
    below, measured, _ = at.uninvolved()
    return np.where(measured > 0, below, np.nan)


def _immunoparesis_most(at: LandmarkFeatures) -> Floats:
    """The number that could be below normal, those not measured included; NaN when none was."""
    below, measured, uninvolved = at.uninvolved()
    return np.where(measured > 0, below + uninvolved - measured, np.nan)


def _fish_abnormalities(at: LandmarkFeatures) -> Floats:
    """Number of abnormalities found; NaN when no probe was read."""
    found = np.stack([at[name] for name in PROBES_IMWG_2020])
    read = ~np.isnan(found)
    return np.where(read.any(axis=0), np.sum(found, axis=0, where=read), np.nan)


def _log(name: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: np.log(at[name])


PROBES_IMWG_2020 = ("fish_t_4_14", "fish_t_14_16", "fish_gain_1q", "fish_del_13q")
"""Named in the abstract of Mateos MV, Blood Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3;
some later reviews print del(17p) for t(14;16)."""

DERIVED = {
    "involved_flc": ("involved_flc_mg_l", "Involved free light chain"),
    "uninvolved_flc": ("uninvolved_flc_mg_l", "Uninvolved free light chain"),
    "egfr": ("egfr_ml_min_173m2", "eGFR (CKD-EPI 2021)"),
    "calcium_corrected": ("calcium_corrected_mg_dl", "Calcium corrected for albumin"),
}
"""Derived quantities of a visit: the feature that holds the latest one, and its label."""

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
    for name in EVOLVING_RULES:
        label, needs = ANALYTES[name].label, NEEDS.get(name, (name,))
        features += [
            Feature(f"{name}_evolving", f"{label}: evolving", needs, _flag(name, None)),
            # The authors compare plain binary differences; their coefficient belongs to that flag.
            Feature(
                f"{name}_evolving_as_published",
                f"{label}: evolving, as PANGEA-SMM computes it",
                needs,
                _flag(name, 0.0),
            ),
        ]
    for column in ("flc_ratio_involved", "creatinine_mg_dl", "involved_flc_mg_l", "ldh_u_l"):
        features.append(Feature(f"ln_{column}", f"ln {column}", (), _log(column)))
    return {feature.name: feature for feature in features}


def _of_quantity(name: str, column: str, label: str) -> list[Feature]:
    needs = NEEDS.get(name, (name,))
    return [
        Feature(column, label, needs, _last(name)),
        Feature(f"{name}_years_since", f"{label}: years since measured", needs, _years_since(name)),
        Feature(f"{name}_change", f"{label}: change", needs, _change(name)),
        Feature(f"{name}_slope_per_year", f"{label}: slope per year", needs, _slope(name)),
    ]


FEATURES: Mapping[str, Feature] = MappingProxyType(_catalogue())
"""Every feature by its name."""
