"""How exactly a laboratory printed a number.

Decimals of FHIR keep their digits, 1.10 is not printed as 1.1 is:
https://hl7.org/fhir/R4/datatypes.html#decimal
"""

import math
from decimal import Decimal

__all__ = ["Printed", "half_a_place", "printed"]


class Printed(float):
    """A number that keeps the text it was printed as; in all else a number like any other."""

    text: str

    def __str__(self) -> str:
        return self.text


def printed(literal: str) -> float:
    """Number of a JSON literal with its digits; one with an exponent is a plain number.

    Examples
    --------
    >>> printed("1.10") == 1.1, str(printed("1.10"))
    (True, '1.10')
    """
    number = Printed(literal)
    if "e" in literal or "E" in literal or not math.isfinite(number):
        return float(literal)
    number.text = literal
    return number


def half_a_place(number: Decimal) -> float:
    """Half a unit in the last printed place, at most that of a whole number.

    Examples
    --------
    >>> half_a_place(Decimal("1.10")), half_a_place(Decimal("97"))
    (0.005, 0.5)
    """
    exponent = number.as_tuple().exponent
    return 0.5 * 10.0 ** min(exponent, 0) if isinstance(exponent, int) else 0.0
