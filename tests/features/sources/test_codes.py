"""A site's own codes: each names one analyte of the catalogue, or the file is refused."""

import pytest

from features.errors import InputError
from features.sources.codes import read_codes


def test_without_a_file_there_are_no_codes():
    assert read_codes(None) == {}


def test_a_code_names_an_analyte(written):
    codes = read_codes(written("analyte,code,remark\nm_protein,LAB-17,x\n"))
    assert {code: analyte.name for code, analyte in codes.items()} == {"LAB-17": "m_protein"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code,test\nA,ldh\n", r"row 1, header: has no column 'analyte'"),
        ("code,analyte\nA,ldh\nB,sodium\n", r"row 3, analyte: is not in the catalogue"),
        ("code,analyte\nA,ldh\nA,b2m\n", r"row 3, code: is given twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_row(written, content, message):
    with pytest.raises(InputError, match=message):
        read_codes(written(content))
