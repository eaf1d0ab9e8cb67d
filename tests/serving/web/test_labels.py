import pytest

from serving.web.labels import field_label
from serving.web.texts import texts

ENGLISH = texts("en")


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("visits[2].labs.hemoglobin.value", "Haemoglobin, Visit 3"),
        ("visits[0].date", "Date, Visit 1"),
        ("subject.age", "Age"),
        ("gate.treated", "Treated for plasma-cell disease already"),
        ("as_of", "Risk asked at"),
        ("units.bmpc", "Clonal bone-marrow plasma cells"),
    ],
)
def test_a_field_has_the_name_that_stands_at_it(field: str, label: str) -> None:
    assert field_label(field, ENGLISH) == label
