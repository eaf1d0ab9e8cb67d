import copy
from typing import Any

import jsonschema
import pytest

from features.analytes import ANALYTES
from serving.app import API
from serving.examples import EXAMPLE
from serving.openapi import document
from serving.request import read_risk

ASKED = {
    "$ref": "#/components/schemas/RiskRequest",
    "components": document()["components"],
}


def test_the_document_is_openapi_3_1_and_names_every_route() -> None:
    content = document()
    assert content["openapi"].startswith("3.1")
    assert set(content["paths"]) == {route.path for route in API}
    for name, component in content["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(component)
        assert component["type"] == "object", name


def test_every_reference_leads_somewhere() -> None:
    content = document()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found: Any = content
                for part in node["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(content)


def test_labs_and_units_of_the_schema_are_the_catalogue() -> None:
    labs = document()["components"]["schemas"]["Labs"]["properties"]
    assert {name: lab["properties"]["unit"]["enum"] for name, lab in labs.items()} == {
        name: list(analyte.units) for name, analyte in ANALYTES.items()
    }


def spoilt(path: list[Any], value: Any) -> dict[str, Any]:
    body = copy.deepcopy(EXAMPLE)
    place: Any = body
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


@pytest.mark.parametrize(
    "body",
    [
        EXAMPLE,
        spoilt(["subject", "sex"], "f"),
        spoilt(["subject", "sex"], None),
        spoilt(["subject", "age"], None),
        spoilt(["subject", "birth_year"], 1964),
        spoilt(["subject", "weight"], 70),
        spoilt(["visits", 0, "date"], None),
        spoilt(["visits", 0, "labs", "sodium"], {"value": 1, "unit": "1"}),
        spoilt(["visits", 0, "labs", "m_protein", "unit"], "mg/dl"),
        spoilt(["visits", 0, "labs", "m_protein", "value"], "24"),
        spoilt(["visits"], None),
        spoilt(["models"], []),
        spoilt(["intervals"], "yes"),
    ],
)
def test_schema_and_reader_take_and_refuse_the_same(body: dict[str, Any]) -> None:
    request, options = read_risk(body)
    reads = not (request.problems or options.problems)
    assert jsonschema.Draft202012Validator(ASKED).is_valid(body) == reads
