"""Every route of the application, met with every kind of proof."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.routing import Route

from serving.access.callers import PUBLIC, SCOPES, needed
from serving.access.guard import SIGN_IN, STRANGERS_PER_MINUTE, Guard
from serving.access.keys import add_key, revoke_key, rotate_key
from serving.app import ALL_ROUTES, application

Token = Any
Body = dict[str, Any]

ROUTES = sorted(
    {(method, route.path) for route in ALL_ROUTES for method in (route.methods or set()) - {"HEAD"}}
)
CLOSED = [(method, path) for method, path in ROUTES if needed(path) != PUBLIC]
NAMES = {"name": "20-2-20", "kind": "csv"}
UNSIGNED = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUub3JnIn0."

PROOFS_OF_NOTHING = [
    "no key", "empty", "unknown key", "revoked key", "expired key", "basic", "expired token",
    "early token", "alg none", "alg none by hand", "shared secret", "another key", "another kid",
    "another issuer", "another audience", "no audience", "no expiry", "too long a life", "no proof",
]  # fmt: skip


def path_of(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: NAMES.get(found[1], "x"), path)


@pytest.fixture
def proof(access_dir: Path, token: Token) -> Any:
    """Headers of a proof by its name."""

    def build(name: str, scope: str | None = None) -> dict[str, str]:
        now = int(time.time())

        def key(scopes: Any, **options: Any) -> str:
            return add_key(access_dir, "tester", scopes, **options)[1]

        def revoked() -> str:
            text = key(SCOPES)
            revoke_key(access_dir, "tester")
            return text

        def expired() -> str:
            text = key(SCOPES, days=1e-9)
            time.sleep(0.01)
            return text

        makers = {
            "right key": lambda: key([scope]),
            "right token": lambda: token(scope=f"openid smoulder:{scope}"),
            "wrong scope": lambda: key([name for name in SCOPES if name != scope]),
            "wrong token scope": lambda: token(scope=f"{scope} other:{scope} smoulder:all"),
            "empty": lambda: "",
            "unknown key": lambda: "smoulder_" + "A" * 43,
            "revoked key": revoked,
            "expired key": expired,
            "expired token": lambda: token(iat=now - 900, exp=now - 600),
            "early token": lambda: token(nbf=now + 600),
            "alg none": lambda: token(key="", algorithm="none"),
            "alg none by hand": lambda: UNSIGNED,
            "shared secret": lambda: token(key="x" * 32, algorithm="HS256"),
            "another key": lambda: token(key=ec.generate_private_key(ec.SECP256R1())),
            "another kid": lambda: token(kid="two"),
            "another issuer": lambda: token(iss="https://login.example.com"),
            "another audience": lambda: token(aud="another"),
            "no audience": lambda: token(aud=None),
            "no expiry": lambda: token(exp=None),
            "too long a life": lambda: token(exp=now + 10 * 86_400),
            "no proof": lambda: "x" * 10_000,
        }
        if name == "no key":
            return {}
        if name == "basic":
            return {"authorization": "Basic c21vdWxkZXI6c21vdWxkZXI="}
        return {"authorization": f"Bearer {makers[name]()}"}

    return build


def test_every_route_has_a_scope_or_is_public_on_purpose() -> None:
    assert {path for _, path in ROUTES if needed(path) is None} == set()
    assert {path for _, path in ROUTES if needed(path) == PUBLIC} == {
        "/livez",
        "/readyz",
        "/openapi.json",
        "/ui/static/{name}",
        *[path for _, path in ROUTES if path.startswith(SIGN_IN)],
        *[path for method, path in ROUTES if (method, path) == ("GET", "/cds-services")],
    }
    assert {needed(path) for _, path in ROUTES} - {PUBLIC} <= set(SCOPES)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch, room: Any, access_dir: Path, client_of: Any) -> Any:
    """A guard that lets strangers try as often as they like."""
    monkeypatch.setattr("serving.access.guard.STRANGERS_PER_MINUTE", 1e9)
    monkeypatch.setattr("serving.access.keys.LOOK_SECONDS", 0.0)
    return client_of(application(room, access_dir))


def test_every_route_is_closed_to_every_proof_of_nothing(unhurried: Any, proof: Any) -> None:
    headers = {name: proof(name) for name in PROOFS_OF_NOTHING}
    for method, path in CLOSED:
        for name, shown in headers.items():
            response = unhurried.request(method, path_of(path), headers=shown)
            if needed(path) == "ui" and response.status_code == 303:
                assert response.headers["location"] == SIGN_IN, (method, path, name)
                continue
            assert response.status_code == 401, (method, path, name)
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"


def test_every_route_is_closed_to_the_wrong_scope_and_open_to_the_right_one(
    guarded: Any, proof: Any
) -> None:
    shown = {
        (scope, name): proof(name, scope)
        for scope in SCOPES
        for name in ("wrong scope", "wrong token scope", "right key", "right token")
    }
    for method, path in CLOSED:
        scope = needed(path)
        for name in ("wrong scope", "wrong token scope"):
            response = guarded.request(method, path_of(path), headers=shown[scope, name])
            assert response.status_code == 403, (method, path, name)
            assert f"'{scope}'" in response.json()["detail"]
        for name in ("right key", "right token"):
            response = guarded.request(method, path_of(path), headers=shown[scope, name])
            assert response.status_code not in (401, 403, 429, 500, 503), (method, path, name)


def test_public_routes_ask_for_nothing(guarded: Any) -> None:
    for path in ("/livez", "/readyz", "/openapi.json", "/ui/static/style.css"):
        assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v2/risk", "/v1/risks", "//v1/risk", "/ui2", "/.env"])
def test_a_path_that_no_route_has_is_told_to_nobody_unknown(
    guarded: Any, key: str, path: str
) -> None:
    assert guarded.get(path).status_code == 401
    known = guarded.get(path, headers={"authorization": f"Bearer {key}"})
    assert known.status_code == 404


def test_a_route_that_is_not_listed_is_closed_even_to_the_right_key(
    room: Any, access_dir: Path, key: str, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def secret(_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("serving.app.ALL_ROUTES", [*ALL_ROUTES, Route("/v1/secret", secret)])
    client = client_of(application(room, access_dir))
    response = client.get("/v1/secret", headers={"authorization": f"Bearer {key}"})
    assert response.status_code == 404


def test_the_caller_is_named_in_the_record(
    guarded: Any, room: Any, key: str, token: Token, body: Body
) -> None:
    for proof in (key, token(scope="smoulder:risk")):
        headers = {"authorization": f"Bearer {proof}"}
        assert guarded.post("/v1/risk", json=body, headers=headers).status_code == 200
    assert callers(room) == ["key:everything", "token:https://login.example.org ward-7"]


def callers(room: Any) -> list[str]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(room.audit.path)) as connection:
        rows = connection.execute("SELECT record FROM audit ORDER BY seq")
        return [json.loads(row[0])["caller"] for row in rows]


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(
    room: Any, access_dir: Path, client_of: Any
) -> None:
    settings = access_dir / "access.toml"
    settings.write_text(settings.read_text().replace("6000", "60\nburst = 3"))
    keys = {name: add_key(access_dir, name, ["models"])[1] for name in ("eager", "patient")}
    client = client_of(application(room, access_dir))

    def ask(name: str) -> Any:
        return client.get("/v1/models", headers={"authorization": f"Bearer {keys[name]}"})

    statuses = [ask("eager").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert 1 <= int(ask("eager").headers["retry-after"]) <= 2
    assert ask("patient").status_code == 200


def test_somebody_who_guesses_keys_is_slowed_and_nobody_else(guarded: Any, key: str) -> None:
    guesses = [
        guarded.get("/v1/models", headers={"authorization": f"Bearer smoulder_{i}"}).status_code
        for i in range(int(STRANGERS_PER_MINUTE) + 5)
    ]
    assert guesses.count(401) >= STRANGERS_PER_MINUTE
    assert guesses[-1] == 429
    assert guarded.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_whoever_guesses_from_a_network_of_ones_own_is_one(
    room: Any, access_dir: Path, one: str, other: str, same: bool
) -> None:
    guard = application(room, access_dir).app
    assert isinstance(guard, Guard)
    for _ in range(int(STRANGERS_PER_MINUTE)):
        assert guard.strange({"client": (one, 1)}).kind.status == 401
    assert guard.strange({"client": (other, 1)}).kind.status == (429 if same else 401)


def test_a_rotated_key_works_beside_the_new_one_until_the_overlap_ends(
    guarded: Any, access_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = add_key(access_dir, "ward", ["models"])[1]
    new = rotate_key(access_dir, "ward", overlap_hours=1)[1]

    def status(text: str) -> int:
        return int(
            guarded.get("/v1/models", headers={"authorization": f"Bearer {text}"}).status_code
        )

    assert (status(old), status(new)) == (200, 200)
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert (status(old), status(new)) == (401, 200)


def test_a_body_is_not_read_before_its_sender_is_known(guarded: Any) -> None:
    async def never() -> Any:
        yield pytest.fail("the body was read")

    assert guarded.post("/v1/risk", content=never()).status_code == 401


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.bentoml+pickle", "application/python-pickle", "application/octet-stream"],
)
def test_pickle_is_taken_by_no_route(guarded: Any, key: str, media_type: str) -> None:
    for method, path in ROUTES:
        if method == "POST" and path != "/ui/sign-out":
            response = guarded.post(
                path_of(path),
                content=b"cos\nsystem\n(S'false'\ntR.",
                headers={"authorization": f"Bearer {key}", "content-type": media_type},
            )
            assert response.status_code == 415, path
