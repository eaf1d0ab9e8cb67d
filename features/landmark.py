"""Features at a landmark: what was known of a subject at one moment, and nothing later.

One function serves a single patient over HTTP, a training cohort and a batch of millions. Features
are computed when a model asks for them, each once, from the columnar history.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from features.analytes import ANALYTES
from features.derived import IMMUNOGLOBULIN_LLN_MG_DL
from features.flags import FLAGS, Flag, judgement
from features.history import HEAVY_CHAINS, UNKNOWN, Floats, History, Ints, Series, latest_at
from features.trends import Pairs, change, evolving, slope_per_year, visit_pairs

__all__ = ["FEATURES", "LOOKBACK_YEARS", "PROBES_IMWG_2020", "Feature", "LandmarkFeatures"]

LOOKBACK_YEARS = 2.0
"""How far back changes and slopes look: two to four visits at the 3-6 months of usual follow-up."""


SMALL = 4096
"""Visits up to which what can be worked out together is; more fill the processor's cache alone."""


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
        self._small = history.visits < SMALL
        self._first: Ints | None = None
        self._visit: Ints | None = None
        self._pairs: Pairs | None = None
        self._values: dict[str, Floats] = {}
        self._latest: dict[str, tuple[Ints, Floats]] = {}

    def __len__(self) -> int:
        return int(self.subject.size)

    def __getitem__(self, name: str) -> Floats:
        """(k,) values of a feature of the catalogue `FEATURES`."""
        if name not in self._values:
            self._values[name] = FEATURES[name].compute(self)
        return self._values[name]

    def matrix(self, names: Iterable[str], rows: NDArray[np.bool_] | None = None) -> Floats:
        """(k, p) values of several features, in the order named; of some landmarks only."""
        names = tuple(names)
        if self._small:
            self._prepare(names)
        values = np.empty((len(self), len(names)))
        for column, name in enumerate(names):
            values[:, column] = self[name]
        return values if rows is None else values[rows]

    def _prepare(self, names: Iterable[str]) -> None:
        """Work out the changes and the slopes among some features, those of a kind together."""
        for per_measurement, quantities in COURSES.items():
            wanted = [name for name in quantities.keys() & names if name not in self._values]
            if wanted:
                found = self.course([quantities[name] for name in wanted], per_measurement)
                self._values |= zip(wanted, found, strict=True)

    def course(self, quantities: Sequence[str], per_measurement: "CourseKind") -> Floats:
        """(q, k) change or slope of quantities up to each landmark."""
        value, within = self.history.table(quantities), self.lookback_years
        return self.at_latest(quantities, per_measurement(value, self.pairs(within), within))

    def flag(self, name: str) -> Floats:
        """(k,) a flag of the catalogue `FLAGS`."""
        if name not in self._values:
            flags = FLAGS if self._small else {name: FLAGS[name]}
            self._values |= zip(flags, self.flags(tuple(flags.values())), strict=True)
        return self._values[name]

    def flags(self, flags: tuple[Flag, ...]) -> Floats:
        """(f, k) what flags say at each landmark: 1 raised, 0 not, NaN unknown."""
        judged = judgement(flags)
        value = self.history.table(judged.quantities)
        raised = evolving(value, self.pairs(judged.limits.longest_years), judged.limits)
        found = self.at_latest(judged.quantities, raised)
        return np.asarray(np.maximum.reduceat(found, judged.first, axis=0))

    def last_value(self, quantity: str) -> Floats:
        """(k,) latest value of a quantity."""
        return self._latest_of(quantity)[1]

    def time_of_latest(self, quantity: str) -> Floats:
        """(k,) when the latest value of a quantity was measured; NaN where none was."""
        return self._times.take(self._latest_of(quantity)[0])

    @cached_property
    def _times(self) -> Floats:
        """Times of the visits, and a NaN at the end for visit -1: nothing measured yet."""
        return np.concatenate([self.history.time_years, [np.nan]])

    def pairs(self, years: float) -> Pairs:
        """Pairs of visits at least so far apart as asked for, found once."""
        if self._pairs is None or self._pairs.window_years < years:
            history, window = self.history, max(years, self.lookback_years)
            self._pairs = visit_pairs(history.subject, history.time_years, window)
        return self._pairs

    def at_latest(self, quantities: Sequence[str], computed: Floats) -> Floats:
        """(q, k) what was computed for each measurement, taken at the latest one; NaN without one.

        Parameters
        ----------
        quantities
            Of the history; one may stand several times.
        computed : (q, n) array
            For each of them, at every visit.
        """
        if not self.history.visits:
            return np.full((len(quantities), len(self)), np.nan)
        seen = np.array([self._latest_of(quantity)[0] for quantity in quantities])
        found: Floats = computed[np.arange(len(quantities))[:, None], seen]
        found[seen < 0] = np.nan
        return found

    def _latest_of(self, quantity: str) -> tuple[Ints, Floats]:
        """(k,) visit of the latest measurement, -1 where there is none, and its value."""
        if quantity not in self._latest:
            measured = quantity in self.history.labs or quantity == "age"
            if not measured or not self.history.visits:
                self._latest[quantity] = self._nothing
            elif self._small:
                self._find_latest((*self.history.labs, "age"))
                # Many are read of few landmarks: from now on each is one look-up.
                self._values |= dict.fromkeys(_COLUMNS.values(), self._nothing[1])
                self._values |= {
                    _COLUMNS[name]: found[1]
                    for name, found in self._latest.items()
                    if name in _COLUMNS
                }
            else:
                self._find_latest((quantity,))
        return self._latest[quantity]

    @cached_property
    def _nothing(self) -> tuple[Ints, Floats]:
        """Visit and value of a quantity that nobody measured; all such share it."""
        visit, value = np.full(len(self), -1), np.full(len(self), np.nan)
        value.flags.writeable = False
        return visit, value

    def _find_latest(self, quantities: Sequence[str]) -> None:
        table = self.history.table(quantities)
        every = np.arange(self.history.visits)
        # NaN is the value that differs from itself; on ten values this is twice as fast as isnan.
        known = np.maximum.accumulate(np.where(table == table, every, -1), axis=1)
        first, visit = self._visits_known()
        seen = known if self.at_visits else known.take(visit, axis=1, mode="clip")
        seen = np.where(seen >= first, seen, -1)
        value = table[np.arange(len(quantities))[:, None], seen]
        value[seen < 0] = np.nan
        self._latest.update(zip(quantities, zip(seen, value, strict=True), strict=True))

    def _visits_known(self) -> tuple[Ints, Ints]:
        """(k,) first visit of each landmark's subject, and the last one at or before it.

        Before the first visit, the first one known lies beyond all.
        """
        if self._first is None or self._visit is None:
            history = self.history
            self._first = history.subject.searchsorted(self.subject)
            self._visit = every = np.arange(history.visits)
            if not self.at_visits:
                visits = Series(every, history.subject, history.time_years, history.time_years)
                self._visit = latest_at(visits, self.subject, self.time_years)
                self._first = np.where(self._visit < 0, history.visits, self._first)
        return self._first, self._visit

    def table(self, names: Sequence[str]) -> Floats:
        """(p, k) values of several features, in the order named."""
        return np.array([self[name] for name in names]).reshape(len(names), len(self))

    @cached_property
    def uninvolved(self) -> tuple[Ints, Ints, Ints]:
        """(k,) numbers of uninvolved isotypes below normal, measured, and in all.

        0 in all when untyped.
        """
        chain = self.history.heavy_chain[self.subject]
        uninvolved = (chain != _ISOTYPES) & (chain != UNKNOWN)
        in_all = uninvolved.sum(axis=0)
        if self.history.labs.keys().isdisjoint(IMMUNOGLOBULIN_LLN_MG_DL):
            nothing = np.zeros_like(in_all)
            return nothing, nothing, in_all
        value, limit = self.table(_ISOTYPE_COLUMNS), self.table(_ISOTYPE_LIMITS)
        limit = np.where(np.isnan(limit), _USUAL_LIMITS, limit)
        measured, below = uninvolved & ~np.isnan(value), uninvolved & (value < limit)
        return below.sum(axis=0), measured.sum(axis=0), in_all


_ISOTYPES = np.arange(len(IMMUNOGLOBULIN_LLN_MG_DL))[:, None]
_ISOTYPE_COLUMNS = tuple(ANALYTES[name].column for name in IMMUNOGLOBULIN_LLN_MG_DL)
_ISOTYPE_LIMITS = tuple(ANALYTES[f"{name}_lln"].column for name in IMMUNOGLOBULIN_LLN_MG_DL)
_USUAL_LIMITS = np.array([*IMMUNOGLOBULIN_LLN_MG_DL.values()])[:, None]
"""Isotypes by their code as a heavy chain: IgG, IgA, IgM."""


CourseKind = Callable[[Floats, Pairs, float], Floats]
"""From values at visits, their pairs and the look-back in years to a number for each."""


def _flag(name: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.flag(name)


def _course(per_measurement: CourseKind, quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.course([quantity], per_measurement)[0]


def _last(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.last_value(quantity)


def _years_since(quantity: str) -> Callable[[LandmarkFeatures], Floats]:
    return lambda at: at.time_years - at.time_of_latest(quantity)


def _age(at: LandmarkFeatures) -> Floats:
    return at.last_value("age") + (at.time_years - at.time_of_latest("age"))


def _male(at: LandmarkFeatures) -> Floats:
    return _MALE.take(at.history.sex[at.subject])


def _since_diagnosis(at: LandmarkFeatures) -> Floats:
    return at.time_years - at.history.diagnosis_years[at.subject]


def _non_igg(at: LandmarkFeatures) -> Floats:
    return _NON_IGG.take(at.history.heavy_chain[at.subject])


_MALE = np.array([0.0, 1.0, np.nan])
_NON_IGG = np.array([0.0, *np.ones(len(HEAVY_CHAINS) - 1), np.nan])
"""By the code of the sex and of the heavy chain; unknown is -1, the last."""


def _immunoparesis(at: LandmarkFeatures) -> Floats:
    """Number of uninvolved isotypes below the lower limit of normal; NaN when none was measured."""
    below, measured, _ = at.uninvolved
    return np.where(measured > 0, below, np.nan)


def _immunoparesis_most(at: LandmarkFeatures) -> Floats:
    """The number that could be below normal, those not measured included; NaN when none was."""
    below, measured, uninvolved = at.uninvolved
    return np.where(measured > 0, below + uninvolved - measured, np.nan)


def _fish_abnormalities(at: LandmarkFeatures) -> Floats:
    """Number of abnormalities found; NaN when no probe was read."""
    found = at.table(PROBES_IMWG_2020)
    read = found == found
    # Numbers of four are summed one after another, for one landmark as for many.
    return np.where(read.any(axis=0), np.where(read, found, 0.0).sum(axis=0), np.nan)


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

_COLUMNS = {name: analyte.column for name, analyte in ANALYTES.items()} | {
    name: column for name, (column, _) in DERIVED.items()
}
"""Quantities, and the feature that holds the latest value of each."""

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
    for column in ("flc_ratio_involved", "creatinine_mg_dl", "involved_flc_mg_l", "ldh_u_l"):
        features.append(Feature(f"ln_{column}", f"ln {column}", (), _log(column)))
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
