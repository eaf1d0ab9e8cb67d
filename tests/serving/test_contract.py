"""The running server held to its own OpenAPI document, by generated requests."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from serving.openapi import document

Server = Any


def open_document() -> dict[str, Any]:
    """The document of a server on loopback, where access control is off and anybody may ask."""
    content = copy.deepcopy(document())
    del content["components"]["securitySchemes"]
    for item in content["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return content


SCHEMA = schemathesis.openapi.from_dict(open_document())
OPERATIONS = {
    f"{operation.ok().method.upper()} {operation.ok().path}": operation.ok()
    for operation in SCHEMA.get_all_operations()
}


EXCLUDED = {
    # A visit in the future is of the right shape and refused all the same.
    "/v1/risk": [positive_data_acceptance],
    # A subject of the wrong shape fails inside an answer of 200.
    "/v1/risk/batch": [positive_data_acceptance, negative_data_rejection],
    # A Bundle of the right shape may hold nobody, or no test of the catalogue.
    "/v1/fhir/risk-assessment": [positive_data_acceptance],
    # The chart may come without its Patient (412) or with somebody else's (422).
    "/cds-services/smoulder-progression": [positive_data_acceptance],
}

# Only a body can be wrong: the other routes take nothing that a schema could be broken by.
CASES = [(name, GenerationMode.POSITIVE) for name in OPERATIONS]
CASES += [(name, GenerationMode.NEGATIVE) for name in OPERATIONS if name.startswith("POST")]


@pytest.mark.parametrize(("name", "mode"), CASES, ids=lambda each: getattr(each, "value", each))
def test_every_answer_is_a_declared_one(server: Server, name: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[name]
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=40 if operation.method.lower() == "post" else 5,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def hold(case: Any) -> None:
        response = case.call(base_url=server.url)
        assert response.status_code < 500, response.text
        case.validate_response(response, excluded_checks=EXCLUDED.get(operation.path, []))

    hold()


def test_every_boundary_and_every_sequence_of_the_document_is_answered_as_declared(
    server: Server, tmp_path: Path
) -> None:
    """The phases that a strategy does not make: examples, coverage, stateful."""
    (tmp_path / "openapi.json").write_text(json.dumps(open_document()), encoding="utf-8")
    options = ["--phases", "examples,coverage,stateful", "--max-examples", "5", "--seed", "1"]
    # Of the right shape and refused all the same: see above.
    options += ["--exclude-checks", "positive_data_acceptance", "--continue-on-failure"]
    command = ["run", "openapi.json", "--url", server.url, "--no-color", *options]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated is not None
    assert int(generated[1]) > 500


def test_the_example_of_every_route_is_answered(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path, operations in paths.items():
            for method, operation in operations.items():
                if method == "parameters":
                    continue
                content = operation.get("requestBody", {}).get("content", {})
                options: Any = {}
                for media_type, body in content.items():
                    options = {
                        "content": json.dumps(body["examples"]["made-up"]["value"]),
                        "headers": {"content-type": media_type},
                    }
                response = client.request(method, path.format(name="20-2-20"), **options)
                assert response.status_code == 200, (path, response.text)


@SCHEMA.parametrize()
@settings(max_examples=1, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_examples_and_every_corner_of_the_schema_are_answered_as_declared(
    case: Any, server: Server
) -> None:
    response = case.call(base_url=server.url)
    assert response.status_code < 500, response.text
    case.validate_response(response, excluded_checks=EXCLUDED.get(case.operation.path, []))


def test_what_an_answer_links_to_is_answered_as_declared(server: Server) -> None:
    asked = set()

    class Followed(SCHEMA.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            asked.add(case.operation.path)
            return {"base_url": server.url}

    chains = settings(
        max_examples=3,
        stateful_step_count=4,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Followed.run(settings=chains)
    assert asked == {"/v1/models", "/v1/models/{name}"}
