"""What was measured latest at a landmark, and the course up to it; nothing later is looked at."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from features.analytes import ANALYTES
from features.derived import DERIVED, IMMUNOGLOBULIN_LLN_MG_DL
from features.flags import FLAGS, Flag, judgement
from features.history import UNKNOWN, Floats, History, Ints, Series, latest_at
from features.trends import Pairs, evolving, visit_pairs

__all__ = ["COLUMNS", "LOOKBACK_YEARS", "CourseKind", "Latest"]

LOOKBACK_YEARS = 2.0
"""How far back changes and slopes look: two to four visits at the 3-6 months of usual follow-up."""

SMALL = 4096
"""Visits up to which what can be worked out together is; more fill the processor's cache alone."""

CourseKind = Callable[[Floats, Pairs, float], Floats]
"""From values at visits, their pairs and the look-back in years to a number for each."""


class Latest:
    """The latest measurements at k landmarks, each looked up once.

    Parameters
    ----------
    history
        Validated visits.
    subject, time_years : (k,) arrays
        Which subject, and when, on the subject's clock. Omitted: every visit is a landmark.
    lookback_years
        Window of changes and slopes.
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
        # Features already worked out, by name.
        self._values: dict[str, Floats] = {}
        self._latest: dict[str, tuple[Ints, Floats]] = {}

    def __len__(self) -> int:
        return int(self.subject.size)

    def course(self, quantities: Sequence[str], per_measurement: CourseKind) -> Floats:
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

    def last_values(self, quantities: Iterable[str]) -> Floats:
        """(q, k) latest values of several quantities."""
        return np.array([self.last_value(quantity) for quantity in quantities])

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
                self._values |= dict.fromkeys(COLUMNS.values(), self._nothing[1])
                self._values |= {
                    COLUMNS[name]: found[1]
                    for name, found in self._latest.items()
                    if name in COLUMNS
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
        value, limit = self.last_values(IMMUNOGLOBULIN_LLN_MG_DL), self.last_values(_ISOTYPE_LIMITS)
        limit = np.where(np.isnan(limit), _USUAL_LIMITS, limit)
        measured, below = uninvolved & ~np.isnan(value), uninvolved & (value < limit)
        return below.sum(axis=0), measured.sum(axis=0), in_all


_ISOTYPES = np.arange(len(IMMUNOGLOBULIN_LLN_MG_DL))[:, None]
_ISOTYPE_LIMITS = tuple(f"{name}_lln" for name in IMMUNOGLOBULIN_LLN_MG_DL)
_USUAL_LIMITS = np.array([*IMMUNOGLOBULIN_LLN_MG_DL.values()])[:, None]
"""Isotypes by their code as a heavy chain: IgG, IgA, IgM."""

COLUMNS = {name: analyte.column for name, analyte in ANALYTES.items()} | {
    name: column for name, (column, _) in DERIVED.items()
}
"""Quantities, and the feature that holds the latest value of each."""
