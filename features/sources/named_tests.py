"""Which test of the catalogue the code of an Observation names."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from features.analytes import Analyte, analyte_for_loinc
from features.loinc import LEFT_OUT, is_loinc
from features.sources.bundles import Json

if TYPE_CHECKING:
    from fhir.resources.R4B.codeableconcept import CodeableConcept

__all__ = [
    "BAND",
    "FIRST_BAND",
    "SECOND_BAND",
    "NamedTest",
    "analyte_of",
    "coding_pairs",
    "loinc_codes",
    "other_code",
    "other_tests",
]

LOINC_SYSTEMS = frozenset({"http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
"""As R4 has it, and the identifier of the same system that documents of HL7's version 3 carry."""

SHORT_NAMES = dict.fromkeys(LOINC_SYSTEMS, "LOINC") | dict.fromkeys(
    ("http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"), "SNOMED CT"
)
OTHER_SYSTEM = "code"

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}", re.ASCII)
"""What is told as a code; anything else could be a caller's text."""

FIRST_BAND = "51435-6"
"""M-protein of the first band; the M-protein where it is the only one."""

SECOND_BAND = "35559-4"
"""M-protein of a second band: Protein.monoclonal band 2, serum or plasma, by electrophoresis."""

TWO_TESTS = "names two tests of the catalogue; the value was left out"
NO_SYSTEM = "has a code of LOINC's without its system, http://loinc.org; the value was left out"
BAND = "is a second band, which nothing is added to; the M-protein is the sum (33358-3)"
BESIDE = "has LOINC codes outside the catalogue as well; confirm that it is this test"

NamedTest = tuple[Analyte | None, str]
"""Analyte that a code names and what is doubted of that, or None and why it names none."""


def analyte_of(code: "CodeableConcept", local: Mapping[str, Analyte]) -> NamedTest:
    """Analyte that a code names; without a doubt where it plainly does or plainly does not.

    Parameters
    ----------
    code
        As R4 has it.
    local
        A site's own code to analyte.
    """
    named: dict[str, Analyte] = {}
    wrong = beside = ""
    for coding in code.coding or []:
        text, system = str(coding.code or ""), str(coding.system or "")
        analyte = local.get(text)
        if analyte is None and system in LOINC_SYSTEMS:
            analyte = analyte_for_loinc(text)
            if analyte is None:
                wrong = wrong or _why_none(text)
                beside = BESIDE
        elif analyte is None and _lacks_its_system(system, text):
            wrong = wrong or NO_SYSTEM
        if analyte is not None:
            named[analyte.name] = analyte
    if len(named) == 1:
        return next(iter(named.values())), beside
    return None, TWO_TESTS if named else wrong


def _why_none(text: str) -> str:
    """Why a code of LOINC's names no test, where that is not plain."""
    if text == SECOND_BAND:
        return BAND
    return "" if is_loinc(text) else LEFT_OUT


def _lacks_its_system(system: str, text: str) -> bool:
    """Whether a code of the catalogue stands without the system that would make it LOINC's."""
    return analyte_for_loinc(text) is not None and (not system or "loinc" in system.lower())


def loinc_codes(code: "CodeableConcept") -> frozenset[str]:
    """Codes of LOINC's in a code."""
    codings = code.coding or []
    return frozenset(str(each.code) for each in codings if str(each.system) in LOINC_SYSTEMS)


def coding_pairs(code: "CodeableConcept") -> list[tuple[str, str]]:
    """System and code of each coding; empty texts where it has none."""
    return [(str(each.system or ""), str(each.code or "")) for each in code.coding or []]


def other_code(codings: Iterable[tuple[str, str]]) -> str:
    """Short name of a system and the code of another test in it, LOINC's first; empty if none.

    Examples
    --------
    >>> other_code([("http://h.example/lab", "LDH"), ("http://loinc.org", "14804-9")])
    'LOINC 14804-9'
    >>> other_code([("http://h.example/lab", "LDH")]), other_code([("", "LDH of Mrs Smith")])
    ('code LDH', '')
    """
    named: dict[str, str] = {}
    for system, code in codings:
        if CODE.fullmatch(code):
            named.setdefault(SHORT_NAMES.get(system, OTHER_SYSTEM), code)
    for name in (*SHORT_NAMES.values(), OTHER_SYSTEM):
        if name in named:
            return f"{name} {named[name]}"
    return ""


def other_tests(resource: Json, local: Mapping[str, Analyte]) -> list[str]:
    """Codes of the values of an Observation that plainly holds no test of the catalogue, else none.

    Most results of a hospital are other tests: they need no validation, which is slow, and a fault
    in one of them refuses nobody.
    """
    components = resource.get("component", [])
    parts = [resource, *components] if isinstance(components, list) else [None]
    codes = []
    for part in parts:
        code = part.get("code") if isinstance(part, dict) else None
        codings = code.get("coding", []) if isinstance(code, dict) else None
        if not isinstance(codings, list):
            return []
        for coding in codings:
            if not isinstance(coding, dict) or _is_of_interest(coding, local):
                return []
        pairs = ((str(each.get("system") or ""), str(each.get("code") or "")) for each in codings)
        codes.append(other_code(pairs))
    return codes


def _is_of_interest(coding: Json, local: Mapping[str, Analyte]) -> bool:
    text, system = str(coding.get("code", "")), str(coding.get("system") or "")
    if text in local or _lacks_its_system(system, text):
        return True
    if system not in LOINC_SYSTEMS:
        return False
    return analyte_for_loinc(text) is not None or bool(_why_none(text))
