import re
from typing import Any

import pytest

from serving.web.curve import Look
from serving.web.icons import people

Json = dict[str, Any]


def estimate(model: str, *risks: tuple[float, float | None]) -> Json:
    rows = [{"horizon_years": t, "risk": r, "lower": None, "upper": None} for t, r in risks]
    return {"model": model, "risks": rows}


LOOK = {name: Look(0, 0) for name in "abc"}


def standing(path: str) -> list[tuple[float, float]]:
    """Where the dashes of a path begin: every ten units of each of its level lines."""
    places = []
    for x, y, length in re.findall(r"M(\d+) (\d+)h([\d.]+)", path):
        places += [(float(x) + 10 * i, float(y)) for i in range(int(float(length) // 10) + 1)]
    return places


@pytest.mark.parametrize(("risk", "count"), [(0.0, 0), (0.062, 6), (0.442, 44), (1.0, 100)])
def test_a_hundred_people_are_drawn_and_the_risk_of_them_progress(risk: float, count: int) -> None:
    found = people([estimate("a", (2, risk))], LOOK)
    assert found is not None
    (persons,) = found.models
    progressing, others = standing(persons.filled), standing(persons.empty)
    assert persons.progressing == len(progressing) == count
    # Twenty in each of five rows, in reading order.
    places = [(5 + 10.0 * x, 5 + 10.0 * y) for y in range(5) for x in range(20)]
    assert progressing + others == places


def test_the_horizon_is_the_one_most_models_give() -> None:
    told = [
        estimate("a", (2, 0.1), (5, 0.2)),
        estimate("b", (5, 0.3)),
        estimate("c", (2, None)),
    ]
    found = people(told, LOOK)
    assert found is not None
    assert found.horizon_years == 5
    assert [persons.model for persons in found.models] == ["a", "b"]


def test_nobody_is_drawn_without_a_risk() -> None:
    assert people([estimate("a", (2, None))], LOOK) is None
