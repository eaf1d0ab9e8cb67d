"""M-proteins of FHIR that are given band by band."""

import pytest


@pytest.fixture
def first(observation):
    return observation("51435-6", 12, "g/L")


@pytest.fixture
def second(observation):
    """A second band of M-protein: LOINC 35559-4."""

    def second(value, **more):
        return observation("35559-4", value, "g/L", **more)

    return second


def faults(rows):
    return [(p.row, p.field, p.severity, p.expected.split(";")[0]) for p in rows.problems]


def test_the_only_band_is_the_m_protein(read, patient, first, values):
    rows = read(patient, first)
    assert values(rows) == {("m_protein", "g/L"): [12.0]}
    assert not rows.problems


def test_one_band_of_two_is_not_the_m_protein(read, patient, first, second):
    rows = read(patient, first, second(8))
    assert not rows.columns
    assert faults(rows) == [
        (2, "m_protein", "doubted", "is one of several bands"),
        (3, "Observation.code", "doubted", "is a second band, which nothing is added to"),
    ]


def test_a_second_band_of_another_day_or_of_nothing_takes_nothing_away(
    read, patient, first, second, values
):
    other = second(8, effectiveDateTime="2024-03-05")
    for band in (other, second(0)):
        assert values(read(patient, first, band)) == {("m_protein", "g/L"): [12.0]}


def test_the_sum_counts_beside_its_bands(read, patient, observation, first, second, values):
    # The sum was written first by the clock: a band that comes later does not replace it.
    later = {**first, "effectiveDateTime": "2024-01-05T23:45:00-05:00"}
    rows = read(patient, observation(value=20), later, second(8))
    assert values(rows) == {("m_protein", "g/L"): [20.0]}
    assert (
        3,
        "m_protein",
        "doubted",
        "is one band of an M-protein whose sum is given as well",
    ) in faults(rows)
