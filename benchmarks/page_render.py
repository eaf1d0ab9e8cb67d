"""Rendering the page of one answered patient: processor time, beside the same answer as JSON.

    python -m benchmarks.page_render [--requests 400] [--check]

The form with three visits is posted to the routes in this process, without sockets, with a made-up
learned model beside all published ones; the peer is the same person at ``POST /v1/risk``,
asked in turn. Processor time counts the writer of the record too.
"""

import argparse
import asyncio
import gc
import gzip
import json
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from benchmarks.page import write_section
from benchmarks.reliability.made_up import made_up_model
from models.artefact import save_artefact
from serving.app import application
from serving.room import Room
from serving.web.form import EXAMPLE, read_form
from serving.web.frame import STATIC

P95_LIMIT_MS = 15.0
WEIGHT_LIMIT_BYTES = 120_000
FORM = b"application/x-www-form-urlencoded"
WARM_UP = 20


def publish(models_dir: Path) -> None:
    """Lay the model out as a registry does."""
    directory = models_dir / "smm-progression"
    save_artefact(made_up_model(), directory / "artefact")
    role = {
        "name": "smm-progression",
        "version": "1",
        "role": "champion",
        "study_hash": "a" * 12,
        "cohort_kind": "simulated",
        "run_id": "b" * 12,
    }
    (directory / "role.json").write_text(json.dumps(role), encoding="utf-8")


async def ask(app: Any, method: str, path: str, kind: bytes = b"", body: bytes = b"") -> bytes:
    """Body of one answer, straight from the routes."""
    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    headers += [(b"content-type", kind)] if kind else []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    told = bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise SystemExit(f"{method} {path} answered {message['status']}")
        told.extend(message.get("body", b""))

    await app(scope, receive, send)
    return bytes(told)


async def measure(app: Any, requests: int) -> dict[str, Any]:
    """Milliseconds of processor and of wall clock of both, in turn, and the page's weight."""
    form = urlencode({**EXAMPLE, "action": "ask"}).encode()
    body = json.dumps(read_form(EXAMPLE).document).encode()
    both = {
        "page": ("POST", "/ui/", FORM, form),
        "json": ("POST", "/v1/risk", b"application/json", body),
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in both}
    for turn in range(requests + WARM_UP):
        for name, asked in both.items():
            cpu, wall = time.process_time(), time.perf_counter()
            await ask(app, *asked)
            if turn >= WARM_UP:
                passed = time.process_time() - cpu, time.perf_counter() - wall
                spent[name].append(passed)
    first = ["/ui/", *(f"/ui/static/{name}" for name in STATIC)]
    weight = sum([len(gzip.compress(await ask(app, "GET", path))) for path in first])
    return {
        "milliseconds": {name: 1000 * np.array(rows) for name, rows in spent.items()},
        "weight": weight,
        "answered": len(gzip.compress(await ask(app, *both["page"]))),
    }


def main() -> None:
    """Measure, write the section, and hold the limits when asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--check", action="store_true", help="fail beyond the limits")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        models_dir = Path(home) / "serving"
        publish(models_dir)
        room = Room(models_dir, Path(home) / "audit")
        room.open()
        # As a worker does once it is up.
        gc.collect()
        gc.freeze()
        try:
            found = asyncio.run(measure(application(room), options.requests))
        finally:
            room.close()
    page, peer = found["milliseconds"]["page"], found["milliseconds"]["json"]
    p50, p95 = np.percentile(page[:, 0], (50, 95))
    ratio = p50 / np.percentile(peer[:, 0], 50)
    wall = np.percentile(page[:, 1], 95)
    print(f"page: {p50:.1f} ms of processor (median), {p95:.1f} ms (95th percentile)")
    print(f"{ratio:.1f} times the same answer as JSON; {wall:.1f} ms of wall clock (95th)")
    print(
        f"first load {found['weight'] / 1000:.1f} kB, answered page {found['answered'] / 1000:.1f}"
    )
    write_section(
        "page_render",
        f"""## The page (`python -m benchmarks.page_render`)

One patient with three visits, answered and rendered in one process, {options.requests} times in
turn with the same person at `POST /v1/risk`.

| measure | value | limit |
|---|---|---|
| processor time, 95th percentile | {p95:.1f} ms (median {p50:.1f} ms) | {P95_LIMIT_MS:.0f} ms |
| wall clock, 95th percentile | {wall:.1f} ms | |
| ratio to the answer as JSON | {ratio:.1f} | |
| first load, gzip | {found["weight"] / 1000:.1f} kB | {WEIGHT_LIMIT_BYTES // 1000} kB |
| answered page, gzip | {found["answered"] / 1000:.1f} kB | |
""",
    )
    if options.check and (p95 > P95_LIMIT_MS or found["weight"] > WEIGHT_LIMIT_BYTES):
        raise SystemExit("beyond the limit")


if __name__ == "__main__":
    main()
