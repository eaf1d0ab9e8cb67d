import pytest

from serving.web.numbers import percent, quantity, span, within_label, years_label
from serving.web.texts import texts

ENGLISH, GERMAN = texts("en"), texts("de")


@pytest.mark.parametrize(
    ("risk", "text"),
    [
        (0.0, "0.0\xa0%"),
        (0.0004, "< 0.1\xa0%"),
        (0.062, "6.2\xa0%"),
        (0.0994, "9.9\xa0%"),
        (0.0996, "10\xa0%"),
        (0.442, "44\xa0%"),
        (0.994, "99\xa0%"),
        (0.9951, "> 99\xa0%"),
        (0.9999, "> 99\xa0%"),
        (1.0, "100\xa0%"),
        (None, "–"),
    ],
)
def test_risks_are_read_in_percent(risk: float | None, text: str) -> None:
    assert percent(risk, ENGLISH) == text
    assert percent(risk, GERMAN) == text.replace(".", ",")


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (0.0, 1.0, "0.0–100\xa0%"),
        (0.0004, 0.9996, "< 0.1 to > 99\xa0%"),
        (0.6, 0.9996, "60 to > 99\xa0%"),
        (0.9996, 1.0, "> 99 to 100\xa0%"),
        (0.9961, 0.9996, "> 99\xa0%"),
    ],
)
def test_a_range_says_0_or_100_percent_only_where_an_end_is_just_that(
    lower: float, upper: float, text: str
) -> None:
    assert span(lower, upper, ENGLISH) == text


def test_a_value_has_the_digits_of_a_laboratory_and_its_unit() -> None:
    assert quantity(0.90476, "mg/dL", ENGLISH) == "0.905\xa0mg/dL"
    assert quantity(80.0, "umol/L", GERMAN) == "80\xa0µmol/L"
    assert quantity(27.368, "1", GERMAN) == "27,4"
    assert quantity(12345.6, "mg/L", ENGLISH) == "12346\xa0mg/L"


def test_horizons_and_ranges_are_words_of_the_language() -> None:
    assert [years_label(n, GERMAN) for n in (1, 2, 2.5)] == ["1 Jahr", "2 Jahre", "2,5 Jahre"]
    assert [within_label(n, GERMAN) for n in (1, 2)] == ["binnen 1 Jahr", "binnen 2 Jahren"]
    assert within_label(5, ENGLISH) == "within 5 years"
    assert span(0.059, 0.283, GERMAN) == "5,9–28\xa0%"
