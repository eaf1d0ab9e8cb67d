import pytest

from features.analytes import ANALYTES
from features.errors import FieldProblem
from serving.request import read_risk
from serving.web.form import EXAMPLE, FEWEST_COLUMNS, GROUPS, MOST_COLUMNS, read_form


def test_every_analyte_of_the_catalogue_is_a_row_once() -> None:
    rows = [analyte.name for group in GROUPS.values() for analyte in group]
    assert sorted(rows) == sorted(ANALYTES)


def test_the_example_is_a_request_without_problems() -> None:
    form = read_form(EXAMPLE)
    request, _ = read_risk(form.document)
    assert form.problems == request.problems == ()
    assert len(request.visits) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [("2.4", 2.4), (" 24 ", 24.0), ("2,4", 2.4), ("0,4567", 0.4567), (".5", 0.5), ("-1", -1.0)],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    form = read_form({"visits[0].date": "2025-01-01", "visits[0].labs.m_protein.value": text})
    assert form.problems == ()
    assert form.document["visits"][0]["labs"]["m_protein"]["value"] == value


@pytest.mark.parametrize("text", ["1,234", "two", "1e3", "2.4 g/dL", "nan", "٣", "<0.5"])
def test_what_could_be_two_numbers_or_none_is_asked_again(text: str) -> None:
    form = read_form({"visits[0].date": "2025-01-01", "visits[0].labs.m_protein.value": text})
    assert [problem.field for problem in form.problems] == ["visits[0].labs.m_protein.value"]


def test_an_empty_column_is_no_visit_and_problems_keep_their_column() -> None:
    form = read_form(
        {
            "visits[0].date": "",
            "visits[1].date": "2025-01-01",
            "visits[1].labs.bmpc.value": "12",
            "units.bmpc": "%",
        }
    )
    assert len(form.document["visits"]) == 1
    told = form.named(FieldProblem("visits[0].labs.bmpc.value", "must be so"))
    assert told.field == "visits[1].labs.bmpc.value"


def test_a_problem_of_a_unit_belongs_to_the_unit_of_its_row() -> None:
    form = read_form({"visits[0].date": "2025-01-01", "visits[0].labs.bmpc.value": "12"})
    assert form.named(FieldProblem("visits[0].labs.bmpc.unit", "x")).field == "units.bmpc"


def test_adding_a_visit_shows_one_more_column_up_to_a_limit() -> None:
    assert read_form({}).columns == FEWEST_COLUMNS
    shown = {"visits[4].date": ""}
    assert read_form(shown).columns == 5
    assert read_form(shown | {"action": "add"}).columns == 6
    assert read_form({"visits[999].date": ""}).columns == MOST_COLUMNS


def test_a_problem_names_no_field_that_the_form_has_not() -> None:
    form = read_form({"subject.sex": "female", "visits[0].date": "2025-01-01"})
    (age,) = [p for p in read_risk(form.document)[0].problems if p.field == "subject.age"]
    assert "birth_year" in age.expected
    assert form.named(age).expected == "is required"
