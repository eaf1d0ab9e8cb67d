import pytest

from features.analytes import ANALYTES
from serving.drift import BINS, EDGES, bins_of


@pytest.mark.parametrize(
    ("analyte", "value", "expected"),
    [
        # Haemoglobin, usual 6-18.5 g/dL: steps of 1.25; 12.25 begins the sixth.
        ("hemoglobin", 5.99, "below"),
        ("hemoglobin", 6.0, "1"),
        ("hemoglobin", 12.24, "5"),
        ("hemoglobin", 12.25, "6"),
        ("hemoglobin", 18.5, "10"),
        ("hemoglobin", 18.51, "above"),
        # Kappa, usual 0.5-10,000 mg/L: twenty-thousandfold, steps of 20,000^(1/10) = 2.692 each;
        # the middle, sqrt(0.5 * 10,000) = 70.7, ends the fifth.
        ("kappa_flc", 70.6, "5"),
        ("kappa_flc", 70.8, "6"),
        # M-protein, usual up to 6 and possible from 0 g/dL.
        ("m_protein", 0.0, "1"),
        ("m_protein", 2.4, "5"),
    ],
)
def test_a_value_falls_into_a_tenth_of_its_usual_range(
    analyte: str, value: float, expected: str
) -> None:
    assert bins_of(analyte, [value, value]) == {expected: 2}


def test_every_analyte_has_rising_edges() -> None:
    for name in ANALYTES:
        edges = EDGES[name]
        assert len(edges) == len(BINS) - 1
        assert list(edges) == sorted(set(edges)), name
