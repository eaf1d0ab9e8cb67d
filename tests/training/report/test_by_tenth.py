import numpy as np
import pytest

from training.metrics.instability import instability_of
from training.report.by_tenth import ByTenth


def test_tenths_hold_means_and_nobody_alone() -> None:
    risk = np.linspace(0.01, 0.40, 40)
    # Two refits, 0.02 below and above: 0.02 away on average.
    found = instability_of(risk, np.stack([risk - 0.01, risk + 0.03]), thresholds=(0.2,))
    told = ByTenth.of("m", 2.0, instability_of(risk[::-1], np.stack([risk[::-1]] * 2)))
    assert [tenth.risk for tenth in told.tenths] == sorted(tenth.risk for tenth in told.tenths)
    drawn = ByTenth.of("m", 2.0, found)
    assert len(drawn.tenths) == 10
    # The first tenth holds 0.01, 0.02, 0.03 and 0.04.
    assert drawn.tenths[0].risk == pytest.approx(0.025)
    assert drawn.tenths[0].mean_absolute_error == pytest.approx(0.02)
    assert drawn.tenths[0].flips[0.2] == 0
    # 0.17 … 0.20 and 0.21 … 0.24: lowered by 0.01, 0.20 alone falls below; raised by 0.03, 0.17,
    # 0.18 and 0.19 pass: four of eight flips in the fifth tenth, none in the sixth.
    assert drawn.tenths[4].flips[0.2] == pytest.approx(4 / 8)
    assert drawn.tenths[5].flips[0.2] == pytest.approx(0)


def test_a_cohort_smaller_than_ten_has_a_part_per_subject() -> None:
    risk = np.array([0.1, 0.3, 0.2])
    assert len(ByTenth.of("m", 1.0, instability_of(risk, risk[None])).tenths) == 3
