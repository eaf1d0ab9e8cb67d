"""Stacked landmark rows: what was known, and what followed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.errors import DesignError
from training.cohorts import Cohort
from training.landmarks import training_set
from training.study import Study


def _cohort(
    visits: list[tuple[str, float, float]], outcomes: list[tuple[str, float, int]]
) -> Cohort:
    """Visits as (subject, years, M-protein); everything else that 20/2/20 needs held constant."""
    table = pd.DataFrame(visits, columns=["subject_id", "years", "m_protein_g_dl"])
    table["flc_ratio_involved"], table["bmpc_percent"], table["age"] = 10.0, 15.0, 60.0
    return Cohort(
        "drawn",
        "real",
        table,
        pd.DataFrame(outcomes, columns=["subject_id", "duration_years", "event"]),
    )


def test_a_subject_enters_at_every_landmark_at_which_it_is_at_risk_and_was_seen(smm: Study) -> None:
    rows = training_set(
        _cohort(
            [("a", 0.0, 1.0), ("a", 0.9, 1.4), ("b", 1.5, 2.0)],
            [("a", 2.0, 1), ("b", 2.5, 0)],
        ),
        smm,
    )
    # a: landmarks 0 and 1 (its event at 2.0 is not after landmark 2); b: first seen at 1.5, so 2.
    assert rows.subject.tolist() == [0, 0, 1]
    assert rows.landmark_years.tolist() == [0.0, 1.0, 2.0]
    assert rows.duration_years.tolist() == [2.0, 1.0, 0.5]
    assert rows.event.tolist() == [1, 1, 0]
    assert rows.columns(("m_protein_g_dl",))[:, 0].tolist() == [1.0, 1.4, 2.0]


def test_values_after_the_landmark_change_nothing(simulated: Cohort, smm: Study) -> None:
    at_start = replace(smm, landmarks_years=(0.0, 1.0))
    before = training_set(simulated, at_start)
    later = simulated.visits.copy()
    shifted = later["years"] > 1.0
    later.loc[shifted, "m_protein_g_dl"] = 6.0
    after = training_set(replace(simulated, visits=later), at_start)
    np.testing.assert_array_equal(before.values, after.values)


def test_rows_without_a_necessary_feature_are_counted_and_left_out(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 1.0), ("b", 0.0, np.nan)], [("a", 3.0, 0), ("b", 3.0, 0)])
    rows = training_set(cohort, smm)
    assert set(rows.subject.tolist()) == {0}
    assert rows.left_out == 3


def test_a_subject_with_an_impossible_value_is_counted_as_refused(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 1.0), ("b", 0.0, 24.0)], [("a", 3.0, 0), ("b", 3.0, 0)])
    assert training_set(cohort, smm).refused == 1


def test_a_cohort_without_the_necessary_analyte_is_refused(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, np.nan)], [("a", 3.0, 0)])
    with pytest.raises(DesignError, match="m_protein_g_dl"):
        training_set(cohort, smm)


def test_a_cohort_without_an_analyte_of_the_rule_is_told_which(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 1.0)], [("a", 3.0, 0)])
    with pytest.raises(DesignError, match="bmpc_percent"):
        training_set(replace(cohort, visits=cohort.visits.drop(columns="bmpc_percent")), smm)


def test_a_misspelt_column_is_named_when_nobody_has_the_test(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 1.0)], [("a", 3.0, 0)])
    misspelt = cohort.visits.rename(columns={"m_protein_g_dl": "m_proteine_g_dl"})
    expected = "never measured: m_protein_g_dl; column 'm_proteine_g_dl' is not used"
    with pytest.raises(DesignError, match=expected):
        training_set(replace(cohort, visits=misspelt.assign(centre="Ulm")), smm)


def test_a_column_in_another_unit_is_named_when_everybody_is_refused_for_it(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 18.0), ("b", 0.0, 24.0)], [("a", 3.0, 0), ("b", 3.0, 0)])
    expected = r"2 of 2 subjects refused, most often: m_protein_g_dl .* looks like a value in g/L"
    with pytest.raises(DesignError, match=expected):
        training_set(cohort, smm)


def test_the_day_of_diagnosis_is_known_in_every_form_that_dates_may_have(smm: Study) -> None:
    years = _cohort([("a", 0.0, 1.0), ("b", 0.0, 1.0)], [("a", 1.5, 1), ("b", 1.5, 0)])
    table = years.visits.drop(columns="years")
    iso, dotted = (
        training_set(replace(years, visits=table.assign(date=day, diagnosis_date=day)), smm)
        for day in (["2011-07-04", "2012-01-31"], ["04.07.2011", "31.01.2012"])
    )
    # 15,159 and 15,370 days after 1970-01-01 (date.toordinal).
    assert dotted.diagnosed_years is not None
    np.testing.assert_allclose(np.unique(dotted.diagnosed_years * 365.25), [15159.0, 15370.0])
    assert iso.diagnosed_years is not None
    np.testing.assert_array_equal(iso.diagnosed_years, dotted.diagnosed_years)


def test_dates_count_from_the_diagnosis_and_are_refused_without_it(smm: Study) -> None:
    years = _cohort([("a", 0.0, 1.0), ("a", 1.0, 2.0)], [("a", 1.5, 1)])
    dated = years.visits.drop(columns="years").assign(date=["2015-03-01", "2016-02-29"])
    known = training_set(replace(years, visits=dated.assign(diagnosis_date="2015-03-01")), smm)
    assert known.duration_years.tolist() == [1.5, 0.5]
    assert known.columns(("m_protein_g_dl",))[:, 0].tolist() == [1.0, 2.0]
    with pytest.raises(DesignError, match="1 subjects have dates but no diagnosis_date"):
        training_set(replace(years, visits=dated), smm)


def test_visits_without_outcome_are_refused(smm: Study) -> None:
    cohort = _cohort([("a", 0.0, 1.0), ("b", 0.0, 1.0)], [("a", 3.0, 0)])
    with pytest.raises(DesignError, match="1 subjects have visits but no outcome"):
        training_set(cohort, smm)


def test_the_digest_tells_two_cohorts_apart(simulated: Cohort, smm: Study) -> None:
    rows = training_set(simulated, smm)
    again = training_set(simulated, smm)
    flipped = rows.rows(np.arange(len(rows.subject))[::-1])
    assert rows.digest == again.digest != flipped.digest


def test_the_digest_tells_features_of_another_name_and_other_published_columns_apart(
    simulated: Cohort, smm: Study
) -> None:
    rows = training_set(simulated, smm)
    name = next(iter(rows.published))
    others = [
        replace(rows, features=(*rows.features[:-1], "another")),
        replace(rows, published={**rows.published, name: rows.published[name] + 1.0}),
        replace(rows, published={**rows.published, "another": rows.published[name]}),
        replace(rows, landmark_years=rows.landmark_years + 1.0),
    ]
    assert len({rows.digest, *(other.digest for other in others)}) == 1 + len(others)
    backwards = dict(reversed(rows.published.items()))
    assert replace(rows, published=backwards).digest == rows.digest


def test_blanking_leaves_out_who_is_not_known_to_be_free_when_it_ends(smm: Study) -> None:
    """a progresses and b is lost 0.2 years after diagnosis, c lives on: only c has a row."""
    cohort = _cohort(
        [(name, 0.0, 1.0) for name in "abc"], [("a", 0.2, 1), ("b", 0.2, 0), ("c", 0.8, 1)]
    )
    study = replace(smm, landmarks_years=(0.0,), blanking_years=0.25)
    rows = training_set(cohort, study)
    assert rows.subject.tolist() == [2]
    assert rows.duration_years.tolist() == [0.8]
    assert rows.blanked == 2
    assert training_set(cohort, replace(study, blanking_years=0.0)).blanked == 0


@pytest.mark.parametrize(("treatment", "event"), [("censoring", 0), ("competing", 2)])
def test_treatment_before_the_outcome_ends_the_question_as_the_study_says(
    smm: Study, treatment: str, event: int
) -> None:
    cohort = _cohort(
        [(name, 0.0, 1.0) for name in "abc"], [("a", 3.0, 1), ("b", 3.0, 1), ("c", 3.0, 0)]
    )
    # a is treated after a year, b on the day of progression – for it – and c never.
    outcomes = cohort.outcomes.assign(treated_years=[1.0, 3.0, np.nan])
    study = replace(smm, landmarks_years=(0.0,), treatment=treatment)
    rows = training_set(replace(cohort, outcomes=outcomes), study)
    assert rows.duration_years.tolist() == [1.0, 3.0, 3.0]
    assert rows.event.tolist() == [event, 1, 0]


def test_centre_and_day_of_diagnosis_go_with_the_rows(smm: Study) -> None:
    cohort = _cohort([(n, 0.0, 1.0) for n in "abc"], [(n, 1.5, 0) for n in "abc"])
    visits = cohort.visits.assign(
        centre=["Turin", "", "Oslo"], diagnosis_date=["1970-01-01", "1971-01-01", None]
    )
    rows = training_set(replace(cohort, visits=visits), replace(smm, landmarks_years=(0.0, 1.0)))
    assert rows.centres == ("Oslo", "Turin")
    assert rows.centre is not None
    assert rows.diagnosed_years is not None
    assert rows.centre.tolist() == [1, 1, -1, -1, 0, 0]
    np.testing.assert_allclose(rows.diagnosed_years[::2], [0.0, 365 / 365.25, np.nan])
    bare = training_set(cohort, smm)
    assert (bare.centre, bare.diagnosed_years) == (None, None)


@pytest.mark.parametrize("landmark", [0.0, 1.0, 2.0])
def test_no_feature_sees_a_visit_after_the_landmark(
    simulated: Cohort, smm: Study, landmark: float
) -> None:
    """Cut off what comes after the landmark, or spoil it: every feature keeps its value."""
    study = replace(smm, landmarks_years=(landmark,))
    whole = training_set(simulated, study)
    later = simulated.visits["years"] > landmark
    spoilt = simulated.visits.copy()
    labs = spoilt.select_dtypes("number").columns.difference(["years", "age"])
    # Another value within every possible range; only what was measured can be spoilt.
    spoilt.loc[later, labs] = spoilt.loc[later, labs].mask(spoilt.loc[later, labs].notna(), 5.0)
    spoilt.loc[later, labs.intersection(["ldh_u_l"])] = 99.0
    spoilt.loc[later, [c for c in labs if c.startswith("fish")]] = 1.0
    for visits in (simulated.visits[~later], spoilt):
        cut = training_set(replace(simulated, visits=visits), study)
        assert cut.refused == whole.refused
        np.testing.assert_array_equal(cut.values, whole.values)
