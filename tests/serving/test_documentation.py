import json
import re
from pathlib import Path
from typing import Any

import pytest

from serving.app import API
from serving.examples import EXAMPLE
from serving.openapi import document
from serving.problems import PROBLEM_KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_the_documented_routes_are_the_servers() -> None:
    named = set(re.findall(r"^\| `((?:GET|POST) \S+)`", PAGE, re.MULTILINE))
    methods = {route.path: (route.methods or set()) - {"HEAD"} for route in API}
    assert named == {f"{method} {path}" for path, found in methods.items() for method in found}


def test_the_documented_statuses_are_those_of_the_problems() -> None:
    table = PAGE.split("## Failures")[1].split("## Models that answer")[0]
    named = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in row.split(",")
    }
    assert named == {kind.status for kind in PROBLEM_KINDS}


def test_the_documented_members_are_those_of_the_answer() -> None:
    schemas = document()["components"]["schemas"]
    for member in schemas["RiskAnswer"]["properties"]:
        assert re.search(rf"^\| `{member}(\[\])?`", PAGE, re.MULTILINE), member


def test_the_documented_request_is_the_example_of_the_schema() -> None:
    assert BLOCKS[0] == EXAMPLE


def test_the_documented_failure_is_what_the_server_says(client: Any, body: Any) -> None:
    body["visits"][1]["labs"]["m_protein"]["unit"] = "mg/dl"
    got = client.post("/v1/risk", json=body).json()
    del got["request_id"]
    assert got == BLOCKS[1]


@pytest.mark.parametrize("limit", ["1,000 subjects", "256 kB", "16 MB", "20 s"])
def test_the_documented_limits_are_set(limit: str) -> None:
    from serving import limits

    numbers = {
        "1,000 subjects": limits.MOST_SUBJECTS == 1000,
        "256 kB": limits.RISK_BYTES == 256 * 1024,
        "16 MB": limits.BATCH_BYTES == 16 * 1024**2,
        "20 s": limits.BODY_SECONDS == 20,
    }
    assert limit in PAGE
    assert numbers[limit]


def test_the_documented_scopes_are_those_that_keys_can_have() -> None:
    from serving.access.callers import SCOPES

    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.split("| scope | opens |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(SCOPES)
