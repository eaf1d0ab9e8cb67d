import numpy as np
import pandas as pd
import pytest

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from training.judge import judge
from training.strategies import TREAT_ALL

# Ten people, all followed to three years: two progress at one year, one dies at two.
OUTCOMES = pd.DataFrame(
    {
        "subject_id": list("abcdefghij"),
        "duration_years": [1.0, 1, 2, 5, 5, 5, 5, 5, 5, 5],
        "event": [1, 1, 2, 0, 0, 0, 0, 0, 0, 0],
    }
)
RISKS = pd.DataFrame(
    {"subject_id": list("abcdefghij"), "model": "m", "horizon_years": 3.0, "risk": 0.2}
)


def test_acting_on_a_group_is_worth_its_progressions_less_the_price_of_the_rest() -> None:
    acts = pd.DataFrame({"subject_id": list("abcdefghij"), "high": [1, 0, 1, 1] + [0] * 6})
    everybody, high = judge(RISKS, OUTCOMES, thresholds=(0.2,), acts=acts).strategies
    assert (everybody.strategy, everybody.flagged, high.flagged) == (TREAT_ALL, 10, 3)
    # Three flagged, one progresses: 1/10 - 2/10 × 0.2/0.8; of at most 2/10 that is a quarter.
    assert high.net_benefit["0.2"].value == pytest.approx(0.05)
    assert high.net_benefit_standardised["0.2"].value == pytest.approx(0.25)
    assert high.observed.value == pytest.approx(1 / 3)
    # Everybody: 2/10 progress and the price of the other 8/10 is 2/10 as well.
    assert everybody.net_benefit["0.2"].value == pytest.approx(0)


def test_whoever_a_strategy_does_not_know_is_left_out_of_it() -> None:
    known = pd.DataFrame({"subject_id": list("abcd"), "high": [1, np.nan, 0, 0]})
    row = judge(RISKS, OUTCOMES, thresholds=(0.2,), acts=known).strategies[1]
    assert (row.n, row.flagged) == (3, 1)
    # One of three flagged, and progresses.
    assert row.net_benefit["0.2"].value == pytest.approx(1 / 3)


def test_acting_on_nobody_is_worth_nothing_and_has_no_observed_risk() -> None:
    nobody = pd.DataFrame({"subject_id": list("abcdefghij"), "none": 0})
    row = judge(RISKS, OUTCOMES, thresholds=(0.2,), acts=nobody).strategies[1]
    assert row.net_benefit["0.2"].value == 0
    assert row.observed.reason == "nobody is flagged"


@pytest.mark.parametrize(
    ("table", "kind", "said"),
    [
        (pd.DataFrame({"id": ["a"], "high": [1]}), ColumnError, "subject_id"),
        (pd.DataFrame({"subject_id": ["a", "a"], "high": [1, 0]}), DuplicateError, "row 3"),
        (pd.DataFrame({"subject_id": ["a", "b"], "high": [1, 2]}), ValueRangeError, "high"),
        (pd.DataFrame({"subject_id": ["a"], "high": ["yes"]}), ValueRangeError, "1 \\(act\\)"),
    ],
)
def test_a_table_of_strategies_that_cannot_be_used_is_named(
    table: pd.DataFrame, kind: type[InputError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        judge(RISKS, OUTCOMES, acts=table)
