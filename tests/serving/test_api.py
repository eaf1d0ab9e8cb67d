import copy
import json
from typing import Any

import jsonschema
import pytest

from features.errors import AuditError
from models.catalogue import DEFAULT, PUBLISHED
from serving.limits import RISK_BYTES
from serving.openapi import document
from serving.problems import PROBLEM_KINDS

Body = dict[str, Any]
Client = Any

HEADERS = {"content-type": "application/json"}


def schema(name: str) -> jsonschema.Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema.Draft202012Validator(root)


def assert_problem(response: Any, status: int, *fields: str) -> Body:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: Body = response.json()
    schema("Problem").validate(content)
    kind = {kind.status: kind for kind in PROBLEM_KINDS}[status]
    assert (content["type"], content["title"], content["status"]) == (
        kind.type,
        kind.title,
        status,
    )
    assert content["request_id"] == response.headers["x-request-id"]
    assert {error["field"] for error in content["errors"]} == set(fields)
    return content


def test_learned_and_published_models_answer_side_by_side(client: Client, body: Body) -> None:
    response = client.post("/v1/risk", json=body)
    assert response.status_code == 200
    answer = response.json()
    schema("RiskAnswer").validate(answer)
    assert [e["model"] for e in answer["estimates"]] == ["smm-progression", *DEFAULT]
    learned = answer["estimates"][0]
    assert (learned["kind"], learned["role"], learned["version"]) == ("learned", "champion", "1")
    assert learned["provenance"]["cohort_kind"] == "simulated"
    assert learned["provenance"]["notice"].startswith("Demonstration")
    assert answer["request_id"] == response.headers["x-request-id"]


def test_the_learned_risk_is_the_models_own(client: Client, body: Body, learned_model: Any) -> None:
    import numpy as np

    answer = client.post("/v1/risk", json=body | {"models": ["smm-progression"]}).json()
    got = [row["risk"] for row in answer["estimates"][0]["risks"]]
    expected = learned_model.estimate_matrix(np.array([[2.4, 12.4]])).risk[0]
    assert got == pytest.approx(list(expected), abs=1e-9)


def test_intervals_can_be_left_out(client: Client, body: Body) -> None:
    answer = client.post("/v1/risk", json=body | {"intervals": False}).json()
    schema("RiskAnswer").validate(answer)
    for estimate in answer["estimates"]:
        assert estimate["interval"] is None
        assert {(r["lower"], r["upper"]) for r in estimate["risks"]} <= {(None, None)}


def _unit(body: Body) -> None:
    body["visits"][1]["labs"]["m_protein"]["unit"] = "mg/dl"


def _value(body: Body) -> None:
    body["visits"][1]["labs"]["calcium"] = {"value": 230, "unit": "mmol/L"}


def _future(body: Body) -> None:
    body["visits"][1]["date"] = "2031-01-01"


def _twice(body: Body) -> None:
    body["visits"][0]["date"] = body["visits"][1]["date"]


def _no_lab(body: Body) -> None:
    body["visits"] = [{"date": "2025-09-09", "labs": {}}]


def _model(body: Body) -> None:
    body["models"] = ["20-2-20", "no-such-model"]


def _analyte(body: Body) -> None:
    body["visits"][0]["labs"]["sodium"] = {"value": 140, "unit": "mmol/L"}


@pytest.mark.parametrize(
    ("spoil", "fields"),
    [
        (_unit, ["visits[1].labs.m_protein.unit"]),
        (_value, ["visits[1].labs.calcium.value"]),
        (_future, ["visits[1].date"]),
        (
            _twice,
            [f"visits[1].labs.{name}.value" for name in ("m_protein", "hemoglobin", "creatinine")],
        ),
        (_no_lab, ["visits"]),
        (_model, ["models[1]"]),
        (_analyte, ["visits[0].labs.sodium"]),
    ],
)
def test_the_impossible_is_one_problem_that_names_its_field(
    client: Client, body: Body, spoil: Any, fields: list[str]
) -> None:
    spoil(body)
    assert_problem(client.post("/v1/risk", json=body), 422, *fields)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"", []),
        (b"[]", ["body"]),
        (b'{"subject": {}, "visits": []}', ["subject.sex", "subject.age", "visits"]),
        (b'{"subject": NaN}', []),
        (b"not json", []),
    ],
)
def test_the_malformed_is_a_400(client: Client, content: bytes, fields: list[str]) -> None:
    response = client.post("/v1/risk", content=content, headers=HEADERS)
    assert assert_problem(response, 400, *fields)["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/csv"},
        {"content-type": "application/vnd.bentoml+pickle"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_other_media_types_are_a_415(client: Client, body: Body, headers: Body) -> None:
    content = json.dumps(body).encode()
    assert_problem(client.post("/v1/risk", content=content, headers=headers), 415)


def test_a_body_is_too_large_by_what_arrives(client: Client) -> None:
    async def chunks() -> Any:
        for _ in range(RISK_BYTES // 1024 + 1):
            yield b" " * 1024

    assert_problem(client.post("/v1/risk", content=chunks(), headers=HEADERS), 413)
    declared = HEADERS | {"content-length": "2000000000"}
    assert_problem(client.post("/v1/risk", content=b"{}", headers=declared), 413)


def test_deep_nesting_is_refused(client: Client) -> None:
    assert_problem(client.post("/v1/risk", content=b"[" * 200_000, headers=HEADERS), 413)


def test_unknown_routes_and_methods_are_problems_too(client: Client) -> None:
    assert_problem(client.get("/v2/risk"), 404)
    assert_problem(client.get("/v1/models/no-such-model"), 404)
    assert_problem(client.get("/docs.json"), 404)
    assert_problem(client.get("/livez%0a"), 404)
    refused = client.get("/v1/risk")
    assert_problem(refused, 405)
    assert refused.headers["allow"] == "POST"


def test_a_bad_subject_of_a_batch_fails_alone(client: Client, body: Body) -> None:
    body["subject"]["id"] = "A"
    bad = copy.deepcopy(body)
    bad["subject"]["id"] = "B"
    _unit(bad)
    shapeless: Body = {"subject": []}
    response = client.post("/v1/risk/batch", json={"subjects": [body, bad, shapeless, body]})
    assert response.status_code == 200
    content = response.json()
    schema("BatchAnswer").validate(content)
    answers = content["answers"]
    assert [entry["status"] for entry in answers] == [200, 422, 400, 200]
    assert [entry.get("id") for entry in answers] == ["A", "B", None, "A"]
    (error,) = answers[1]["problem"]["errors"]
    assert error["field"] == "visits[1].labs.m_protein.unit"
    single = client.post("/v1/risk", json=body).json()
    del single["request_id"]
    assert answers[0]["answer"] == answers[3]["answer"] == single


def test_an_empty_batch_is_refused(client: Client) -> None:
    assert_problem(client.post("/v1/risk/batch", json={"subjects": []}), 422, "subjects")


def test_models_tell_what_answers_and_from_where(client: Client) -> None:
    content = client.get("/v1/models").json()
    schema("Models").validate(content)
    names = [model["model"] for model in content["models"]]
    assert set(names) == {"smm-progression", *PUBLISHED}
    one = client.get("/v1/models/20-2-20").json()
    schema("ModelAnswer").validate(one)
    assert one["required"] == ["bmpc", "m_protein", "flc_ratio_involved"]
    assert "doi:10.1038/s41408-018-0077-4" in one["provenance"]["citation"]
    learned = client.get("/v1/models/smm-progression").json()
    assert learned["provenance"]["notice"].startswith("Demonstration")
    assert learned["required"] == ["m_protein"]


def test_probes_and_metrics_answer(client: Client, body: Body) -> None:
    client.post("/v1/risk", json=body)
    schema("Alive").validate(client.get("/livez").json())
    ready = client.get("/readyz").json()
    schema("Ready").validate(ready)
    assert ready["status"] == "ready"
    text = client.get("/metrics").text
    assert 'smoulder_requests_total{route="risk",status="200"} 1.0' in text
    assert 'smoulder_estimates_total{model="20-2-20",status="ok"} 1.0' in text
    model = '{model="smm-progression",role="champion",version="1"}'
    assert f"smoulder_model_info{model} 1.0" in text


def test_an_answer_that_could_not_be_recorded_is_told_until_one_can(
    client: Client, body: Body, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Any) -> None:
        raise AuditError("the audit log: database or disk is full")

    with monkeypatch.context() as fault:
        fault.setattr(room.audit._store, "append", full)
        assert_problem(client.post("/v1/risk", json=body), 503)
        told = client.get("/readyz")
    (found,) = told.json()["faults"]
    assert (told.status_code, told.json()["status"]) == (200, "degraded")
    assert found["model"] == "audit"
    assert found["fault"].endswith("database or disk is full")
    assert client.post("/v1/risk", json=body).status_code == 200
    assert client.get("/readyz").json()["status"] == "ready"


def test_before_its_models_are_loaded_a_server_says_so(room: Any, client: Client) -> None:
    room.ready = False
    assert_problem(client.get("/readyz"), 503)
    assert_problem(client.post("/v1/risk", json={}), 503)
    assert client.get("/livez").status_code == 200


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for path in ("/livez", "/v1/models", "/nowhere", "/ui/"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        # An empty form may be kept for the way back; see `tests/serving/web/test_frame.py`.
        assert headers["cache-control"] == ("no-cache" if path == "/ui/" else "no-store")
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["x-request-id"]


def test_two_requests_have_two_ids(client: Client) -> None:
    ids = {client.get("/livez").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
