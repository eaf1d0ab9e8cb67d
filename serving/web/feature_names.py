"""What people call a feature of a learned model: the quantity it is of, and what it says of it."""

import re
from collections.abc import Mapping

from features.analytes import ANALYTES
from features.derived import DERIVED
from serving.web.numbers import unit_label
from serving.web.texts import Texts

__all__ = ["UNITS", "feature_name", "quantity_label", "quantity_of"]

UNITS: Mapping[str, str] = {analyte.name: analyte.unit for analyte in ANALYTES.values()} | {
    "involved_flc": "mg/L",
    "uninvolved_flc": "mg/L",
    "egfr": "mL/min/{1.73_m2}",
    "calcium_corrected": "mg/dL",
}
"""Quantity to the unit its features are in; those that are not here have none."""

LATEST: Mapping[str, str] = {analyte.column: analyte.name for analyte in ANALYTES.values()} | {
    column: name for name, (column, _) in DERIVED.items()
}
"""Feature that holds the latest value of a quantity, to the quantity."""

MOVED = re.compile(
    r"(?P<name>\w+?)_(?P<kind>change|slope_per_year|years_since|evolving)(_as_published|_mayo)?"
)


def quantity_of(feature: str) -> tuple[str, str]:
    """Which quantity a feature is of, and what it says of it.

    Examples
    --------
    >>> quantity_of("m_protein_g_dl"), quantity_of("hemoglobin_slope_per_year")
    (('m_protein', 'latest'), ('hemoglobin', 'slope_per_year'))
    """
    feature = feature.removeprefix("ln_")
    if feature in ("male", "non_igg"):
        return feature, "yes_no"
    if feature in LATEST:
        return LATEST[feature], "latest"
    if found := MOVED.fullmatch(feature):
        return found["name"], found["kind"]
    return feature, "latest"


def quantity_label(name: str, t: Texts) -> str | None:
    """What people call a quantity; None for what is none."""
    found = t["input"].get(name, t["feature"].get(name))
    return None if found is None else str(found)


def feature_name(feature: str, t: Texts) -> str | None:
    """A feature with its unit; None for what is none.

    Examples
    --------
    >>> from serving.web.texts import texts
    >>> feature_name("m_protein_g_dl", texts("en")), feature_name("ln_bmpc_percent", texts("en"))
    ('Serum M-protein (g/dL)', 'Clonal bone-marrow plasma cells (natural logarithm)')
    >>> feature_name("hemoglobin_slope_per_year", texts("de"))
    'Hämoglobin: Steigung (g/dL pro Jahr)'
    """
    name, kind = quantity_of(feature)
    if kind == "yes_no":
        return str(t["feature"][f"{name}_yes"])
    label = quantity_label(name, t)
    if label is None:
        return None
    if feature.startswith("ln_"):
        kind = "logarithm"
    unit = unit_label(UNITS.get(name, "1"))
    words: Mapping[str, str] = t["feature_name"]
    if not unit and f"{kind}_plain" in words:
        return words[f"{kind}_plain"].format(label=label)
    return words[kind].format(label=label, unit=unit)
