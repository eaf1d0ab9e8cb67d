"""The columnar form of validated visits: one array per quantity, sorted by subject and time.

Everything that computes reads this form, for one person over HTTP and for millions of visits in a
batch. It holds numpy arrays only, so a request never builds a frame.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEMALE", "KAPPA", "LAMBDA", "MALE", "UNKNOWN", "History", "Series", "latest_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

UNKNOWN = -1
FEMALE, MALE = 0, 1
KAPPA, LAMBDA = 0, 1
HEAVY_CHAINS = ("IgG", "IgA", "IgM", "IgD", "IgE", "none")
"""Heavy chains by code; ``none`` is light-chain disease."""


@dataclass(frozen=True, slots=True)
class Series:
    """The visits at which one quantity was measured, in the order of the history.

    Parameters
    ----------
    visit : (m,) array
        Index of the visit in the history.
    subject : (m,) array
        Index of the subject.
    time_years : (m,) array
        Years on the subject's clock.
    value : (m,) array
        In the canonical unit; never NaN.
    """

    visit: Ints
    subject: Ints
    time_years: Floats
    value: Floats


@dataclass(frozen=True, slots=True)
class History:
    """Visits of many subjects, sorted by subject and time.

    Parameters
    ----------
    subject_ids : tuple of s strings
        As the caller named them.
    subject : (n,) array
        Index into `subject_ids`, non-decreasing.
    time_years : (n,) array
        Years on the subject's own clock, increasing within a subject. With dated visits the clock
        starts on 1970-01-01 and a year has 365.25 days; otherwise at diagnosis.
    labs : mapping of analyte or derived quantity to (n,) array
        In canonical units; NaN where not measured at that visit.
    age_years : (n,) array
        Age at the visit; NaN where unknown.
    sex, heavy_chain, light_chain : (s,) arrays
        Codes of this module, ``UNKNOWN`` where not given.
    diagnosis_years : (s,) array
        Diagnosis on the same clock; NaN where unknown.
    """

    subject_ids: tuple[str, ...]
    subject: Ints
    time_years: Floats
    labs: Mapping[str, Floats]
    age_years: Floats
    sex: Codes
    heavy_chain: Codes
    light_chain: Codes
    diagnosis_years: Floats

    @property
    def visits(self) -> int:
        """Number of visits."""
        return self.subject.size

    def lab(self, name: str) -> Floats:
        """(n,) values of a quantity or of ``age``; all NaN when no visit has it."""
        found = self.age_years if name == "age" else self.labs.get(name)
        return np.full(self.visits, np.nan) if found is None else found

    def table(self, names: Sequence[str]) -> Floats:
        """(q, n) values of quantities, as `lab` gives them."""
        return np.array([self.lab(name) for name in names])

    def series(self, name: str) -> Series:
        """The visits at which a quantity was measured."""
        value = self.lab(name)
        visit = (~np.isnan(value)).nonzero()[0]
        return Series(visit, self.subject[visit], self.time_years[visit], value[visit])

    def parts(self, visits: int) -> Iterator["History"]:
        """The same history in runs of whole subjects, of about so many visits each.

        Arrays that fit the processor's cache are worked through several times faster.
        """
        first, count = 0, len(self.subject_ids)
        while first < count:
            start = int(self.subject.searchsorted(first))
            reached = min(start + visits, self.visits)
            until = int(self.subject[reached - 1]) + 1 if reached > start else count
            until = count if reached == self.visits else until
            yield self._of_subjects(first, until)
            first = until

    def _of_subjects(self, first: int, until: int) -> "History":
        start, stop = self.subject.searchsorted((first, until)).tolist()
        of = slice(first, until)
        return History(
            subject_ids=self.subject_ids[of],
            subject=self.subject[start:stop] - first,
            time_years=self.time_years[start:stop],
            labs={name: values[start:stop] for name, values in self.labs.items()},
            age_years=self.age_years[start:stop],
            sex=self.sex[of],
            heavy_chain=self.heavy_chain[of],
            light_chain=self.light_chain[of],
            diagnosis_years=self.diagnosis_years[of],
        )

    def first_visits(self) -> Ints:
        """(k,) indices of the first visit of every subject that has one."""
        first = np.flatnonzero(np.diff(self.subject, prepend=-1) != 0)
        return first.astype(np.int64)

    def last_visits(self) -> Ints:
        """(k,) indices of the last visit of every subject that has one."""
        last = np.flatnonzero(np.diff(self.subject, append=-1) != 0)
        return last.astype(np.int64)


def latest_at(series: Series, subject: Ints, time_years: Floats) -> Ints:
    """Position in a series of each subject's latest measurement at or before a time.

    Parameters
    ----------
    series
        Sorted by subject and time.
    subject, time_years : (k,) arrays
        Where to look, in any order.

    Returns
    -------
    (k,) array
        Index into the series, -1 where nothing was measured yet.
    """
    # Side "right": a measurement at the very time counts as known.
    position = _places(series.subject, series.time_years).searchsorted(
        _places(subject, time_years), side="right"
    )
    position -= 1
    # Before the subject's own first one stands one of somebody else, or none.
    return np.where(position >= series.subject.searchsorted(subject), position, -1)


def _places(subject: Ints, time_years: Floats) -> NDArray[np.complex128]:
    """Subject and time as one number: complex ones are ordered by the real part first."""
    places = np.empty(subject.size, dtype=np.complex128)
    places.real, places.imag = subject, time_years
    return places
