import csv
import io
from typing import Any

from serving.web.download import as_csv
from serving.web.form import EXAMPLE

Client = Any


def test_the_json_file_is_the_answer_of_the_api(client: Client) -> None:
    from serving.web.form import read_form

    response = client.post("/ui/download/json", data=dict(EXAMPLE))
    assert response.status_code == 200
    disposition = response.headers["content-disposition"]
    assert disposition == 'attachment; filename="smoulder-2025-09-09.json"'
    api = client.post("/v1/risk", json=read_form(EXAMPLE).document).json()
    del api["request_id"]
    assert response.json() == api


def test_the_table_has_every_risk_and_every_refusal(client: Client) -> None:
    answer = client.post("/ui/download/json", data=dict(EXAMPLE)).json()
    table = client.post("/ui/download/csv", data=dict(EXAMPLE)).text
    rows = list(csv.DictReader(io.StringIO(table)))
    expected = [
        (entry["model"], str(row["horizon_years"]), row["risk"])
        for entry in answer["estimates"]
        for row in entry["risks"]
    ]
    got = [
        (row["model"], row["horizon_years"], float(row["risk"]) if row["risk"] else None)
        for row in rows
        if row["status"] != "refused"
    ]
    assert got == expected
    refused = {row["model"]: row["reason"] for row in rows if row["status"] == "refused"}
    assert refused["mgus-m-protein"] == "for MGUS; staging says SMM"


def test_the_fhir_file_is_the_bundle_of_the_api(client: Client) -> None:
    response = client.post("/ui/download/fhir", data=dict(EXAMPLE))
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["content-disposition"].endswith('smoulder-2025-09-09.fhir.json"')
    bundle = response.json()
    told = [e["resource"] for e in bundle["entry"]]
    by_model = {
        r["method"]["coding"][0]["code"]: r for r in told if r["resourceType"] == "RiskAssessment"
    }
    # 20/2/20 high: 44.2 % within two years
    first = by_model["20-2-20"]["prediction"][0]
    assert first["probabilityDecimal"] == 44.2


def test_no_cell_is_taken_for_a_formula() -> None:
    document = {
        "as_of": "2025-09-09",
        "staging": {"stage": "=cmd()"},
        "estimates": [
            {
                "model": "@SUM(A1)",
                "version": "+1",
                "status": "refused",
                "reason": "-1",
                "interval": None,
                "risks": [],
            }
        ],
    }
    (row,) = csv.DictReader(io.StringIO(as_csv(document).decode()))
    assert not any((cell or "").startswith(("=", "+", "-", "@")) for cell in row.values())


def test_a_form_with_a_problem_gives_the_page_and_no_file(client: Client) -> None:
    spoilt = {**EXAMPLE, "subject.age": "old"}
    response = client.post("/ui/download/csv", data=spoilt)
    assert response.status_code == 422
    assert "content-disposition" not in response.headers
    assert client.post("/ui/download/exe", data=dict(EXAMPLE)).status_code == 404
