"""Asking the service in FHIR."""

import json
from collections.abc import Callable
from typing import Any

import pytest

HEADERS = {"content-type": "application/fhir+json"}


@pytest.fixture
def ask(client: Any) -> Callable[[Any], Any]:
    """What is answered to a Bundle."""

    def ask(bundle: Any) -> Any:
        return client.post("/v1/fhir/risk-assessment", content=json.dumps(bundle), headers=HEADERS)

    return ask
