from itertools import pairwise

import pytest

from serving.web.bundle import Calibration, Curves, Decision, Group, Measured
from serving.web.figures import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, figures
from serving.web.texts import texts

ENGLISH = texts("en")


def curves(*, highest: float = 0.5, groups: list[Group] | None = None) -> Curves:
    return Curves(
        model="logistic",
        horizon_years=2.0,
        calibration=Calibration([0.0, highest], [0.0, highest], [0.0, highest / 2], [0.1, highest]),
        decision=Decision(
            [0.1, 0.5],
            [Measured(0.1, 0.05, 0.15), Measured(0.02, 0.0, 0.04)],
            [Measured(0.08), Measured(-0.9)],
        ),
        groups=groups or [],
    )


def test_a_calibrated_model_lies_on_the_diagonal() -> None:
    found = figures(curves(), ENGLISH).calibration
    # From nought in the corner to the highest risk in the other; 0.5 is a full step of 0.1.
    assert found.line == f"M{LEFT} {HEIGHT - BOTTOM}L{WIDTH - RIGHT} {TOP}".replace(
        "M48 220L320 10", "M48.0 220.0L320.0 10.0"
    )
    assert found.line == found.other


@pytest.mark.parametrize("highest", [0.03, 0.12, 0.5, 0.83, 1.0])
def test_ticks_are_few_even_and_cover_every_risk(highest: float) -> None:
    found = figures(curves(highest=highest), ENGLISH).calibration
    places = [x for x, _ in found.x_ticks]
    gaps = [b - a for a, b in pairwise(places)]
    assert 2 <= len(places) <= 7
    assert max(gaps) - min(gaps) <= 0.11
    assert all(LEFT <= x <= WIDTH - RIGHT for x in places)


def test_treating_everybody_is_not_drawn_far_below_zero() -> None:
    found = figures(curves(), ENGLISH).decision
    assert found.other.count("L") == 0
    heights = [y for y, _ in found.y_ticks]
    assert all(TOP <= y <= HEIGHT - BOTTOM for y in heights)


def test_groups_are_told_in_numbers_with_their_interval() -> None:
    group = Group(subjects=283, events=3, predicted=0.0067, observed=Measured(0.0107, 0.003, 0.029))
    found = figures(curves(groups=[group]), ENGLISH)
    assert found.groups == (("283", "3", "0.7\xa0%", "1.1\xa0% (0.3–2.9\xa0%)"),)
    assert len(found.calibration.dots) == 1


def test_points_that_are_not_there_are_not_drawn() -> None:
    empty = curves()
    empty.calibration = Calibration([None, None], [None, None], [None, None], [None, None])
    found = figures(empty, ENGLISH).calibration
    assert found.line == found.band == ""
