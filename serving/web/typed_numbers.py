"""Numbers as people type and paste them, read only where one number can be meant."""

import re

__all__ = ["NO_NUMBER", "has_decimal_comma", "typed_number"]

NO_NUMBER = "must be a number, such as 2.4"
COMMA_OR_THOUSANDS = "could be a decimal comma or thousands; write it with a point"
POINT_OR_THOUSANDS = "has a point where other numbers have a decimal comma; write them alike"

LONGEST = 20
SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
"""Between thousands: blanks of any width, and the apostrophe of Switzerland."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
POINTED_THOUSANDS = re.compile(
    r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d*|[+-]?[1-9]\d{0,2}(\.\d{3}){2,}", re.ASCII
)
COMMA_THOUSANDS = re.compile(
    r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d*|[+-]?[1-9]\d{0,2}(,\d{3}){2,}", re.ASCII
)
OPEN_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
OPEN_POINT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
"""Three digits after one sign may be decimals or thousands; after a zero they are decimals."""


def has_decimal_comma(text: str) -> bool:
    """Whether a number was certainly typed with a decimal comma.

    Examples
    --------
    >>> [has_decimal_comma(text) for text in ("12,1", "1.234,5", "1,234", "12.1")]
    [True, True, False, False]
    """
    if "," not in text and "." not in text:
        return False
    text = SPACES.sub("", text.strip())
    if POINTED_THOUSANDS.fullmatch(text):
        return True
    return bool(DECIMAL_COMMA.fullmatch(text)) and not OPEN_COMMA.fullmatch(text)


def typed_number(text: str, *, commas: bool) -> float | str:
    """What was typed, as a number, or what is wanted instead.

    Parameters
    ----------
    commas
        Whether other numbers typed with it have decimal commas.

    Examples
    --------
    >>> typed_number("12,1", commas=True), typed_number("1.234,5", commas=True)
    (12.1, 1234.5)
    >>> typed_number("1,234", commas=False)
    'could be a decimal comma or thousands; write it with a point'
    >>> typed_number("1,234", commas=True), typed_number("0,123", commas=False)
    (1.234, 0.123)
    """
    text = SPACES.sub("", text.strip().replace("−", "-"))
    if POINTED_THOUSANDS.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif COMMA_THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    elif OPEN_COMMA.fullmatch(text) and not commas:
        return COMMA_OR_THOUSANDS
    elif OPEN_POINT.fullmatch(text) and commas:
        return POINT_OR_THOUSANDS
    elif DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return float(text) if len(text) <= LONGEST and NUMBER.fullmatch(text) else NO_NUMBER
