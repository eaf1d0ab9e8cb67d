import pytest

from serving.web.labels import field_label, model_label
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


def test_a_challenger_says_that_it_is_one_and_a_model_of_ones_own_has_its_own_label() -> None:
    entry = {"model": "mgus-progression@challenger", "label": "MGUS progression"}
    assert model_label(entry, ENGLISH) == "Learned MGUS (challenger)"
    assert model_label({"model": "ours", "label": "Our own"}, ENGLISH) == "Our own"
