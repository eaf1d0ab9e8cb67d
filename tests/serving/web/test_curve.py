from itertools import pairwise
from typing import Any

import pytest

from serving.web.curve import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LABEL_GAP,
    LEFT,
    SHAPES,
    TOP,
    Curve,
    Look,
    Mark,
    draw,
    looks,
)
from serving.web.texts import texts

ENGLISH = texts("en")
Json = dict[str, Any]


def estimate(model: str, *risks: tuple[float, float | None], **more: Any) -> Json:
    rows = [{"horizon_years": t, "risk": r, "lower": None, "upper": None} for t, r in risks]
    return {"model": model, "status": "ok", "risks": rows, **more}


def drawn(told: list[Json]) -> Curve | None:
    return draw(told, looks(told), ENGLISH)


def test_nothing_is_drawn_of_models_that_gave_no_risk() -> None:
    assert drawn([]) is None
    assert drawn([estimate("a"), estimate("b", (2, None))]) is None


def test_no_risk_lies_on_the_axis_and_certainty_at_the_top() -> None:
    curve = drawn([estimate("a", (1, 0.0), (2, 0.5), (5, 1.0))])
    assert curve is not None
    heights = [mark.risk for mark in curve.lines[0].marks]
    assert heights == [HEIGHT - BOTTOM, (HEIGHT - BOTTOM + TOP) / 2, TOP]


def test_time_runs_from_the_day_asked_about_in_proportion() -> None:
    curve = drawn([estimate("a", (2, 0.1), (4, 0.2), (10, 0.3))])
    assert curve is not None
    two, four, ten = (mark.x - LEFT for mark in curve.lines[0].marks)
    assert two / ten == pytest.approx(0.2, abs=0.01)
    assert four / ten == pytest.approx(0.4, abs=0.01)


def test_two_published_rates_are_not_joined_to_a_course() -> None:
    curve = drawn([estimate("a", (2, 0.1), (5, 0.2)), estimate("b", (1, 0.1), (2, 0.2), (5, 0.3))])
    assert curve is not None
    assert [bool(line.points) for line in curve.lines] == [False, True]


def test_names_never_overlap_and_stay_inside() -> None:
    curve = drawn([estimate(f"m{i}", (2, 0.001 * i)) for i in range(12)])
    assert curve is not None
    heights = sorted(line.label_y for line in curve.lines)
    gaps = [b - a for a, b in pairwise(heights)]
    assert min(gaps) >= LABEL_GAP - 0.11
    assert heights[-1] <= HEIGHT - BOTTOM


def test_a_look_belongs_to_a_model_that_answered_and_to_no_other() -> None:
    told = [estimate("a", (2, 0.1)), estimate("b", status="refused")]
    told += [estimate(f"m{i}", (2, 0.1)) for i in range(2 * COLOURS - 1)]
    found = looks(told)
    assert "b" not in found
    assert len(set(found.values())) == len(found) == 2 * COLOURS


def test_a_bar_runs_from_the_lower_to_the_upper_end_and_is_capped_at_both() -> None:
    assert Mark(10.0, 5.0, 8.0, 2.0).bar == "M10.0 8.0V2.0M6.0 8.0h8M6.0 2.0h8"
    assert Mark(10.0, 5.0, None, None).bar == ""


def test_every_shape_is_drawn_around_its_point() -> None:
    marks = [str(Look(0, shape).mark(10.0, 20.0)) for shape in range(len(SHAPES))]
    assert len(set(marks)) == len(SHAPES)
    # The middle of the square is 4.2 from its corner; the diamond begins at its top.
    assert 'x="5.8" y="15.8" width="8.4" height="8.4"' in marks[1]
    assert 'd="M10.0 14.0l6 6l-6 6l-6 -6z"' in marks[3]
