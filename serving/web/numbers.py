"""Numbers as people read them: risks, ranges, horizons and laboratory values, by language."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from features.analytes import ANALYTES
from serving.web.texts import SIGN, Texts

__all__ = [
    "CANONICAL",
    "UNITS",
    "converted",
    "horizons_label",
    "percent",
    "quantity",
    "span",
    "unit_label",
    "within_label",
    "years_label",
]

UNITS: Mapping[str, str] = {
    "1": "",
    "umol/L": "µmol/L",
    "ug/mL": "µg/mL",
    "ukat/L": "µkat/L",
    "mg/(24.h)": "mg/24 h",
    "g/(24.h)": "g/24 h",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
}
"""UCUM codes that people write otherwise."""

NONE = "–"
"""Of what is not known."""

CANONICAL: Mapping[str, str] = MappingProxyType({})
"""Units of tests where none was typed."""


def localised(text: str, t: Texts) -> str:
    """A number with the decimal sign of the language."""
    return text.replace(".", str(t["number"]["decimal"]))


def percent(risk: float | None, t: Texts) -> str:
    r"""A risk for people: whole percents from 10 % on, one decimal below, never a certainty.

    The space before the sign is one that no line breaks at.

    Examples
    --------
    >>> from serving.web.texts import texts
    >>> [percent(risk, texts("en")) for risk in (0.264, 0.062, 0.0004, None)]
    ['26\xa0%', '6.2\xa0%', '< 0.1\xa0%', '–']
    >>> percent(0.062, texts("de")), percent(0.997, texts("de"))
    ('6,2\xa0%', '> 99\xa0%')
    """
    return NONE if risk is None else f"{_number(risk, t)}{SIGN}"


def _number(risk: float, t: Texts) -> str:
    share = 100 * risk
    if share >= 9.95:
        return "> 99" if 99.5 <= share < 100 else f"{share:.0f}"
    return localised("< 0.1" if 0 < share < 0.1 else f"{share:.1f}", t)


def span(lower: float, upper: float, t: Texts) -> str:
    r"""Two risks as one range, which says 0 or 100 % only where an end is just that.

    Examples
    --------
    >>> from serving.web.texts import texts
    >>> span(0.179, 0.442, texts("en")), span(0.442, 0.443, texts("en"))
    ('18–44\xa0%', '44\xa0%')
    >>> span(0.6, 0.9999, texts("en")), span(0.0004, 0.05, texts("de"))
    ('60 to > 99\xa0%', '< 0,1 bis 5,0\xa0%')
    """
    ends = _number(lower, t), _number(upper, t)
    if ends[0] == ends[1]:
        return f"{ends[0]}{SIGN}"
    signed = any(end.startswith(("<", ">")) for end in ends)
    between = f" {t['number']['to']} " if signed else "–"
    return between.join(ends) + SIGN


def years_label(years: float, t: Texts) -> str:
    """A horizon in words."""
    words: Mapping[str, str] = t["number"]
    return words["year"] if years == 1 else words["years"].format(n=localised(f"{years:g}", t))


def converted(name: str, value: float, units: Mapping[str, str]) -> tuple[float, str]:
    """A canonical value of a test in the unit it was typed in, and that unit.

    Examples
    --------
    >>> converted("m_protein", 2.5, {"m_protein": "g/L"}), converted("m_protein", 2.5, {})
    ((25.0, 'g/L'), (2.5, 'g/dL'))
    """
    analyte = ANALYTES[name]
    unit = units.get(name, analyte.unit)
    return value / analyte.units[unit], unit


def horizons_label(horizons: Sequence[float], t: Texts) -> str:
    """Several horizons in words.

    Examples
    --------
    >>> from serving.web.texts import texts
    >>> horizons_label([1, 2, 5], texts("en")), horizons_label([1], texts("en"))
    ('1, 2, 5 years', '1 year')
    """
    if len(horizons) == 1:
        return years_label(horizons[0], t)
    listed = ", ".join(localised(f"{years:g}", t) for years in horizons)
    return str(t["number"]["years"].format(n=listed))


def within_label(years: float, t: Texts) -> str:
    """Until a horizon, in words."""
    words: Mapping[str, str] = t["number"]
    if years == 1:
        return words["within_year"]
    return words["within_years"].format(n=localised(f"{years:g}", t))


def unit_label(unit: str) -> str:
    """A unit as people write it; nothing for a dimensionless quantity."""
    return UNITS.get(unit, unit)


def quantity(value: float, unit: str, t: Texts) -> str:
    r"""A laboratory value with its unit on the same line, to the digits a laboratory reports.

    Examples
    --------
    >>> from serving.web.texts import texts
    >>> quantity(2.4049, "g/dL", texts("en")), quantity(1240, "mg/dL", texts("en"))
    ('2.4\xa0g/dL', '1240\xa0mg/dL')
    """
    text = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{localised(text, t)}\xa0{unit_label(unit)}".rstrip()
