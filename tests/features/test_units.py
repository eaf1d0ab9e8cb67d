"""Conversion: exact for decimals, undone by its inverse, a UCUM library's factors, no guesses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.analytes import ANALYTES
from features.errors import InputError, UnitError
from features.units import (
    analyte_named,
    factor_to_canonical,
    likely_unit,
    spelled_unit,
    to_canonical,
)

PAIRS = [(name, unit) for name, analyte in ANALYTES.items() for unit in analyte.units]

MOLAR_MASS_G_PER_MOL = {"creatinine": 113.12, "calcium": 40.078, "hemoglobin": 16114.0}
"""IUPAC atomic weights; haemoglobin for one haem-carrying subunit."""

SPELLED_IN_UCUM = {
    "fraction": "1",
    "mg/(24.h)": "mg/d",
    "mg/24h": "mg/d",
    "g/(24.h)": "g/d",
    "g/24h": "g/d",
}
"""What the oracle cannot parse; a day is 24 hours by definition."""


@given(st.sampled_from(PAIRS), st.floats(1e-6, 1e6))
def test_conversion_is_undone_by_its_factor(pair, value):
    name, unit = pair
    analyte = ANALYTES[name]
    canonical = to_canonical(analyte, np.array([value]), unit)
    back = canonical / factor_to_canonical(analyte, unit)
    np.testing.assert_allclose(back, [value], rtol=1e-12)


@pytest.fixture(scope="module")
def ucum():
    # Deprecations inside the oracle are not ours to mend.
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ucumvert import PintUcumRegistry

        return PintUcumRegistry()


@pytest.mark.parametrize(("name", "unit"), PAIRS)
def test_factors_equal_those_of_a_ucum_library(ucum, name, unit):
    analyte = ANALYTES[name]
    given = 1.0 * ucum.from_ucum(SPELLED_IN_UCUM.get(unit, unit))
    canonical = ucum.from_ucum(SPELLED_IN_UCUM.get(analyte.unit, analyte.unit))
    tolerance = 1e-12
    if unit in ("mmol/L", "umol/L"):
        # UCUM libraries refuse molar to mass: the molar mass closes the gap, to the four or five
        # digits that the clinical factors 88.42, 4.008 and 1.6114 are stated with.
        moles = given.to(ucum.from_ucum("mol/L")).magnitude
        mass = MOLAR_MASS_G_PER_MOL[name.removesuffix("_lln").removesuffix("_uln")]
        given = moles * mass * ucum.from_ucum("g/L")
        tolerance = 3e-4
    expected = given.to(canonical).magnitude
    assert factor_to_canonical(analyte, unit) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("tenths", range(1, 100))
def test_grams_per_litre_become_the_decimal_a_person_reads(tenths):
    # 24 * 0.1 is 2.4000000000000004; a threshold at 2.4 must see 2.4.
    converted = to_canonical(ANALYTES["m_protein"], np.array(float(tenths)), "g/L")
    assert float(converted) == float(f"{tenths / 10:.1f}")


def test_missing_values_stay_missing():
    assert np.isnan(to_canonical(ANALYTES["m_protein"], np.array([np.nan]), "g/L")).all()


@pytest.mark.parametrize("unit", ["mg/dl", "G/L", "mmol/L", "%", "mg", ""])
def test_a_unit_is_never_guessed(unit):
    with pytest.raises(UnitError, match=r"m_protein: .*g/dL, g/L, mg/dL"):
        factor_to_canonical(ANALYTES["m_protein"], unit)


def test_the_micro_signs_of_both_alphabets_are_one():
    assert {spelled_unit(sign + "mol/L") for sign in ("u", "µ", "μ")} == {"umol/L"}


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("m_protein", 24.0, "g/dL", "g/L"),
        ("hemoglobin", 128.0, "g/dL", "g/L"),
        ("creatinine", 88.0, "mg/dL", "umol/L"),
        ("calcium", 2.4, "mg/dL", "mmol/L"),
        ("albumin", 38.0, "g/dL", "g/L"),
        ("bmpc", 150.0, "%", None),
    ],
)
def test_a_swapped_unit_is_named(name, value, unit, expected):
    assert likely_unit(ANALYTES[name], value, unit) == expected


def test_an_unknown_analyte_lists_the_catalogue():
    with pytest.raises(InputError, match=r"^labs\.paraprotein: is not in the catalogue: m_protein"):
        analyte_named("paraprotein", field="labs.paraprotein")
