"""FHIR R4: a Bundle of one Patient and Observations in, a Bundle of RiskAssessments out."""
