import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.analytes import ANALYTES
from serving.request import read_batch, read_risk

Body = dict[str, Any]


def test_the_example_reads_without_a_problem(body: Body) -> None:
    request, options = read_risk(body)
    assert request.problems == options.problems == ()
    assert [len(visit.values) for visit in request.visits] == [3, 6]
    assert request.age == 61
    assert math.isnan(request.birth_year)


@pytest.mark.parametrize("value", ["1.5", True, None, [24], {"value": 24}])
def test_nothing_is_coerced_to_a_number(body: Body, value: object) -> None:
    body["visits"][1]["labs"]["m_protein"]["value"] = value
    request, _ = read_risk(body)
    assert [problem.field for problem in request.problems] == ["visits[1].labs.m_protein.value"]
    assert request.malformed


@pytest.mark.parametrize("day", ["2025-02-30", "09.09.2025", "2025-9-9", "20250909", "1899-12-31"])
def test_a_day_that_is_none_is_impossible_not_malformed(body: Body, day: str) -> None:
    body["visits"][0]["date"] = day
    request, _ = read_risk(body)
    assert [problem.field for problem in request.problems] == ["visits[0].date"]
    assert not request.malformed


@pytest.mark.parametrize("unit", ["mg/dl", "", "µg/L", "%"])
def test_an_unknown_unit_lists_what_is_accepted(body: Body, unit: str) -> None:
    body["visits"][1]["labs"]["m_protein"]["unit"] = unit
    request, _ = read_risk(body)
    (problem,) = request.problems
    assert problem.field == "visits[1].labs.m_protein.unit"
    assert "g/dL, g/L, mg/dL" in problem.expected
    assert not request.malformed


def test_a_missing_unit_is_never_guessed(body: Body) -> None:
    del body["visits"][1]["labs"]["kappa_flc"]["unit"]
    request, _ = read_risk(body)
    (problem,) = request.problems
    assert problem.expected == "has no unit; give one of mg/L, mg/dL, g/L"


def test_every_problem_is_listed_not_only_the_first(body: Body) -> None:
    body["subject"] |= {"sex": "f", "heavy_chain": "IgX", "colour": "red"}
    body["visits"][0]["date"] = "yesterday"
    body["visits"][1]["labs"]["haemoglobin"] = {"value": 12, "unit": "g/dL"}
    body["visits"][1]["labs"]["bmpc"]["unit"] = "percent"
    request, _ = read_risk(body)
    assert {problem.field for problem in request.problems} == {
        "subject.sex",
        "subject.heavy_chain",
        "subject.colour",
        "visits[0].date",
        "visits[1].labs.haemoglobin",
        "visits[1].labs.bmpc.unit",
    }


@pytest.mark.parametrize("name", ["subject", "visits"])
def test_a_missing_part_is_malformed_and_named(body: Body, name: str) -> None:
    del body[name]
    request, _ = read_risk(body)
    assert [(problem.field, problem.expected) for problem in request.problems] == [
        (name, "is required")
    ]
    assert request.malformed


@pytest.mark.parametrize("given_", [{}, {"age": 61, "birth_year": 1964}])
def test_age_or_birth_year_is_given_once(body: Body, given_: Body) -> None:
    body["subject"] = {"sex": "male", **given_}
    request, _ = read_risk(body)
    assert [problem.field for problem in request.problems] == ["subject.age"]


@pytest.mark.parametrize(
    ("faulty", "kept"),
    [
        ({"date": "2025-09-10", "labs": {"bmpc": {"value": 22, "unit": "percent"}}}, 3),
        ({"date": "2025-02-30", "labs": {}}, 2),
        ("no visit", 2),
    ],
)
def test_a_visit_is_read_alike_among_faulty_ones(body: Body, faulty: object, kept: int) -> None:
    alone, _ = read_risk(body)
    among, _ = read_risk(body | {"visits": [*body["visits"], faulty]})
    assert among.problems and len(among.visits) == kept
    for one, same in zip(alone.visits, among.visits, strict=False):
        assert one == same
        assert all(type(given.value) is float for _, given in (*one.values, *same.values))


def test_options_name_models_and_intervals(body: Body) -> None:
    _, options = read_risk(body | {"models": ["20-2-20"], "intervals": False})
    assert options.models == ("20-2-20",)
    assert not options.intervals
    _, wrong = read_risk(body | {"models": "20-2-20", "intervals": 1})
    assert {problem.field for problem in wrong.problems} == {"models", "intervals"}


def test_a_subject_of_a_batch_keeps_its_problems_to_itself(body: Body) -> None:
    batch = read_batch({"subjects": [body, {"subject": 3}, body]})
    assert [bool(subject.problems) for subject in batch.subjects] == [False, True, False]
    assert batch.options.problems == ()


def test_a_batch_has_at_most_a_thousand_subjects(body: Body) -> None:
    batch = read_batch({"subjects": [body] * 1001})
    assert [problem.field for problem in batch.options.problems] == ["subjects"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["subject", "visits", "date", "labs", "value", "unit", "sex", "age", *ANALYTES]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(json_values)
def test_any_json_is_read_or_named_as_a_problem(document: object) -> None:
    request, options = read_risk(document)
    assert request.problems or options.problems or request.visits
