"""What this server offers to an EHR, and what it asks of it: the discovery document.

After CDS Hooks 2.0 (HL7, https://cds-hooks.hl7.org/2.0/). Everything needed comes by prefetch;
this server never calls an EHR.
"""

from features.analytes import ANALYTES
from features.sources.named_tests import SECOND_BAND
from serving.values import Json

__all__ = ["HOOK", "PATIENT", "REASONS", "REASON_SYSTEM", "RESULTS", "SERVICE", "discovery"]

SERVICE = "smoulder-progression"
HOOK = "patient-view"
PATIENT, RESULTS = "patient", "results"
"""Keys of the prefetch."""

LOINC = "http://loinc.org"
MOST_RESULTS = 1000

REASON_SYSTEM = "urn:smoulder:override-reason"
REASONS = {
    "known": "Already known and acted upon",
    "data": "A result it rests on is wrong or of somebody else",
    "irrelevant": "Not relevant for this patient",
}
"""Why a card may be overridden, by code."""


def discovery() -> Json:
    """Services of this server."""
    known = (code for each in ANALYTES.values() for code in each.loinc)
    # Whether a first band of M-protein is the only one is known by the second alone.
    codes = ",".join(f"{LOINC}|{code}" for code in (*known, SECOND_BAND))
    return {
        "services": [
            {
                "id": SERVICE,
                "hook": HOOK,
                "title": "Smouldering myeloma and MGUS: risk of progression",
                "description": (
                    "Staging by IMWG 2014 and the risks that published models give, from the "
                    "laboratory results of the patient. Research and trial pre-screening; not a "
                    "medical device."
                ),
                "usageRequirements": "Both prefetch keys; this service never calls the FHIR server",
                "prefetch": {
                    PATIENT: "Patient/{{context.patientId}}",
                    RESULTS: (
                        "Observation?patient={{context.patientId}}"
                        f"&code={codes}&_sort=-date&_count={MOST_RESULTS}"
                    ),
                },
            }
        ]
    }
