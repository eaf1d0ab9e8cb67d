"""The real server, in its own process, as the command line starts it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest

Body = dict[str, Any]
Server = Any

ROOT = Path(__file__).parents[2]
SENTINEL = 48151623.42
WORD = "Zaphod-Beeblebrox"


@pytest.fixture
def http(server: Server) -> Any:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def test_the_server_answers_as_the_library_does(http: httpx.Client, body: Body) -> None:
    from serving.answer import Answered, answer
    from serving.lineup import NOTHING_LEARNED
    from serving.request import read_risk
    from serving.room import latest_today

    models = ["20-2-20", "pangea-smm"]
    got = http.post("/v1/risk", json=body | {"models": models}).json()
    (told,) = answer(
        [read_risk(body)[0]], NOTHING_LEARNED.choose(models), today=latest_today(), cards={}
    )
    assert isinstance(told, Answered)
    del got["request_id"]
    assert got == msgspec.json.decode(msgspec.json.encode(told.document))


def test_no_value_and_no_identifier_reaches_a_log_or_a_metric(
    server: Server, http: httpx.Client, body: Body
) -> None:
    body["subject"]["id"] = WORD
    assert http.post("/v1/risk", json=body).status_code == 200
    body["visits"][1]["labs"]["m_protein"]["value"] = SENTINEL
    assert http.post("/v1/risk", json=body).status_code == 422
    body["visits"][1]["labs"]["m_protein"]["unit"] = WORD
    assert http.post("/v1/risk", json=body).status_code == 422
    assert http.post("/v1/risk/batch", json={"subjects": [body]}).status_code == 200
    body["visits"][1]["date"] = WORD
    assert http.post("/v1/risk", json=body | {WORD: SENTINEL}).status_code == 400
    headers = {"content-type": "application/json", "x-request-id": WORD, "user-agent": WORD}
    broken = f'{{"subject": {SENTINEL}, "{WORD}'.encode()
    assert http.post("/v1/risk", content=broken, headers=headers).status_code == 400
    assert http.get(f"/v1/models/{WORD}?{WORD}={SENTINEL}").status_code == 404
    assert http.get(f"/{WORD}?{WORD}={SENTINEL}").status_code == 404
    form = {"visits[0].labs.m_protein.value": WORD, "visits[0].date": WORD, "subject.age": "48151"}
    assert http.post("/ui/", data=form).status_code == 422
    seen = server.output.read_text() + http.get("/metrics").text
    assert seen
    for secret in (WORD, "48151", "Zaphod"):
        assert secret not in seen


def test_a_worker_needs_no_frame_no_learner_and_no_tracker(tmp_path: Path) -> None:
    script = """
import asyncio, json, sys
from pathlib import Path
import httpx
from serving import service
from serving.examples import EXAMPLE

service.room().open()
async def ask():
    app = service.application(service.room())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [await client.post("/v1/risk", json=EXAMPLE), await client.get("/ui/"),
                   await client.get("/metrics"), await client.get("/openapi.json")]
        return [answer.status_code for answer in answers]
assert asyncio.run(ask()) == [200] * 4
heavy = {"pandas", "sklearn", "scipy", "xgboost", "mlflow", "pyarrow", "matplotlib"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SMOULDER_MODELS_DIR": "nowhere"}
    environment["SMOULDER_AUDIT_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_worker_stays_below_150_megabytes_and_loads_no_learner(
    server: Server, http: httpx.Client, body: Body
) -> None:
    for _ in range(50):
        assert http.post("/v1/risk", json=body).status_code == 200
    (worker,) = server.workers()
    maps = (worker / "maps").read_text()
    for library in ("pandas", "sklearn", "xgboost", "pyarrow"):
        assert library not in maps
    resident = next(
        line for line in (worker / "status").read_text().splitlines() if "VmRSS" in line
    )
    assert int(resident.split()[1]) < 150 * 1024


def test_nobody_is_talked_to_but_callers_on_loopback(server: Server, http: httpx.Client) -> None:
    assert http.get("/livez").status_code == 200
    listening = []
    for pid in (server.pid, *(int(worker.name) for worker in server.workers())):
        held = psutil.Process(pid).net_connections("inet")
        assert all(each.laddr.ip == "127.0.0.1" for each in held)
        assert all(each.raddr.ip == "127.0.0.1" for each in held if each.raddr)
        listening += [each.laddr.port for each in held if each.status == psutil.CONN_LISTEN]
    # No port to give the supervisor commands at, as BentoML's own has two of.
    assert set(listening) == {httpx.URL(server.url).port}


@pytest.mark.parametrize(
    "path", ["/docs.json", "/schema.json", "/static_content/index.html", "/healthz", "/smoulder"]
)
def test_nothing_of_the_frameworks_own_pages_is_served(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_a_stream_without_end_is_refused_and_the_next_request_answered(
    http: httpx.Client, body: Body
) -> None:
    def endless() -> Any:
        for _ in range(100_000):
            yield b" " * 65536

    try:
        response = http.post(
            "/v1/risk", content=endless(), headers={"content-type": "application/json"}
        )
        assert response.status_code == 413
    except httpx.TransportError:
        pass  # the server may hang up before the client has read the refusal
    assert http.post("/v1/risk", json=body).status_code == 200


def test_a_promoted_version_is_served_within_ten_seconds_and_a_corrupt_one_never(
    server: Server, http: httpx.Client, publish: Any
) -> None:
    def shown() -> tuple[str, str]:
        ready = http.get("/readyz").json()
        version = http.get("/v1/models/smm-progression").json()["version"]
        return version, ready["status"]

    def until(expected: tuple[str, str]) -> float:
        began = time.monotonic()
        while shown() != expected:
            assert time.monotonic() - began < 60, shown()
            time.sleep(0.1)
        return time.monotonic() - began

    publish(server.models_dir, version="2")
    took = [until(("2", "ready"))]
    publish(server.models_dir, version="3", spoil="arrays.npz")
    took.append(until(("2", "degraded")))
    assert "smoulder_model_faults 1.0" in http.get("/metrics").text
    publish(server.models_dir, version="4")
    took.append(until(("4", "ready")))
    # Load makes one slow and none quick.
    assert min(took) < 10
