import numpy as np
import pytest

from training.metrics.bootstrap import bootstrap_contrast, paired_bootstrap
from training.metrics.contrasts import contrast
from training.metrics.discrimination import auc
from training.metrics.timeline import Timeline


def cohort(size: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    score = rng.normal(size=size)
    duration, event = rng.exponential(3 * np.exp(-score / 2)), rng.integers(0, 3, size)
    noisy = score + rng.normal(size=size)
    return duration, event, {"good": 1 / (1 + np.exp(-score)), "noisy": 1 / (1 + np.exp(-noisy))}


def test_bootstrap_and_influence_agree_on_the_standard_error() -> None:
    duration, event, risks = cohort(500)
    drawn = paired_bootstrap(Timeline.of(duration, event), risks, 2.0, replicates=400, seed=1)
    pair = [auc(duration, event, risk, 2.0) for risk in risks.values()]
    by_influence = contrast(*pair)
    found = bootstrap_contrast(drawn.auc[:, 0], drawn.auc[:, 1], by_influence)
    # 400 replicates know a standard error to about 4 %.
    assert found.delta.standard_error == pytest.approx(by_influence.delta.standard_error, rel=0.15)
    assert found.p == pytest.approx(by_influence.p, abs=0.06)


def test_the_number_of_processes_does_not_change_a_replicate() -> None:
    duration, event, risks = cohort(60)
    line = Timeline.of(duration, event)
    one, two = (
        paired_bootstrap(line, risks, 2.0, replicates=101, seed=3, thresholds=(0.3,), jobs=jobs)
        for jobs in (1, 2)
    )
    assert np.array_equal(one.auc, two.auc, equal_nan=True)
    assert np.array_equal(one.net_benefit, two.net_benefit, equal_nan=True)


def test_rows_of_one_subject_are_drawn_together() -> None:
    duration, event, risks = cohort(50)
    twice = {name: np.tile(risk, 2) for name, risk in risks.items()}
    line = Timeline.of(np.tile(duration, 2), np.tile(event, 2))
    cluster = np.tile(np.arange(50), 2)
    alone = paired_bootstrap(Timeline.of(duration, event), risks, 2.0, replicates=20, seed=5)
    together = paired_bootstrap(line, twice, 2.0, replicates=20, seed=5, cluster=cluster)
    assert together.auc == pytest.approx(alone.auc, nan_ok=True)


def test_progress_is_told_as_it_is_made() -> None:
    duration, event, risks = cohort(60)
    told: list[int] = []
    line = Timeline.of(duration, event)
    paired_bootstrap(line, risks, 2.0, replicates=120, seed=0, progress=told.append)
    assert sum(told) == 120 and len(told) > 1


def test_identical_models_have_no_difference_to_test() -> None:
    duration, event, risks = cohort(60)
    both = {"one": risks["good"], "other": risks["good"]}
    drawn = paired_bootstrap(Timeline.of(duration, event), both, 2.0, replicates=50, seed=0)
    same = auc(duration, event, risks["good"], 2.0)
    found = bootstrap_contrast(drawn.auc[:, 0], drawn.auc[:, 1], contrast(same, same))
    assert (found.delta.value, found.p) == (0.0, None)


def test_too_many_failed_replicates_say_so() -> None:
    values = np.r_[np.full(10, np.nan), np.linspace(0, 1, 90)]
    same = contrast(*[auc(*cohort(60)[:2], cohort(60)[2]["good"], 2.0)] * 2)
    found = bootstrap_contrast(values, np.zeros(100), same)
    assert found.delta.reason == "not estimable in 10 of 100 bootstrap replicates"
