import numpy as np
import pytest

from features.errors import ValueRangeError
from training.metrics.instability import bootstrap_rows, instability_of


def test_instability_by_hand() -> None:
    found = instability_of(
        np.array([0.1, 0.4]), np.array([[0.1, 0.2], [0.3, 0.4]]), thresholds=(0.25,), level=1.0
    )
    assert found.lower.tolist() == [0.1, 0.2] and found.upper.tolist() == [0.3, 0.4]
    assert found.mean_absolute_error == pytest.approx([0.1, 0.1])
    # One of two models puts each of them on the other side of 25 %.
    assert found.flips[0.25].tolist() == [0.5, 0.5]
    assert found.summary()["flips_0.25"] == 0.5


def test_a_model_that_ignores_its_data_is_stable() -> None:
    same = np.full(6, 0.2)
    assert instability_of(same, np.tile(same, (3, 1))).mean_absolute_error.max() == 0


def test_rows_of_one_subject_are_drawn_together_and_reproducibly() -> None:
    cluster = np.array([5, 7, 9, 5, 7, 9])
    samples, again = (bootstrap_rows(cluster, replicates=4, seed=1) for _ in range(2))
    for rows in samples:
        counts = np.bincount(rows, minlength=6)
        assert counts[:3].tolist() == counts[3:].tolist() and counts.sum() == 6
    assert all(np.array_equal(a, b) for a, b in zip(samples, again, strict=True))
    assert len({rows.tobytes() for rows in samples}) > 1


def test_refitted_risks_of_other_subjects_are_refused() -> None:
    with pytest.raises(ValueRangeError, match="3 subjects"):
        instability_of(np.zeros(3), np.zeros((5, 4)))
