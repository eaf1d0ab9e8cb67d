"""What was last known at a moment, found for many subjects at once as one would by hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.history import Series, latest_at

MONTHS = st.integers(0, 12)


@given(
    st.lists(st.tuples(st.integers(0, 3), MONTHS), unique=True, max_size=20),
    st.lists(st.tuples(st.integers(0, 3), MONTHS), max_size=10),
)
def test_the_latest_measurement_is_the_last_at_or_before_the_moment(measured, asked):
    measured = sorted(measured)
    subject = np.array([s for s, _ in measured], dtype=np.int64)
    time = np.array([m / 12 for _, m in measured])
    series = Series(np.arange(subject.size), subject, time, time)
    found = latest_at(
        series,
        np.array([s for s, _ in asked], dtype=np.int64),
        np.array([m / 12 for _, m in asked]),
    )
    for (s, m), position in zip(asked, found, strict=True):
        known = [i for i, (other, month) in enumerate(measured) if other == s and month <= m]
        assert position == (known[-1] if known else -1)


def test_a_quantity_nobody_measured_is_missing_everywhere(build_history):
    history = build_history([0, 0, 1], [0.0, 1.0, 0.0], m_protein=[1.0, np.nan, 2.0])
    assert np.isnan(history.lab("ldh")).all()
    assert history.series("ldh").value.size == 0


def test_a_series_holds_the_visits_with_a_value(build_history):
    series = build_history([0, 0, 1], [0.0, 1.0, 0.5], m_protein=[1.0, np.nan, 2.0]).series(
        "m_protein"
    )
    assert series.visit.tolist() == [0, 2]
    assert series.subject.tolist() == [0, 1]
    assert series.time_years.tolist() == [0.0, 0.5]


def test_the_first_and_last_visit_of_every_subject_are_found_and_of_nobody_else(build_history):
    history = build_history([0, 0, 2], [0.0, 1.0, 0.0])
    assert (history.first_visits().tolist(), history.last_visits().tolist()) == ([0, 2], [1, 2])
    assert (
        build_history([], []).first_visits().size == build_history([], []).last_visits().size == 0
    )


def test_the_core_needs_neither_pandas_nor_arrow():
    code = (
        "import sys, features.visits, features.landmark, features.criteria\n"
        "assert not {'pandas', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_parts_are_whole_subjects_that_add_up_to_the_history(build_history):
    # Subjects with 3, 0, 5, 1 and 0 visits.
    subject = [0, 0, 0, 2, 2, 2, 2, 2, 3]
    history = build_history(subject, [0, 1, 2, 0, 1, 2, 3, 4, 0], m_protein=np.arange(9.0))
    for visits in (1, 3, 4, 100):
        parts = list(history.parts(visits))
        assert sum((part.subject_ids for part in parts), ()) == history.subject_ids
        values = np.concatenate([part.lab("m_protein") for part in parts])
        np.testing.assert_array_equal(values, history.lab("m_protein"))
        names = [part.subject_ids[s] for part in parts for s in part.subject]
        assert names == [history.subject_ids[s] for s in subject]
        assert all(part.visits for part in parts)
    assert len(list(history.parts(100))) == 1
