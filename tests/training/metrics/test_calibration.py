import numpy as np
import pytest

from training.metrics.aalen_johansen import observed_risk
from training.metrics.calibration import mean_calibration, weak_calibration
from training.metrics.calibration_curve import calibration_curve, calibration_groups
from training.metrics.links import LINKS
from training.metrics.timeline import Timeline


def cohort(seed: int = 0, size: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Constant hazards, so that the true 2-year risk with competing death is known exactly."""
    rng = np.random.default_rng(seed)
    hazard, death = 0.1 * np.exp(rng.normal(size=size)), 0.05
    progression, died = rng.exponential(1 / hazard), rng.exponential(1 / death, size)
    censored = rng.uniform(0.5, 6, size)
    duration = np.minimum(np.minimum(progression, died), censored)
    event = np.select([duration == progression, duration == died], [1, 2], 0)
    total = hazard + death
    return duration, event, hazard / total * -np.expm1(-total * 2)


def test_the_true_risk_is_calibrated_in_every_sense() -> None:
    duration, event, risk = cohort()
    mean = mean_calibration(duration, event, risk, 2).ratio
    line = weak_calibration(duration, event, risk, 2)
    for estimate, ideal in ((mean, 1.0), (line.intercept, 0.0), (line.slope, 1.0)):
        assert estimate.lower is not None and estimate.upper is not None
        assert estimate.lower < ideal < estimate.upper
    curve = calibration_curve(duration, event, risk, 2)
    assert curve.ici.value is not None and curve.ici.value < 0.02
    inside = (curve.lower < curve.predicted) & (curve.predicted < curve.upper)
    assert inside.mean() > 0.8


@pytest.mark.parametrize("link", ["cloglog", "logit"])
def test_the_line_undoes_a_distortion_on_its_scale(link: str) -> None:
    duration, event, risk = cohort()
    scale = LINKS[link]
    straight = weak_calibration(duration, event, risk, 2, link=link)
    twice = scale.backward(2 * scale.forward(risk))[0]
    assert weak_calibration(duration, event, twice, 2, link=link).slope.value == pytest.approx(
        straight.slope.value / 2, rel=1e-6
    )
    shifted = scale.backward(scale.forward(risk) - 0.7)[0]
    assert weak_calibration(duration, event, shifted, 2, link=link).intercept.value == (
        pytest.approx(straight.intercept.value + 0.7, abs=1e-6)
    )


@pytest.mark.parametrize("levels", [4, 4000])
def test_a_person_at_two_landmarks_makes_no_band_narrower(levels: int) -> None:
    duration, event, risk = cohort()
    # A rule of four groups is compared level by level, anything finer along a spline.
    risk = (np.ceil(risk * levels) - 0.5) / levels
    twice = [np.tile(given, 2) for given in (duration, event, risk)]
    person = np.tile(np.arange(risk.size), 2)

    def width(*outcome: np.ndarray, cluster: np.ndarray | None = None) -> np.ndarray:
        curve = calibration_curve(*outcome, 2, cluster=cluster)
        groups = calibration_groups(*outcome, 2, cluster=cluster)
        errors = [group.observed.standard_error for group in groups]
        return np.r_[curve.upper - curve.lower, errors].astype(float)

    once = width(duration, event, risk)
    assert width(*twice, cluster=person) == pytest.approx(once, rel=0.01)
    # Taken for two people each, they are narrower by a root of two.
    assert (width(*twice) < 0.8 * once).all()


def test_one_person_has_an_observed_over_expected_and_no_interval() -> None:
    duration, event, risk = np.array([1.0, 3.0]), np.array([1, 0]), np.array([0.25, 0.25])
    line = Timeline.of(duration, event)
    observed = observed_risk(line, 2, cluster=np.array([0, 0]))
    ratio = mean_calibration(duration, event, risk, 2, observed=observed).ratio
    # One of two landmarks is before a progression, where one of four was expected.
    assert (ratio.value, ratio.standard_error, ratio.lower) == (2.0, None, None)


def test_a_rule_is_compared_group_by_group() -> None:
    # Nobody is censored: 3 of 10 and 9 of 10 progress by 2 y, where the rule says 20 % and 50 %.
    duration = np.tile(np.r_[np.ones(9), 3.0], 2)
    event = np.r_[np.ones(3, int), np.full(6, 2), 0, np.ones(9, int), 0]
    risk = np.repeat([0.2, 0.5], 10)
    curve = calibration_curve(duration, event, risk, 2)
    assert curve.predicted == pytest.approx([0.2, 0.5])
    assert curve.observed == pytest.approx([0.3, 0.9])
    assert curve.ici.value == pytest.approx((0.1 + 0.4) / 2)
    assert [group.events for group in calibration_groups(duration, event, risk, 2)] == [3, 9]


def test_risks_of_0_or_1_have_no_line_and_say_so() -> None:
    duration, event, risk = cohort(size=200)
    risk[0] = 0.0
    line = weak_calibration(duration, event, risk, 2)
    assert "exactly 0 or 1" in str(line.slope.reason)
    assert "exactly 0 or 1" in str(calibration_curve(duration, event, risk, 2).reason)
    assert mean_calibration(duration, event, risk, 2).ratio.estimable


def test_few_progressions_make_no_curve() -> None:
    duration, event, risk = cohort(size=40)
    assert "a curve needs 10" in str(calibration_curve(duration, event, risk, 0.6).reason)


def test_equal_risks_have_an_intercept_but_no_slope() -> None:
    duration, event, _ = cohort(size=400)
    line = weak_calibration(duration, event, np.full(400, 0.2), 2)
    assert line.intercept.estimable
    assert line.slope.reason == "all predicted risks are equal"


def test_the_start_from_bins_of_a_large_sample_does_not_change_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duration, event, risk = cohort()
    whole = weak_calibration(duration, event, risk, 2).slope.value
    curve = calibration_curve(duration, event, risk, 2).ici.value
    monkeypatch.setattr("training.metrics.binning._WORTHWHILE", 400)
    assert weak_calibration(duration, event, risk, 2).slope.value == pytest.approx(whole, rel=1e-9)
    assert calibration_curve(duration, event, risk, 2).ici.value == pytest.approx(curve, rel=1e-7)
