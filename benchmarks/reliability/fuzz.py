"""A hundred thousand requests, each spoilt in its own way: no 5xx, nothing undeclared, no NaN."""

import copy
import http.client
import json
import random
import threading
from collections import Counter
from typing import Any, NoReturn

from benchmarks.reliability.finding import Finding
from benchmarks.reliability.served import Served
from serving.examples import CDS_EXAMPLE, EXAMPLE, FEEDBACK_EXAMPLE, FHIR_EXAMPLE
from serving.openapi import document

__all__ = ["fuzzed_requests"]

CDS = "/cds-services/smoulder-progression"
BODIES: dict[str, Any] = {
    "/v1/risk": EXAMPLE,
    "/v1/risk/batch": {"subjects": [EXAMPLE]},
    "/v1/fhir/risk-assessment": FHIR_EXAMPLE,
    CDS: CDS_EXAMPLE,
    f"{CDS}/feedback": FEEDBACK_EXAMPLE,
}
# One subject is what is asked most, and FHIR costs most to read.
SHARES = {
    "/v1/risk": 8,
    "/v1/risk/batch": 2,
    "/v1/fhir/risk-assessment": 2,
    CDS: 1,
    f"{CDS}/feedback": 1,
}
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1e300, -1e300, 1e-320, 2**63, 10**30, 0.1, "", " ", "x", "NaN",
    "Infinity", "2025-13-01", "2025-02-30", "9999-12-31", "0001-01-01", "\u0000", "é" * 300,
    [], {}, [[]], {"value": 1}, "mg/dL", "g/L", "female", "Bundle", "Patient", "Observation",
)  # fmt: skip
TEXTS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b'"\\ud800"',
    b"01",
    b"1.",
    b"\xff",
    b"9" * 500,
)
TYPES = (
    "application/json",
    "application/fhir+json",
    "text/csv",
    "application/json; charset=latin-1",
)
SENDERS = 4


def fuzzed_requests(served: Served, short: bool) -> Finding:
    """Requests spoilt at random from a fixed seed."""
    count = 1000 if short else 100_000
    declared = {
        path: {
            (method.upper(), int(status))
            for method, operation in item.items()
            if method != "parameters"
            for status in operation["responses"]
        }
        for path, item in document()["paths"].items()
    }
    counts: list[_Counts] = [_Counts() for _ in range(SENDERS)]
    threads = [
        threading.Thread(
            target=_send_many, args=(served.port, seed, count // SENDERS, declared, each)
        )
        for seed, each in enumerate(counts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses: Counter[int] = sum((each.statuses for each in counts), Counter())
    undeclared: Counter[str] = sum((each.undeclared for each in counts), Counter())
    failed = sum(n for status, n in statuses.items() if status >= 500)
    broken, not_json = sum(each.broken for each in counts), sum(each.not_json for each in counts)
    shown = ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
    return Finding(
        f"{sum(statuses.values()):,} requests, each spoilt in its own way",
        f"{failed} of 5xx, {sum(undeclared.values())} undeclared, {not_json} with NaN or no strict "
        f"JSON, {broken} connections broken ({shown})"
        + (f"; undeclared: {dict(undeclared)}" if undeclared else ""),
        "0 of 5xx, 0 undeclared, 0 NaN",
        failed == 0 and not undeclared and not_json == 0 and broken == 0,
    )


class _Counts:
    """What one sender saw."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.undeclared: Counter[str] = Counter()
        self.not_json = 0
        self.broken = 0


def _send_many(
    port: int, seed: int, count: int, declared: dict[str, set[tuple[str, int]]], counts: _Counts
) -> None:
    chance = random.Random(seed)
    paths = [path for path, share in SHARES.items() for _ in range(share)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(count):
        path = chance.choice(paths)
        method = "POST" if chance.random() < 0.98 else chance.choice(("GET", "PUT", "DELETE"))
        headers = {"content-type": _media_type(chance, path)}
        try:
            connection.request(method, path, _spoilt(chance, path), headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            counts.broken += 1
            connection.close()
            continue
        counts.statuses[response.status] += 1
        answered = ("POST" if method != "POST" else method, response.status)
        if answered not in declared[path]:
            counts.undeclared[f"{method} {path} {response.status}"] += 1
        try:
            json.loads(content, parse_constant=_refuse)
        except ValueError:
            counts.not_json += 1
    connection.close()


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _media_type(chance: random.Random, path: str) -> str:
    if chance.random() < 0.03:
        return chance.choice(TYPES)
    return "application/fhir+json" if "fhir" in path else "application/json"


def _spoilt(chance: random.Random, path: str) -> bytes:
    body = copy.deepcopy(BODIES[path])
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        body = _changed(chance, body)
    text = json.dumps(body).encode()
    kind = chance.random()
    if kind < 0.03:
        at = chance.randrange(len(text))
        return text[:at]
    if kind < 0.06:
        at = chance.randrange(len(text))
        return text[:at] + chance.randbytes(chance.randrange(1, 5)) + text[at + 1 :]
    if kind < 0.09:
        return text.replace(b"21", chance.choice(TEXTS), 1)
    return text


def _changed(chance: random.Random, node: Any) -> Any:
    """A document with one place somewhere inside changed, removed, repeated or added."""
    if not isinstance(node, dict | list) or not node or chance.random() < 0.08:
        return _odd(chance) if not isinstance(node, int | float) else _number(chance, node)
    if isinstance(node, list):
        at = chance.randrange(len(node))
        if chance.random() < 0.15:
            return [*node, copy.deepcopy(node[at])]
        node[at] = _changed(chance, node[at])
        return node
    key = chance.choice(list(node))
    draw = chance.random()
    if draw < 0.06:
        del node[key]
    elif draw < 0.10:
        node[chance.choice(("x", "", "é", "resourceType", "value", key.upper()))] = _odd(chance)
    else:
        node[key] = _changed(chance, node[key])
    return node


def _odd(chance: random.Random) -> Any:
    # A copy: what is put into a document may be changed there, and must be what it is next time.
    return copy.deepcopy(chance.choice(ODD))


def _number(chance: random.Random, value: float) -> float:
    return chance.choice((value * 10, value / 10, -value, 0, value + 0.5, 1e9, 1e-9, value * 1000))
