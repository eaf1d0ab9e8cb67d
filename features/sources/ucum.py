"""One spelling of each unit that UCUM, or a laboratory, writes in several ways.

Nothing is guessed here: only spellings that can mean one unit and no other are brought together.
What is not known stays as it is, and is refused by name where it is used.
https://ucum.org/ucum
"""

import re
from functools import lru_cache

from features.units import spelled_unit

__all__ = ["UCUM_SYSTEMS", "one_spelling"]

UCUM_SYSTEMS = frozenset({"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"})
"""As R4 has it, and the identifier of the same system that documents of HL7's version 3 carry."""

ANNOTATION = re.compile(r"(?<=.)\{[^{}]*\}")
"""What is written in braces after a unit; it has no meaning."""

LITRE = re.compile(r"(?<![A-Za-z])([dcmu]?)l(?![A-Za-z])")
"""UCUM knows the litre as l and as L."""

MICRO = re.compile(r"\bmcg\b")
"""Not UCUM's, but the way of writing that keeps the micro sign from being misread."""

PER_DAY = re.compile(r"/(?:24 ?(?:hr|hrs|hours)|day)$")

INTERNATIONAL = re.compile(r"^(?:\[[iI]U\]|IU)/L$")
"""The international unit of an enzyme is 1 umol/min, as UCUM's U is (NC-IUB, Eur J Biochem
1979;97:319); of the catalogue only an enzyme is measured in it."""

RATIOS = frozenset({"ratio", "Ratio", "mg/mg", "g/g"})


@lru_cache(maxsize=256)
def one_spelling(unit: str) -> str:
    """Spell a unit as the catalogue does where it is one of the catalogue's.

    Examples
    --------
    >>> one_spelling("mg/dl"), one_spelling("µmol/l"), one_spelling("%{cells}")
    ('mg/dL', 'umol/L', '%')
    >>> one_spelling("[IU]/L"), one_spelling("mg/24 hrs"), one_spelling("{ratio}")
    ('U/L', 'mg/d', '{ratio}')
    """
    spelled = ANNOTATION.sub("", spelled_unit(unit))
    spelled = LITRE.sub(r"\1L", MICRO.sub("ug", spelled))
    if spelled in RATIOS:
        return "1"
    return INTERNATIONAL.sub("U/L", PER_DAY.sub("/d", spelled))
