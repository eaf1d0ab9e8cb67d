"""What a model says, as the pages read it."""

from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]


def _entry(model: str, horizon: float, risk: float | None, **more: Any) -> Json:
    row = {"horizon_years": horizon, "risk": risk, "lower": None, "upper": None}
    row |= {name: more.pop(name) for name in ("lower", "upper") if name in more}
    return {
        "model": model,
        "label": model,
        "kind": "published",
        "version": "2020",
        "status": "ok",
        "risks": [row],
        "missing": [],
        "interval": None,
        "provenance": {},
        **more,
    }


@pytest.fixture
def entry() -> Callable[..., Json]:
    """One model's entry in an answer: identifier, horizon, risk, and what else differs."""
    return _entry
