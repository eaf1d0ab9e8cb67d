"""From lab rows to validated visits: canonical units, checked, every doubt explained.

A subject with something impossible – a value outside the possible range, a visit in the future, two
different values on one day – is refused as a whole, with the reason; other subjects are answered.
Nothing is dropped in silence and no value is corrected by guess.
"""

from dataclasses import dataclass

import numpy as np

from features.columns import place_columns
from features.derived import (
    chain_ratio,
    corrected_calcium_mg_dl,
    egfr_ml_min_173m2,
    involved_chain,
    involved_ratio,
    ratio_disagrees,
    ratio_of_chain,
)
from features.findings import Finding, found_at
from features.history import KAPPA, UNKNOWN, Codes, Floats, History, Ints
from features.labs import LabRows

__all__ = ["AGE_YEARS", "Finding", "Visits", "check"]

AGE_YEARS = (18.0, 110.0)
USUAL_AGE_YEARS = (30.0, 95.0)
"""Possible and usual age of an adult with a plasma-cell disorder; outside is refused or doubted."""

MOST_YEARS_BEFORE_DIAGNOSIS = 60.0
"""A visit earlier than this cannot belong to the diagnosis given: one of the dates is wrong."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Validated visits.

    Parameters
    ----------
    history
        Visits of the subjects that passed, sorted by subject and time. Refused subjects keep their
        index and have no visits.
    findings
        Refusals and doubts, in the order of the source.
    visit_of_row : (n,) array
        For each row of the source the visit it became, -1 for rows of refused subjects.
    """

    history: History
    findings: tuple[Finding, ...]
    visit_of_row: Ints

    def refusals(self) -> dict[int, str]:
        """Reason, first one first, of every refused subject."""
        reasons: dict[int, str] = {}
        for finding in self.findings:
            if finding.severity == "refused":
                reasons.setdefault(finding.subject, str(finding))
        return reasons


def check(rows: LabRows, *, as_of_years: float | None = None) -> Visits:
    """Visits in canonical units, with what was doubted or refused and why.

    Parameters
    ----------
    rows
        From any reader.
    as_of_years
        Today, on the clock of dated visits; later visits are refused. None checks no dates.

    Returns
    -------
    Visits
        Columnar history and findings.
    """
    findings = [Finding(p.subject, p.row, p.field, p.expected, p.severity) for p in rows.problems]
    findings += _check_times(rows, as_of_years)
    findings += _check_ages(rows)
    order, visit_of_row = _merge_rows(rows)
    labs, found = place_columns(rows, visit_of_row, order.size)
    findings += found
    findings += _check_ratio(rows, labs, order)
    refused = {finding.subject for finding in findings if finding.severity == "refused"}
    findings += [f for f in _check_usable(rows, labs, order) if f.subject not in refused]
    findings.sort(key=lambda finding: (finding.row is None, finding.row or 0))
    return _drop_refused(_history(rows, labs, order), findings, visit_of_row)


def _check_times(rows: LabRows, as_of_years: float | None) -> list[Finding]:
    found = []
    if rows.dated and as_of_years is not None:
        message = "lies in the future; give the day of the visit"
        late = (rows.time_years > as_of_years).nonzero()[0]
        found += [found_at(rows, i, "date", message) for i in late]
    early = rows.time_years < rows.diagnosis_years[rows.subject] - MOST_YEARS_BEFORE_DIAGNOSIS
    for i in early.nonzero()[0]:
        message = f"lies more than {MOST_YEARS_BEFORE_DIAGNOSIS:.0f} years before the diagnosis"
        found.append(found_at(rows, i, "date" if rows.dated else "years", message))
    return found


def _check_ages(rows: LabRows) -> list[Finding]:
    age = rows.age_years
    if ((age >= USUAL_AGE_YEARS[0]) & (age <= USUAL_AGE_YEARS[1])).all():
        return []
    found = []
    for i in np.flatnonzero((age < AGE_YEARS[0]) | (age > AGE_YEARS[1])):
        message = f"must lie within {AGE_YEARS[0]:.0f}-{AGE_YEARS[1]:.0f} years"
        found.append(found_at(rows, i, "age", message))
    usual = (age < USUAL_AGE_YEARS[0]) | (age > USUAL_AGE_YEARS[1])
    for i in np.flatnonzero(usual & (age >= AGE_YEARS[0]) & (age <= AGE_YEARS[1])):
        message = (
            f"is unusual (outside {USUAL_AGE_YEARS[0]:.0f}-{USUAL_AGE_YEARS[1]:.0f}); confirm it"
        )
        found.append(found_at(rows, i, "age", message, "doubted"))
    return found


def _merge_rows(rows: LabRows) -> tuple[Ints, Ints]:
    """Rows that open each visit, sorted by subject and time, and the visit of every row."""
    sort = np.lexsort((rows.time_years, rows.subject))
    subject, time = rows.subject[sort], rows.time_years[sort]
    new = np.empty(sort.size, dtype=bool)
    new[:1] = True
    new[1:] = (subject[1:] != subject[:-1]) | (time[1:] != time[:-1])
    visit_of_row = np.empty(sort.size, dtype=np.int64)
    visit_of_row[sort] = new.cumsum() - 1
    return sort[new], visit_of_row


def _check_ratio(rows: LabRows, labs: dict[str, Floats], order: Ints) -> list[Finding]:
    """Doubt a reported kappa/lambda or involved ratio that its own chains contradict."""
    reported = [n for n in ("flc_ratio_kappa_lambda", "flc_ratio_involved") if n in labs]
    if not reported or "kappa_flc" not in labs or "lambda_flc" not in labs:
        return []
    expected = labs["kappa_flc"] / labs["lambda_flc"]
    message = "differs by more than 10 % from kappa and lambda; confirm all three"
    found = []
    for name in reported:
        if name == "flc_ratio_involved":
            expected = involved_ratio(expected, rows.light_chain[rows.subject[order]])
        found += [
            found_at(rows, order[i], name, message, "doubted")
            for i in np.flatnonzero(ratio_disagrees(labs[name], expected))
        ]
    return found


def _check_usable(rows: LabRows, labs: dict[str, Floats], order: Ints) -> list[Finding]:
    measured = np.zeros(order.size, dtype=bool)
    for values in labs.values():
        measured |= values == values
        if measured.all():
            break
    usable = np.bincount(rows.subject[order[measured]], minlength=len(rows.subject_ids))
    return [
        Finding(int(s), None, "visits", "hold no usable laboratory value", "refused")
        for s in (usable == 0).nonzero()[0]
    ]


def _history(rows: LabRows, labs: dict[str, Floats], order: Ints) -> History:
    subject, age_years = rows.subject[order], rows.age_years[order]
    derived = _derive(labs, age_years, rows.sex[subject], rows.light_chain[subject])
    return History(
        subject_ids=rows.subject_ids,
        subject=subject,
        time_years=rows.time_years[order],
        labs={**labs, **derived},
        age_years=age_years,
        sex=rows.sex,
        heavy_chain=rows.heavy_chain,
        light_chain=rows.light_chain,
        diagnosis_years=rows.diagnosis_years,
    )


def _derive(
    labs: dict[str, Floats], age_years: Floats, sex: Codes, light_chain: Codes
) -> dict[str, Floats]:
    """Quantities that follow from the tests of one visit; a reported involved ratio wins."""
    derived: dict[str, Floats] = {}
    nothing = np.full(age_years.size, np.nan)
    chains = np.array([labs.get(name, nothing) for name in ("kappa_flc", "lambda_flc")])
    ratio = labs.get("flc_ratio_kappa_lambda", nothing)
    # One typed chain without the other is the involved one, whoever else is in the batch.
    measured = "kappa_flc" in labs or "lambda_flc" in labs
    if measured:
        computed = chain_ratio(*chains)
        ratio = np.where(np.isnan(computed), ratio, computed)
    chain = involved_chain(ratio, light_chain)
    if measured:
        both = np.where(chain == KAPPA, chains, chains[::-1])
        both[:, chain == UNKNOWN] = np.nan
        derived["involved_flc"], derived["uninvolved_flc"] = both
    derived["flc_ratio_kappa_lambda"] = ratio
    involved, reported = ratio_of_chain(ratio, chain), labs.get("flc_ratio_involved")
    derived["flc_ratio_involved"] = (
        involved if reported is None else np.where(np.isnan(reported), involved, reported)
    )
    if "creatinine" in labs:
        derived["egfr"] = egfr_ml_min_173m2(labs["creatinine"], age_years, sex)
    if "calcium" in labs and "albumin" in labs:
        derived["calcium_corrected"] = corrected_calcium_mg_dl(labs["calcium"], labs["albumin"])
    return derived


def _drop_refused(history: History, findings: list[Finding], visit_of_row: Ints) -> Visits:
    found = tuple(findings)
    subjects = [finding.subject for finding in findings if finding.severity == "refused"]
    if not subjects:
        return Visits(history, found, visit_of_row)
    refused = np.zeros(len(history.subject_ids), dtype=bool)
    refused[subjects] = True
    keep = ~refused[history.subject]
    place = np.where(keep, np.cumsum(keep) - 1, -1)
    kept = History(
        subject_ids=history.subject_ids,
        subject=history.subject[keep],
        time_years=history.time_years[keep],
        labs={name: values[keep] for name, values in history.labs.items()},
        age_years=history.age_years[keep],
        sex=history.sex,
        heavy_chain=history.heavy_chain,
        light_chain=history.light_chain,
        diagnosis_years=history.diagnosis_years,
    )
    return Visits(kept, found, place[visit_of_row])
