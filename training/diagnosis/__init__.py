"""The diagnosis: is a study design sound on a cohort, before anything is fitted.

Each check looks at one thing that can make a model worse than it seems, and says pass, warn or
refuse with the reason and what to do. Limits are stated beside each check and explained in
docs/training.md. A refusal may be overridden on the record: the reason goes into the run, the
artefact and every answer of the model.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from features.errors import InputError
from training.cohorts import Cohort
from training.diagnosis.amount import events, sample_size_of
from training.diagnosis.centres import centres
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import HEADER, Diagnosis, Finding
from training.diagnosis.follow_up import censoring, dates, deaths, follow_up, treatment
from training.diagnosis.identity import duplicates, identifiers
from training.diagnosis.leakage import outcome_in_feature, outcome_labs
from training.diagnosis.missingness import missingness
from training.diagnosis.population import population
from training.diagnosis.units import units, values
from training.enrolment import Enrolled, enrol
from training.landmarks import TrainingSet, landmark_rows
from training.study import Study

__all__ = [
    "CHECKS",
    "HEADER",
    "Diagnosis",
    "Finding",
    "check_overrides",
    "diagnose",
    "examine",
]

LONGEST_REASON = 1000
"""It is a tag of the run, whose length the tracking server limits."""

NOTHING: Mapping[str, str] = MappingProxyType({})

CHECKS: Mapping[str, Callable[[Evidence], Finding]] = MappingProxyType(
    {
        "values": values,
        "identifiers": identifiers,
        "duplicates": duplicates,
        "population": population,
        "events": events,
        "sample-size": sample_size_of,
        "follow-up": follow_up,
        "censoring": censoring,
        "treatment": treatment,
        "deaths": deaths,
        "dates": dates,
        "outcome-labs": outcome_labs,
        "outcome-in-feature": outcome_in_feature,
        "units": units,
        "missingness": missingness,
        "centres": centres,
    }
)
"""Every check by its name, in the order of the table."""


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Refuse overrides that name no check or give no reason.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, reason in overrides.items():
        if name not in CHECKS:
            raise InputError("--override", f"expected one of {', '.join(CHECKS)}")
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            expected = f"expected why {name} is overridden, in at most {LONGEST_REASON} characters"
            raise InputError("--because", expected)


def examine(
    cohort: Cohort, study: Study, *, overrides: Mapping[str, str] = NOTHING
) -> tuple[TrainingSet, Diagnosis]:
    """Landmark rows of a cohort under a design, and its diagnosis.

    Raises
    ------
    InputError
        If the visits cannot be used, or an override names no check or no reason.
    DesignError
        If there is no row at all to be diagnosed.
    """
    people = enrol(cohort, study)
    rows = landmark_rows(people, study)
    return rows, diagnose(people, rows, study, overrides=overrides)


def diagnose(
    people: Enrolled, rows: TrainingSet, study: Study, *, overrides: Mapping[str, str] = NOTHING
) -> Diagnosis:
    """Every check of a design on a cohort.

    Parameters
    ----------
    people, rows
        Enrolled subjects and their landmark rows.
    study
        The design.
    overrides
        Check to the reason why its refusal is to be trained through; only those it is needed for
        are kept.

    Raises
    ------
    InputError
        If a check to be overridden does not exist or its reason is empty.
    """
    check_overrides(overrides)
    evidence = Evidence.of(people, rows, study)
    findings = tuple(check(evidence) for check in CHECKS.values())
    needed = {f.check for f in findings if f.status == "refuse" and not f.final}
    return Diagnosis(
        study=study.name,
        study_hash=study.hash,
        cohort=people.cohort,
        findings=findings,
        overrides={name: reason for name, reason in overrides.items() if name in needed},
    )
