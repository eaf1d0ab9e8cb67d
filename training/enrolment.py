"""Enrolled subjects: a cohort's visits and outcomes side by side, as the study's question needs.

Visits are checked, outcomes are aligned to them, treatment ends the question as the study says, and
centre and day of diagnosis are known where the cohort has them.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DesignError
from features.history import Floats, History, Ints
from features.labs import years_from_days
from features.sources.cells import MISSING_DAY, days
from features.sources.csv import rows_from_frame
from features.visits import Visits, check
from training.cohorts import Cohort
from training.metrics.timeline import CENSORED, DEATH
from training.study import Study

__all__ = ["NO_CENTRE", "Enrolled", "enrol"]

Bools = NDArray[np.bool_]

NO_CENTRE = -1
"""Code of a subject whose centre is not known."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Subjects of a cohort, in the order in which their visits first name them.

    Parameters
    ----------
    cohort
        Name of the cohort.
    visits
        Checked; refused subjects keep their index and have no visits.
    duration_years, event : (s,) arrays
        From diagnosis to the event or the end of follow-up; 0 censored, 1 progression, 2 death
        first. Treatment begun before has ended the follow-up already, as the study says.
    treated : (s,) array
        Whether treatment ended it.
    centres, centre : names and (s,) array
        Code of each subject's centre, `NO_CENTRE` where unknown.
    moved : (s,) array
        Whether the visits of one subject name more than one centre.
    diagnosed_years : (s,) array
        Day of diagnosis in years since 1970-01-01, NaN where unknown.
    passed_over
        What was not read of the visits, one line each.
    """

    cohort: str
    visits: Visits
    duration_years: Floats
    event: Ints
    treated: Bools
    centres: tuple[str, ...]
    centre: Ints
    moved: Bools
    diagnosed_years: Floats
    passed_over: tuple[str, ...] = ()

    @property
    def history(self) -> History:
        """Visits of the subjects that passed."""
        return self.visits.history

    @property
    def subjects(self) -> int:
        """Number of subjects, the refused included."""
        return len(self.history.subject_ids)

    @property
    def index_years(self) -> Floats:
        """(s,) diagnosis on the clock of the visits; durations and landmarks count from it."""
        return np.where(np.isnan(self.history.diagnosis_years), 0.0, self.history.diagnosis_years)

    def refusals(self) -> str | None:
        """How many subjects are refused for their visits, and the most common fault by column."""
        refused = len(self.visits.refusals())
        if not refused:
            return None
        faults = Counter(
            (f.field, f.message) for f in self.visits.findings if f.severity == "refused"
        )
        (name, message), _ = faults.most_common(1)[0]
        return f"{refused} of {self.subjects} subjects refused, most often: {name} {message}"


def enrol(cohort: Cohort, study: Study) -> Enrolled:
    """Subjects of a cohort under a study design.

    Raises
    ------
    InputError
        If the visits as a whole cannot be used.
    DesignError
        If a subject has no outcome, or visits have dates and a subject no date of diagnosis.
    """
    labs = cohort.visits.drop(columns="centre", errors="ignore")
    rows = rows_from_frame(labs, source=f"{cohort.name}/visits")
    visits = check(rows)
    ids = list(visits.history.subject_ids)
    undiagnosed = int(np.isnan(visits.history.diagnosis_years).sum()) if rows.dated else 0
    if undiagnosed:
        raise DesignError(
            f"cohort {cohort.name}: {undiagnosed} subjects have dates but no diagnosis_date; "
            "landmarks and durations count from it"
        )
    outcomes = cohort.outcomes.set_index(cohort.outcomes["subject_id"].astype(str))
    lacking = sum(subject not in outcomes.index for subject in ids)
    if lacking:
        raise DesignError(f"cohort {cohort.name}: {lacking} subjects have visits but no outcome")
    outcomes = outcomes.loc[ids]
    duration, event, treated = _until_treatment(outcomes, study)
    names, centre, moved = _centres(cohort, outcomes, rows.subject)
    return Enrolled(
        cohort=cohort.name,
        visits=visits,
        duration_years=duration,
        event=event,
        treated=treated,
        centres=names,
        centre=centre,
        moved=moved,
        diagnosed_years=_diagnosed(cohort, rows.subject, len(ids)),
        passed_over=rows.notes,
    )


def _until_treatment(outcomes: pd.DataFrame, study: Study) -> tuple[Floats, Ints, Bools]:
    duration = outcomes["duration_years"].to_numpy(dtype=np.float64)
    event = outcomes["event"].to_numpy(dtype=np.int64)
    if "treated_years" not in outcomes.columns:
        return duration, event, np.zeros(duration.size, dtype=np.bool_)
    begun = outcomes["treated_years"].to_numpy(dtype=np.float64)
    # Treatment on the day of progression is treatment of the progression.
    treated = begun < duration
    ends_as = DEATH if study.treatment == "competing" else CENSORED
    return np.where(treated, begun, duration), np.where(treated, ends_as, event), treated


def _centres(
    cohort: Cohort, outcomes: pd.DataFrame, subject: Ints
) -> tuple[tuple[str, ...], Ints, Bools]:
    """Names, first centre of each subject, and whether its visits name another one."""
    count = len(outcomes)
    if "centre" in cohort.visits.columns:
        named, of = cohort.visits["centre"], subject
    elif "centre" in outcomes.columns:
        named, of = outcomes["centre"], np.arange(count)
    else:
        return (), np.full(count, NO_CENTRE), np.zeros(count, dtype=np.bool_)
    code, names = pd.factorize(named.astype("string").str.strip().replace("", None), sort=True)
    known = np.flatnonzero(code != NO_CENTRE)
    first = np.full(count, NO_CENTRE)
    first[of[known[::-1]]] = code[known[::-1]]
    moved = np.zeros(count, dtype=np.bool_)
    moved[of[known[code[known] != first[of[known]]]]] = True
    return tuple(map(str, names)), first, moved


def _diagnosed(cohort: Cohort, subject: Ints, count: int) -> Floats:
    found = np.full(count, np.nan)
    if "diagnosis_date" in cohort.visits.columns:
        # The same reading as of every other date: what is no day there refuses its subject.
        day, _ = days(pa.array(cohort.visits["diagnosis_date"], from_pandas=True))
        known = np.flatnonzero(day != MISSING_DAY)[::-1]
        found[subject[known]] = years_from_days(day[known])
    return found
