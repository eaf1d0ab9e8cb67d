"""The real server with access control on, and nothing of a patient in what it writes down."""

import copy
import json
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.reliability.served import Served
from serving.access.callers import PUBLIC, SCOPES, needed
from serving.access.keys import add_key, revoke_key
from serving.app import ALL_ROUTES
from serving.openapi import document

WORD, NUMBER = "Zaphod-Beeblebrox", 48151623.42


def path_of(path: str) -> str:
    """Path with a word in the place of every part that may be any."""
    return re.sub(r"\{\w+\}", WORD, path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, collector: Any) -> Iterator[Served]:
    """One worker that finds a key when it starts, and so asks for one; it logs and traces all."""
    home = tmp_path_factory.mktemp("guarded")
    _, text = add_key(home / "access", "everything", SCOPES)
    (home / "access" / "access.toml").write_text("[rate]\nper_minute = 1e6\nburst = 1e6\n")
    (home / "key").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMOULDER_LOG_FORMAT", "json")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        patch.delenv("OTEL_SDK_DISABLED", raising=False)
        with Served(home, workers=1) as served:
            yield served


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    key = (served.home / "key").read_text()
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=60) as client:
        yield client


def test_a_server_that_finds_a_key_asks_for_one(served: Served, http: httpx.Client) -> None:
    for path in ("/v1/models", "/metrics", "/v1/nothing"):
        assert httpx.get(f"{served.url}{path}", timeout=60).status_code == 401
    assert httpx.get(f"{served.url}/livez", timeout=60).status_code == 200
    assert http.get("/v1/models").status_code == 200


def test_a_key_made_and_revoked_while_it_runs_counts_within_seconds(served: Served) -> None:
    def status(text: str) -> int:
        shown = {"authorization": f"Bearer {text}"}
        return httpx.get(f"{served.url}/v1/models", headers=shown, timeout=60).status_code

    def until(text: str, expected: int) -> None:
        began = time.monotonic()
        while status(text) != expected:
            assert time.monotonic() - began < 30
            time.sleep(0.1)

    _, text = add_key(served.home / "access", "brief", ["models"])
    until(text, 200)
    revoke_key(served.home / "access", "brief")
    until(text, 401)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything in a document that is no list or object."""
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inner:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def spoilt(example: Any, path: tuple[Any, ...], value: Any) -> Any:
    body = copy.deepcopy(example)
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return body


def poisoned() -> Iterator[tuple[str, Any]]:
    """Every example of the API with a word and a number in the place of each leaf in turn."""
    for path, item in document()["paths"].items():
        for content in item.get("post", {}).get("requestBody", {}).get("content", {}).values():
            for example in content["examples"].values():
                for leaf in leaves(example["value"]):
                    for value in (WORD, NUMBER):
                        yield path, spoilt(example["value"], leaf, value)


def odd_requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and options: every route asked in ways that nobody should ask."""
    headers = {"x-request-id": WORD, "user-agent": WORD, "referer": f"http://{WORD}", "host": WORD}
    headers |= {"cookie": f"smoulder_session={WORD}", "traceparent": WORD}
    form = {WORD: WORD, "visits[0].labs.m_protein.value": str(NUMBER), "visits[0].date": WORD}
    files = {"file": (f"{WORD}.csv", f"subject_id,date,m_protein_g_dl\n{WORD},{WORD},{NUMBER}\n")}
    bodies: tuple[dict[str, Any], ...] = (
        {"content": f'{{"{WORD}": {NUMBER}'.encode()},
        {"data": form},
        {"files": files},
        {"json": {WORD: NUMBER}},
        {"json": [[WORD, NUMBER]]},
    )
    for route in ALL_ROUTES:
        path = f"{path_of(route.path)}?{WORD}={NUMBER}&lang={WORD}"
        for method in route.methods or ():
            for body in bodies:
                for shown in ({}, {"authorization": f"Bearer {WORD}"}):
                    yield method, path, {**body, "headers": headers | shown}


def hold_no_secret(served: Served, http: httpx.Client, collector: Any) -> None:
    """Check logs, metrics, spans and every file that the server writes."""
    last = http.get("/metrics")
    until = time.monotonic() + 60
    while not any(last.headers["x-request-id"].encode() in sent for sent in collector.sent):
        assert time.monotonic() < until
        time.sleep(0.05)
    spans = b"".join(collector.sent)
    assert spans.count(b"smoulder.request_id") > 200
    assert struct.pack("<d", NUMBER) not in spans
    logged = served.output.read_text(errors="replace")
    assert logged.count('"route": "risk"') > 10
    written = logged + last.text + spans.decode("latin-1")
    for folder in (served.audit_dir, served.home / "access", served.models_dir):
        for file in folder.rglob("*"):
            if file.is_file():
                written += file.read_bytes().decode("latin-1")
    assert len(written) > 10_000
    for secret in (WORD, "Zaphod", str(int(NUMBER)), (served.home / "key").read_text()):
        assert secret not in written


def test_no_value_and_no_identifier_of_a_request_is_written_down(
    served: Served, http: httpx.Client, collector: Any
) -> None:
    asked = 0
    for path, body in poisoned():
        response = http.post(path_of(path), json=body)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            # A word that was not understood may be told back to its sender; a number never is.
            assert str(int(NUMBER)) not in response.text, (path, response.text)
        asked += 1
    assert asked > 200
    hold_no_secret(served, http, collector)


def test_nothing_of_an_odd_request_is_written_down(
    served: Served, http: httpx.Client, collector: Any
) -> None:
    for method, path, options in odd_requests():
        response = http.request(method, path, **options)
        assert response.status_code < 500, (method, path, response.text)
    hold_no_secret(served, http, collector)


def test_every_route_of_the_server_is_one_of_the_enumerated(served: Served) -> None:
    for path, item in document()["paths"].items():
        for method in ("get", "post"):
            if method in item and needed(path) != PUBLIC:
                status = httpx.request(method, served.url + path_of(path), timeout=60).status_code
                assert status in (401, 429), (method, path)


def test_the_record_names_the_caller_and_the_input_by_its_keyed_hash_only(
    served: Served, http: httpx.Client
) -> None:
    import sqlite3
    from contextlib import closing

    (example,) = [
        each["value"]
        for each in document()["paths"]["/v1/risk"]["post"]["requestBody"]["content"][
            "application/json"
        ]["examples"].values()
    ][:1]
    request_id = http.post("/v1/risk", json=example).headers["x-request-id"]
    path = Path(served.audit_dir) / "audit.db"
    with closing(sqlite3.connect(path)) as connection:
        rows = [json.loads(row[0]) for row in connection.execute("SELECT record FROM audit")]
    (record,) = [row for row in rows if row["request_id"] == request_id]
    assert record["caller"] == "key:everything"
    assert len(record["input"]) == 64
