"""One result of a day in two units is one value; two results are a contradiction."""

import json

import pytest

from features.sources.fhir import read_fhir
from features.visits import check

CREATININE, HEMOGLOBIN, M_PROTEIN = "2160-0", "718-7", "33358-3"


@pytest.fixture
def of_one_day(written, observation, patient):
    """What is read of numbers of one test on one day, each with exactly these digits."""

    def read(code, *given):
        results = [observation(code, f"<{number}>", unit) for number, unit in given]
        text = json.dumps([patient, *results])
        return read_fhir(written(text.replace('"<', "").replace('>"', ""), "a.json"))

    return read


@pytest.mark.parametrize(
    ("code", "coarse", "exact", "used"),
    [
        # 97 / 88.42 = 1.097 mg/dL, within 0.05 + 0.006 of 1.1.
        (CREATININE, ("1.1", "mg/dL"), ("97", "umol/L"), ("creatinine", "umol/L", 97.0)),
        (CREATININE, ("97", "umol/L"), ("1.10", "mg/dL"), ("creatinine", "mg/dL", 1.1)),
        (M_PROTEIN, ("2.4", "g/dL"), ("24.3", "g/L"), ("m_protein", "g/L", 24.3)),
        (M_PROTEIN, ("24", "g/L"), ("2.43", "g/dL"), ("m_protein", "g/dL", 2.43)),
        # 7.9 * 1.6114 = 12.73 g/dL, within 0.05 + 0.08 of 12.8.
        (HEMOGLOBIN, ("7.9", "mmol/L"), ("12.8", "g/dL"), ("hemoglobin", "g/dL", 12.8)),
        (HEMOGLOBIN, ("12", "g/dL"), ("12.4", "g/dL"), ("hemoglobin", "g/dL", 12.4)),
    ],
)
@pytest.mark.parametrize("exact_first", [True, False])
def test_one_result_in_two_units_is_its_most_exact_value(
    of_one_day, values, code, coarse, exact, used, exact_first
):
    name, unit, value = used
    rows = of_one_day(code, *((exact, coarse) if exact_first else (coarse, exact)))
    assert not check(rows).refusals()
    assert values(rows) == {(name, unit): [value]}
    assert [(p.row, p.field, p.severity, p.expected) for p in rows.problems] == [
        (
            3 if exact_first else 2,
            name,
            "doubted",
            "agrees, within its rounding, with a more exact value of that day; it was left out",
        )
    ]


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        # 103 / 88.42 = 1.165 mg/dL, beyond 0.05 + 0.006 of 1.1.
        (CREATININE, ("1.1", "mg/dL"), ("103", "umol/L")),
        # 94 / 88.42 = 1.063 mg/dL is printed as 1.1, and not as 1.10.
        (CREATININE, ("1.10", "mg/dL"), ("94", "umol/L")),
        (CREATININE, ("1.1", "mg/dL"), ("1.2", "mg/dL")),
        (M_PROTEIN, ("24", "g/L"), ("25", "g/L")),
        (M_PROTEIN, ("2.4", "g/dL"), ("25", "g/L")),
        # A tenfold slip of unit.
        (M_PROTEIN, ("2.4", "g/dL"), ("2.4", "g/L")),
        # An exponent says nothing of digits beyond a whole number.
        (HEMOGLOBIN, ("1.2e2", "g/L"), ("131", "g/L")),
    ],
)
def test_two_results_that_rounding_does_not_explain_are_a_contradiction(
    of_one_day, code, one, other
):
    for given in ((one, other), (other, one)):
        (reason,) = check(of_one_day(code, *given)).refusals().values()
        assert "is given twice for this day with different values" in reason


def test_a_third_value_that_agrees_with_neither_stays_a_contradiction(of_one_day):
    given = (("1.1", "mg/dL"), ("97", "umol/L"), ("1.30", "mg/dL"))
    assert check(of_one_day(CREATININE, *given)).refusals()


def test_equal_values_in_two_units_count_once(of_one_day):
    visits = check(of_one_day(M_PROTEIN, ("2.4", "g/dL"), ("24", "g/L")))
    assert not visits.refusals()
    assert visits.history.labs["m_protein"].tolist() == [2.4]
    (finding,) = visits.findings
    assert "with the same value; it counts once" in str(finding)


def test_a_unit_that_is_not_known_is_still_refused_beside_one_that_is(of_one_day):
    rows = of_one_day(CREATININE, ("1.1", "mg/dL"), ("97", "mol"))
    (reason,) = check(rows).refusals().values()
    assert "unit is not understood" in reason
