"""One made-up person, as every way of asking has them."""

from features.analytes import ANALYTES
from serving.cds_hooks.services import HOOK
from serving.values import Json

__all__ = ["CDS_EXAMPLE", "EXAMPLE", "FEEDBACK_EXAMPLE", "FHIR_EXAMPLE", "PATIENT"]

EXAMPLE: Json = {
    "subject": {"sex": "female", "age": 61, "heavy_chain": "IgG", "light_chain": "kappa"},
    "visits": [
        {
            "date": "2025-03-04",
            "labs": {
                "m_protein": {"value": 21, "unit": "g/L"},
                "hemoglobin": {"value": 13.1, "unit": "g/dL"},
                "creatinine": {"value": 76, "unit": "umol/L"},
            },
        },
        {
            "date": "2025-09-09",
            "labs": {
                "m_protein": {"value": 24, "unit": "g/L"},
                "kappa_flc": {"value": 312, "unit": "mg/L"},
                "lambda_flc": {"value": 11.4, "unit": "mg/L"},
                "bmpc": {"value": 22, "unit": "%"},
                "hemoglobin": {"value": 12.4, "unit": "g/dL"},
                "creatinine": {"value": 80, "unit": "umol/L"},
            },
        },
    ],
}
"""As the API has them."""


def _observation(code: str, value: float, unit: str, day: str) -> Json:
    return {
        "resource": {
            "resourceType": "Observation",
            "id": f"{code}-{day}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": "Patient/made-up"},
            "effectiveDateTime": day,
            "valueQuantity": {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
    }


PATIENT: Json = {
    "resourceType": "Patient",
    "id": "made-up",
    "gender": "female",
    "birthDate": "1964-05",
}

FHIR_EXAMPLE: Json = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": PATIENT},
        *(
            _observation(ANALYTES[name].loinc[0], given["value"], given["unit"], visit["date"])
            for visit in EXAMPLE["visits"]
            for name, given in visit["labs"].items()
        ),
    ],
}
"""As FHIR R4 has them."""

CDS_EXAMPLE: Json = {
    "hook": HOOK,
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/made-up", "patientId": "made-up"},
    "prefetch": {
        "patient": PATIENT,
        "results": {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": FHIR_EXAMPLE["entry"][1:],
        },
    },
}
"""Their chart, opened."""

FEEDBACK_EXAMPLE: Json = {
    "feedback": [
        {
            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
            "outcome": "accepted",
            "outcomeTimestamp": "2025-09-10T09:30:00Z",
        }
    ]
}
