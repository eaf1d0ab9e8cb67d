"""What the resources of FHIR R4 say together: Patients, panels and reports, then their results."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from features.analytes import Analyte
from features.labs import CellFault
from features.sources.bands import leave_out_bands
from features.sources.bundles import Entry, Json
from features.sources.gaps import gaps_of
from features.sources.gathered import Doubt, Gathered
from features.sources.observations import contained_results, gather_observation
from features.sources.patients import gather_patient
from features.sources.people import People
from features.sources.roundings import leave_out_coarser

__all__ = ["gather"]

OTHER_PATIENT = "differs from an earlier Patient of its id; keep one, or tell two apart by fullUrl"


def gather(resources: Iterable[Entry], codes: Mapping[str, Analyte] | None = None) -> Gathered:
    """What resources say: Patients, panels and reports first, then the results of them.

    Parameters
    ----------
    resources
        Of the whole source.
    codes
        A site's own code to analyte.
    """
    listed = list(resources)
    found = Gathered(codes or {}, People(listed))
    given: dict[str, Json] = {}
    for row, url, resource, _ in listed:
        kind = resource.get("resourceType")
        if kind == "Patient":
            subject = found.people.patient(url, resource)
            if given.setdefault(subject, resource) == resource:
                gather_patient(found, row, subject, resource)
            else:
                found.refuse(subject, row, "Patient", OTHER_PATIENT)
        elif kind in ("Observation", "DiagnosticReport"):
            found.panels.add(url, resource)
    for row, url, resource, _ in listed:
        doubts = (*gaps_of(resource), *contained_results(resource, found.codes))
        found.doubts += [Doubt(row, place, said) for place, said in doubts]
        kind = resource.get("resourceType")
        if kind == "Observation":
            gather_observation(found, row, url, resource)
        elif kind not in ("Bundle", "Patient") and not doubts:
            found.passed_over["resources that are neither Patient nor Observation"] += 1
    leave_out_bands(found)
    _leave_out_followed(found)
    leave_out_coarser(found)
    return found


def _leave_out_followed(found: Gathered) -> None:
    """Leave out what a later sample of the same day measured again: a visit is one day."""
    of_day: dict[tuple[str, str, str], list[int]] = {}
    for i, measured in enumerate(found.measured):
        if not np.isnan(measured.value) and not np.isnan(measured.moment):
            of_day.setdefault((measured.subject, measured.day, measured.analyte), []).append(i)
    for same in of_day.values():
        last = max(found.measured[i].moment for i in same)
        for i in same:
            measured = found.measured[i]
            if measured.moment < last:
                found.measured[i] = replace(measured, value=np.nan)
                expected = "was measured again later that day; the earlier value was left out"
                found.faults.append((measured.analyte, CellFault(i, expected, "doubted")))
