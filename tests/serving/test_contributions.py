"""What a learned model's answer says of each feature."""

from typing import Any

import numpy as np
import pytest

Body = dict[str, Any]


def _learned(client: Any, body: Body) -> Body:
    answer = client.post("/v1/risk", json=body).json()
    (found,) = [entry for entry in answer["estimates"] if entry["kind"] == "learned"]
    return dict(found)


def test_the_largest_effect_comes_first_with_its_input_and_value(client: Any, body: Body) -> None:
    protein, hemoglobin = _learned(client, body)["contributions"]
    # By hand: M-protein 2.4 is 0.9 above the average, slope 0.9 x 0.8; haemoglobin 12.4 is 0.3
    # standard deviations below, slope 0.9 x -0.3.
    assert protein.pop("effect") == pytest.approx(0.9 * 0.8 * 0.9)
    assert hemoglobin.pop("effect") == pytest.approx(0.9 * -0.3 * -0.3)
    assert protein == {
        "horizon_years": 2.0,
        "feature": "m_protein_g_dl",
        "input": "m_protein",
        "value": 2.4,
    }


def test_effects_and_the_average_give_the_risk(client: Any, body: Body) -> None:
    entry = _learned(client, body)
    (risk,) = [each["risk"] for each in entry["risks"] if each["horizon_years"] == 2]
    effects = sum(each["effect"] for each in entry["contributions"])
    # The average of the model in conftest: 0.1 + 0.9 x -2.
    assert np.log(risk / (1 - risk)) == pytest.approx(-1.7 + effects, abs=1e-9)


def test_a_refused_answer_and_one_that_was_not_asked_have_none(client: Any, body: Body) -> None:
    assert "contributions" not in _learned(client, body | {"contributions": False})
    for visit in body["visits"]:
        del visit["labs"]["m_protein"]
    assert "contributions" not in _learned(client, body)


def test_published_models_have_none(client: Any, body: Body) -> None:
    estimates = client.post("/v1/risk", json=body).json()["estimates"]
    assert not any("contributions" in e for e in estimates if e["kind"] == "published")
