"""Riley's criteria against the published figures of `pmsampsize`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.sample_size import (
    SampleSize,
    cox_snell_of_auc,
    expected_shrinkage,
    parameters_supported,
    sample_size,
)


def test_the_chagas_example_needs_what_the_paper_says() -> None:
    """Riley 2019, Section 5.1: 24 parameters, 17.4 %, R² .288. `pmsampsize` (R, Stata and Python)
    prints 623, 662 and 221, and 662 x .174 / 24 = 4.8 events for each parameter, as the paper."""
    found = sample_size(parameters=24, risk=0.174, cox_snell=0.288)
    assert found == SampleSize(shrinkage=623, optimism=662, overall_risk=221)
    assert found.needed == 662
    assert found.needed * 0.174 / 24 == pytest.approx(4.8, abs=0.005)


def test_from_an_auc_the_same_numbers_come_out_as_from_a_million_draws() -> None:
    """`pmsampsize(type = "b", cstatistic = 0.89, parameters = 24, prevalence = 0.174)`, which draws
    a million subjects, prints 615, 660 and 221."""
    cox_snell = cox_snell_of_auc(0.89, 0.174)
    found = sample_size(parameters=24, risk=0.174, cox_snell=cox_snell)
    assert (found.shrinkage, found.optimism, found.overall_risk) == (615, 660, 221)


@given(st.floats(0.03, 0.6), st.floats(0.6, 0.9), st.integers(1, 40))
def test_what_a_sample_supports_is_what_it_was_sized_for(
    risk: float, auc: float, parameters: int
) -> None:
    cox_snell = cox_snell_of_auc(auc, risk)
    found = sample_size(parameters=parameters, risk=risk, cox_snell=cox_snell)
    needed = max(found.shrinkage, found.optimism)
    assert parameters_supported(needed, risk=risk, cox_snell=cox_snell) in (
        parameters,
        parameters + 1,
    )
    assert parameters_supported(0.99 * needed - 1, risk=risk, cox_snell=cox_snell) < parameters


@given(st.floats(0.03, 0.6), st.floats(0.6, 0.9), st.integers(1, 40))
def test_a_sample_of_the_first_criterion_shrinks_by_a_tenth(
    risk: float, auc: float, parameters: int
) -> None:
    cox_snell = cox_snell_of_auc(auc, risk)
    needed = sample_size(parameters=parameters, risk=risk, cox_snell=cox_snell).shrinkage
    shrinkage = expected_shrinkage(needed, parameters=parameters, cox_snell=cox_snell)
    assert 0.9 - 1e-9 <= shrinkage < 0.9 + 0.1 / parameters + 0.1
    assert expected_shrinkage(needed / 2, parameters=parameters, cox_snell=cox_snell) < shrinkage


def test_an_auc_of_one_half_explains_nothing_and_a_higher_one_more() -> None:
    found = [cox_snell_of_auc(auc, 0.2) for auc in (0.5000001, 0.6, 0.7, 0.8, 0.9)]
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found == sorted(found)
