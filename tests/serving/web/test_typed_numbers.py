import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.web.form import read_form
from serving.web.typed_numbers import NO_NUMBER, typed_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.234.567", 1234567),
        ("1 024", 1024),
        ("1\u202f024,5", 1024.5),
        ("1'024.5", 1024.5),
        ("1’024", 1024),
        ("0,123", 0.123),
        ("-0,5", -0.5),
        ("−2", -2),
        (",5", 0.5),
        ("12,", NO_NUMBER),
        ("1.23,4", NO_NUMBER),
        ("1 02", NO_NUMBER),
        ("1 024 5", NO_NUMBER),
        (">312", NO_NUMBER),
        ("24 g/L", NO_NUMBER),
        ("٢٤", NO_NUMBER),
        ("9" * 21, NO_NUMBER),
    ],
)
def test_thousands_and_decimals_are_read_where_signs_tell_them_apart(
    text: str, value: float | str
) -> None:
    assert typed_number(text, commas=False) == value


@given(st.integers(1_000, 999_999_999), st.booleans())
def test_a_whole_number_comes_back_however_its_thousands_are_parted(
    number: int, commas: bool
) -> None:
    for sign in (" ", "\u00a0", "'", ""):
        assert typed_number(f"{number:,}".replace(",", sign), commas=commas) == number


def labs(*kappas: str, creatinine: str) -> tuple[list[float], list[str]]:
    """What a form reads in a row of kappa light chains, and what it asks about."""
    typed = {f"visits[{i}].labs.kappa_flc.value": text for i, text in enumerate(kappas)}
    form = read_form(typed | {"visits[0].labs.creatinine.value": creatinine})
    read = [
        visit["labs"]["kappa_flc"]["value"]
        for visit in form.document["visits"]
        if "kappa_flc" in visit["labs"]
    ]
    return read, [problem.expected for problem in form.problems]


def test_what_alone_could_be_two_numbers_is_read_as_the_others_of_the_form_are_written() -> None:
    # 1234 mg/L of kappa light chains is common, and so is 1.234: a sign misread is a thousandfold.
    asked = ["could be a decimal comma or thousands; write it with a point"]
    assert labs("1,234", creatinine="0.9") == ([], asked)
    assert labs("1,234", creatinine="0,9") == ([1.234], [])
    assert labs("1.234", creatinine="0.9") == ([1.234], [])
    alike = ["has a point where other numbers have a decimal comma; write them alike"]
    assert labs("1.234", creatinine="0,9") == ([], alike)
    assert labs("1.234,5", "312", creatinine="0,9") == ([1234.5, 312], [])
