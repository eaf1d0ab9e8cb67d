"""LOINC codes: what one looks like, and what is said of one that cannot be."""

import re

__all__ = ["LEFT_OUT", "is_loinc"]

LOINC = re.compile(r"(\d{1,6})-(\d)", re.ASCII)
LEFT_OUT = "is no code of LOINC's, its check digit fails; the row was left out"


def is_loinc(code: str) -> bool:
    """Whether a code is shaped like LOINC's and its check digit (Luhn) is right.

    Examples
    --------
    >>> is_loinc("33944-0"), is_loinc("33944-8")
    (True, False)
    """
    matched = LOINC.fullmatch(code)
    if matched is None:
        return False
    doubled = (2 * int(d) if i % 2 == 0 else int(d) for i, d in enumerate(matched[1][::-1]))
    total = sum(d - 9 if d > 9 else d for d in doubled)
    return (10 - total % 10) % 10 == int(matched[2])
