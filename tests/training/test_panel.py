from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from training.panel import panel

OUTCOMES = pd.DataFrame(
    {"subject_id": ["a", "b", "c"], "duration_years": [3.0, 1.0, 2.0], "event": [0, 1, 2]}
)
RISKS = pd.DataFrame(
    {
        "subject_id": ["c", "a", "b", "a", "b"],
        "model": ["m", "m", "m", "n", "n"],
        "horizon_years": [1.5, 1.5, 1.5, 1.5, 1.5],
        "risk": [0.3, 0.1, 0.2, 0.4, 0.5],
    }
)


def test_risks_follow_their_subjects_in_the_order_of_durations() -> None:
    given = panel(RISKS, OUTCOMES)
    assert list(given.subjects) == ["b", "c", "a"]
    assert given.cells["m", 1.5].risk.tolist() == [0.2, 0.3, 0.1]
    part = given.cells["n", 1.5]
    assert part.rows is not None and part.rows.tolist() == [0, 2]
    assert part.risk.tolist() == [0.5, 0.4]
    assert given.timeline_of(part.rows).duration().tolist() == [1.0, 3.0]


def test_blocks_in_the_order_of_the_outcomes_mean_the_same() -> None:
    ordered = RISKS[RISKS["model"] == "m"].set_index("subject_id").loc[["a", "b", "c"]]
    given = panel(ordered.reset_index(), OUTCOMES)
    assert given.cells["m", 1.5].risk.tolist() == [0.2, 0.3, 0.1]


def test_identifiers_read_as_numbers_find_those_read_as_text() -> None:
    outcomes = OUTCOMES.assign(subject_id=["1", "2", "3"])
    risks = RISKS.assign(subject_id=[3, 1, 2, 1, 2])
    assert panel(risks, outcomes).cells["m", 1.5].risk.tolist() == [0.2, 0.3, 0.1]


def changed(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    values = list(table[column])
    values[1] = value
    return table.assign(**{column: values})


@pytest.mark.parametrize(
    ("damage", "kind", "says"),
    [
        (lambda r, o: (changed(r, "risk", 1.2), o), ValueRangeError, "risks, row 3, risk"),
        (lambda r, o: (changed(r, "risk", np.nan), o), ValueRangeError, "risks, row 3, risk"),
        (lambda r, o: (changed(r, "risk", "high"), o), InputError, "risks, row 3, risk"),
        (lambda r, o: (changed(r, "horizon_years", 0), o), InputError, "row 3, horizon_years"),
        (lambda r, o: (changed(r, "model", None), o), InputError, "row 3, model"),
        (lambda r, o: (changed(r, "subject_id", "z"), o), InputError, "has a risk but no outcome"),
        (lambda r, o: (changed(r, "subject_id", "c"), o), DuplicateError, "risks, row 3"),
        (lambda r, o: (r.drop(columns="risk"), o), ColumnError, "risk: missing"),
        (lambda r, o: (r.iloc[:0], o), InputError, "at least one row"),
        (lambda r, o: (r, changed(o, "subject_id", "a")), DuplicateError, "outcomes, row 3"),
        (lambda r, o: (r, changed(o, "subject_id", None)), InputError, "outcomes, row 3"),
        (lambda r, o: (r, changed(o, "event", 3)), InputError, "outcomes, row 3, event"),
        (lambda r, o: (r, changed(o, "duration_years", -1)), InputError, "row 3, duration_years"),
        (lambda r, o: (r, changed(o, "duration_years", None)), InputError, "row 3, duration_y"),
        (lambda r, o: (r, o.drop(columns="event")), ColumnError, "event: missing"),
    ],
)
def test_what_cannot_be_used_is_named_by_table_row_and_column(
    damage: Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]],
    kind: type[InputError],
    says: str,
) -> None:
    with pytest.raises(kind, match=says):
        panel(*damage(RISKS, OUTCOMES))


def test_the_value_at_fault_is_not_in_the_message() -> None:
    with pytest.raises(ValueRangeError) as caught:
        panel(changed(RISKS, "risk", 7.8125), OUTCOMES)
    assert "7.8125" not in str(caught.value)


def test_rows_in_any_order_mean_the_same_as_block_after_block() -> None:
    shuffled = RISKS.sample(frac=1.0, random_state=4)
    one, other = panel(RISKS, OUTCOMES), panel(shuffled, OUTCOMES)
    assert one.cells.keys() == other.cells.keys()
    for key, cell in one.cells.items():
        assert cell.risk.tolist() == other.cells[key].risk.tolist()
