import pytest

from serving.web.echo import day_echo, row_echo
from serving.web.form import read_form
from serving.web.texts import texts

ENGLISH, GERMAN = texts("en"), texts("de")


def typed(name: str, unit: str, *values: str) -> dict[str, str]:
    row = {f"visits[{i}].labs.{name}.value": value for i, value in enumerate(values)}
    return {f"units.{name}": unit, **row}


def test_converted_values_are_shown_in_the_order_of_the_visits() -> None:
    form = read_form(typed("m_protein", "g/L", "19", "", "24"))
    assert row_echo(form, "m_protein", ENGLISH).values == "1.9 · 2.4\xa0g/dL"
    assert row_echo(form, "m_protein", GERMAN).values == "1,9 · 2,4\xa0g/dL"


def test_a_value_in_the_unit_the_models_read_is_not_repeated() -> None:
    assert row_echo(read_form(typed("m_protein", "g/dL", "2.4")), "m_protein", ENGLISH).values == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        # haemoglobin in g/L: possible 30-220, usual 60-185
        ("134", ()),
        ("55", ("Unusually low (below 60\xa0g/L) – please confirm.",)),
        ("190", ("Unusually high (above 185\xa0g/L) – please confirm.",)),
        ("1240", ("Impossible: above 220\xa0g/L. Is the unit right?",)),
        ("12.4", ("Impossible: below 30\xa0g/L. Is the unit right?",)),
    ],
)
def test_bounds_are_told_in_the_unit_typed(value: str, said: tuple[str, ...]) -> None:
    form = read_form(typed("hemoglobin", "g/L", value))
    assert row_echo(form, "hemoglobin", ENGLISH).doubts == said


def test_what_is_no_number_or_no_unit_is_not_echoed() -> None:
    assert not row_echo(read_form(typed("bmpc", "%", "many")), "bmpc", ENGLISH).values
    assert not row_echo(read_form(typed("bmpc", "furlong", "12")), "bmpc", ENGLISH).values


@pytest.mark.parametrize(
    ("text", "values", "doubts"),
    [
        ("2026-03-14", "", 0),
        ("", "", 0),
        ("14. März 2026", "2026-03-14", 0),
        ("03/04/2026", "", 1),
    ],
)
def test_a_day_is_echoed_where_it_was_written_otherwise(
    text: str, values: str, doubts: int
) -> None:
    echo = day_echo({"as_of": text}, "as_of", ENGLISH)
    assert (echo.values, len(echo.doubts)) == (values, doubts)
