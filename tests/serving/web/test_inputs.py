import msgspec
from msgspec import UNSET

from serving.request import GivenValue
from serving.values import Input
from serving.web.inputs import given_lines, input_rows
from serving.web.texts import texts

ENGLISH = texts("en")

PROTEIN = Input("m_protein", "2025-03-04", GivenValue(21.0, "g/L"), 2.1, "g/dL")
LATER = msgspec.structs.replace(
    PROTEIN, date="2025-09-09", used=2.4, flag="is unusual (above 50\xa0g/L)"
)
FILTRATION = Input(
    "egfr", UNSET, None, 71.2, "mL/min/{1.73_m2}", "CKD-EPI 2021 from creatinine, age and sex"
)


def test_a_value_is_shown_as_given_and_as_used() -> None:
    first, later, computed = input_rows([PROTEIN, LATER, FILTRATION], ENGLISH)
    assert (first.date, first.given, first.used) == ("2025-03-04", "21\xa0g/L", "2.1\xa0g/dL")
    assert (first.computed, first.doubt) == ("", "")
    assert later.doubt == "is unusual (above 50\xa0g/L)"
    assert (computed.date, computed.given) == ("", "")
    assert computed.computed == "CKD-EPI 2021 from creatinine, age and sex"
    assert computed.used == "71.2\xa0mL/min/1.73 m²"


def test_a_person_is_told_by_the_latest_value_of_each_test() -> None:
    asked = {"subject": {"sex": "female", "age": 61.0}}
    lines = given_lines(asked, {"inputs": [LATER, PROTEIN]}, ENGLISH)
    assert lines == ["Sex female", "Age 61", "Serum M-protein 2.4\xa0g/dL (2025-09-09)"]
