"""What is refused, what is doubted, and that others are answered beside a refused neighbour."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import KAPPA, LAMBDA
from features.labs import Problem
from features.visits import check

M, LITRE = ("m_protein", "g/dL"), ("m_protein", "g/L")
KAPPA_FLC, LAMBDA_FLC = ("kappa_flc", "mg/L"), ("lambda_flc", "mg/L")


def messages(visits):
    return [(f.subject, f.row, f.severity, str(f)) for f in visits.findings]


def test_values_are_held_in_canonical_units_sorted_by_subject_and_time(build_rows):
    visits = check(build_rows([1, 0, 0], [2.0, 1.0, 0.0], {LITRE: [30.0, 24.0, 12.0]}))
    history = visits.history
    assert history.subject.tolist() == [0, 0, 1]
    assert history.time_years.tolist() == [0.0, 1.0, 2.0]
    assert history.labs["m_protein"].tolist() == [1.2, 2.4, 3.0]
    assert visits.visit_of_row.tolist() == [2, 1, 0]


def test_an_impossible_value_refuses_its_subject_and_names_the_likely_unit(build_rows):
    visits = check(build_rows([0, 0, 1], [0, 1, 0], {("hemoglobin", "g/dL"): [13.0, 128.0, 14.0]}))
    assert messages(visits) == [
        (
            0,
            3,
            "refused",
            "row 3, hemoglobin in g/dL: must lie within 3-22 g/dL; it looks like a value in g/L",
        )
    ]
    assert visits.history.subject.tolist() == [1]
    assert visits.visit_of_row.tolist() == [-1, -1, 0]
    assert list(visits.refusals()) == [0]


@pytest.mark.parametrize("value", [0.0, 10.0])
def test_the_ends_of_the_possible_range_are_possible(build_rows, value):
    assert not check(build_rows([0], [0], {M: [value]})).refusals()


@pytest.mark.parametrize("value", [-0.1, np.nextafter(10.0, 11.0), 1e300])
def test_beyond_the_possible_range_is_refused(build_rows, value):
    assert list(check(build_rows([0], [0], {M: [value]})).refusals()) == [0]


def test_an_unusual_value_is_answered_and_wants_confirming(build_rows):
    visits = check(build_rows([0], [0], {M: [6.5]}))
    assert messages(visits) == [
        (0, 2, "doubted", "row 2, m_protein in g/dL: is unusual (above 6 g/dL); confirm it")
    ]
    assert visits.history.visits == 1


def test_an_analyte_without_a_usual_range_is_never_unusual(build_rows):
    assert not check(build_rows([0], [0], {("igg", "mg/dL"): [14_000.0]})).findings


def test_a_visit_in_the_future_is_refused_and_today_is_not(build_rows):
    rows = build_rows([0, 1], [54.0, 54.1], {M: [2.0, 2.0]}, dated=True)
    visits = check(rows, as_of_years=54.0)
    assert [(f.subject, f.field) for f in visits.findings] == [(1, "date")]
    assert "lies in the future" in visits.findings[0].message
    assert not check(rows).findings


def test_years_since_diagnosis_have_no_today(build_rows):
    assert not check(build_rows([0], [54.1], {M: [2.0]}), as_of_years=54.0).findings


def test_a_visit_two_generations_before_the_diagnosis_is_refused(build_rows):
    visits = check(build_rows([0, 1], [-59.0, -61.0], {M: [2.0, 2.0]}))
    assert list(visits.refusals()) == [1]


def test_different_values_on_one_day_are_refused(build_rows):
    visits = check(build_rows([0, 0, 1], [1, 1, 1], {M: [2.0, 2.1, 2.0]}))
    assert messages(visits) == [
        (
            0,
            3,
            "refused",
            "row 3, m_protein in g/dL: is given twice for this day with different values; keep one",
        )
    ]


def test_the_same_value_twice_on_one_day_counts_once_and_is_named(build_rows):
    visits = check(build_rows([0, 0], [1, 1], {M: [2.0, 2.0]}))
    assert visits.history.visits == 1
    assert [(f.row, f.severity) for f in visits.findings] == [(3, "doubted")]


def test_different_tests_on_one_day_are_one_visit(build_rows):
    nan = np.nan
    rows = build_rows([0, 0], [1, 1], {M: [2.0, nan], ("hemoglobin", "g/dL"): [nan, 13.0]})
    visits = check(rows)
    assert visits.history.visits == 1
    assert not visits.findings
    assert visits.visit_of_row.tolist() == [0, 0]


def test_one_value_through_two_units_is_one_value(build_rows):
    # 12.34 mg/L is 1.234 mg/dL; times ten in binary they differ in the last digit.
    rows = build_rows([0], [0], {KAPPA_FLC: [12.34], ("kappa_flc", "mg/dL"): [1.234]})
    visits = check(rows)
    assert [f.severity for f in visits.findings] == ["doubted"]
    other = check(build_rows([0], [0], {KAPPA_FLC: [12.34], ("kappa_flc", "mg/dL"): [1.24]}))
    assert list(other.refusals()) == [0]


@pytest.mark.parametrize(
    ("age", "severity"), [(17.9, "refused"), (25.0, "doubted"), (60.0, None), (110.1, "refused")]
)
def test_age_is_possible_and_usual(build_rows, age, severity):
    findings = check(build_rows([0], [0], {M: [2.0]}, age=[age])).findings
    assert [f.severity for f in findings] == ([severity] if severity else [])


def test_a_subject_without_a_value_is_refused_and_others_answered(build_rows):
    visits = check(build_rows([0, 1], [0, 0], {M: [np.nan, 2.0]}))
    assert visits.refusals() == {0: "visits: hold no usable laboratory value"}
    assert visits.history.subject.tolist() == [1]


def test_a_reported_ratio_is_held_against_its_chains(build_rows):
    # kappa/lambda is 10; a reported 11.5 is 15 % away, 10.5 is 5 % away.
    rows = build_rows(
        [0, 1],
        [0, 0],
        {
            KAPPA_FLC: [100.0, 100.0],
            LAMBDA_FLC: [10.0, 10.0],
            ("flc_ratio_kappa_lambda", "1"): [11.5, 10.5],
        },
    )
    findings = check(rows).findings
    assert [(f.subject, f.field, f.severity) for f in findings] == [
        (0, "flc_ratio_kappa_lambda", "doubted")
    ]


def test_kappa_over_lambda_is_never_taken_for_the_involved_ratio(build_rows):
    rows = build_rows(
        [0, 1, 2],
        [0, 0, 0],
        {("flc_ratio_kappa_lambda", "1"): [0.05, 0.05, 20.0]},
        light_chain=[LAMBDA, KAPPA, LAMBDA],
    )
    history = check(rows).history
    np.testing.assert_allclose(history.labs["flc_ratio_involved"], [20.0, 0.05, 0.05])


def test_a_typed_chain_is_known_without_the_other_whoever_else_is_there(build_rows):
    # Typed kappa and kappa alone measured: it is the involved chain, the uninvolved is unknown.
    typed = np.array([0, 0], dtype=np.int8)
    together = build_rows([0, 1], [0, 0], {KAPPA_FLC: [120.0, 80.0], LAMBDA_FLC: [np.nan, 10.0]})
    alone = build_rows([0], [0], {KAPPA_FLC: [120.0]})
    for rows, chains in ((together, typed), (alone, typed[:1])):
        labs = check(dataclasses.replace(rows, light_chain=chains)).history.labs
        assert labs["involved_flc"][0] == 120.0
        assert np.isnan(labs["uninvolved_flc"][0])
        assert np.isnan(labs["flc_ratio_involved"][0])


def test_a_problem_of_the_reader_refuses_its_subject_alone(build_rows):
    rows = dataclasses.replace(
        build_rows([0, 1], [0, 0], {M: [2.0, 2.0]}),
        problems=(
            Problem(0, 2, "sex", "is not understood"),
            Problem(1, 3, "ldh", "is a bound", "doubted"),
        ),
    )
    visits = check(rows)
    assert visits.refusals() == {0: "row 2, sex: is not understood"}
    assert [f.severity for f in visits.findings] == ["refused", "doubted"]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 20),
        st.one_of(st.just(np.nan), st.integers(-1, 110).map(lambda tenths: tenths / 10)),
    ),
    min_size=1,
    max_size=15,
    unique_by=lambda row: row[:2],
)


def built(build_rows, rows):
    subjects = 4
    full = build_rows(
        [s for s, _, _ in rows], [m / 12 for _, m, _ in rows], {M: [v for _, _, v in rows]}
    )
    unknown = np.full(subjects, -1, dtype=np.int8)
    return dataclasses.replace(
        full,
        subject_ids=tuple(f"S{i}" for i in range(subjects)),
        sex=unknown,
        heavy_chain=unknown,
        light_chain=unknown,
        diagnosis_years=np.zeros(subjects),
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(build_rows, rows, random):
    visits = check(built(build_rows, rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    other = check(built(build_rows, shuffled))
    for name, values in visits.history.labs.items():
        np.testing.assert_array_equal(values, other.history.labs[name])
    np.testing.assert_array_equal(visits.history.subject, other.history.subject)
    assert sorted(visits.refusals()) == sorted(other.refusals())
    where = {row[:2]: place for row, place in zip(shuffled, other.visit_of_row, strict=True)}
    assert [where[row[:2]] for row in rows] == visits.visit_of_row.tolist()


@given(ROWS)
def test_a_subject_alone_is_what_it_is_among_others(build_rows, rows):
    together = check(built(build_rows, rows))
    for subject in range(4):
        own = [row for row in rows if row[0] == subject]
        if not own:
            continue
        alone = check(built(build_rows, own))
        here = together.history.subject == subject
        np.testing.assert_array_equal(
            together.history.labs["m_protein"][here],
            alone.history.labs["m_protein"],
        )
        assert (subject in together.refusals()) == (subject in alone.refusals())


@given(ROWS)
def test_every_row_becomes_a_visit_with_its_value_or_belongs_to_a_refused_subject(build_rows, rows):
    visits = check(built(build_rows, rows))
    refused = visits.refusals()
    for (subject, month, value), visit in zip(rows, visits.visit_of_row, strict=True):
        assert (visit == -1) == (subject in refused)
        if visit != -1:
            assert visits.history.subject[visit] == subject
            assert visits.history.time_years[visit] == month / 12
            np.testing.assert_equal(visits.history.labs["m_protein"][visit], value)


def test_findings_come_in_the_order_of_the_source(build_rows):
    nan = np.nan
    rows = build_rows(
        [0, 1, 2],
        [0, 0, 0],
        {("hemoglobin", "g/dL"): [13.0, nan, 130.0], M: [11.0, nan, 2.0]},
        age=[60.0, 60.0, 12.0],
    )
    assert [f.row for f in check(rows).findings] == [2, 4, 4, None]
