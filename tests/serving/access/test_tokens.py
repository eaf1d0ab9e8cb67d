import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from serving.access import keysets, tokens
from serving.access.keysets import KeySet
from serving.access.tokens import Issuer, Tokens

Token = Any
ISSUER = "https://login.example.org"
WARD = f"token:{ISSUER} ward-7"


class Provider:
    """An issuer's key set over HTTP, on loopback."""

    def __init__(self) -> None:
        self.told: Any = {}
        self.status = 200
        self.asked = 0
        self.free = threading.Event()
        self.free.set()
        self.drip: str | None = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                provider.free.wait(60)
                with contextlib.suppress(ConnectionError):
                    self.answer(provider.drip)

            def answer(self, drip: str | None) -> None:
                while drip == "head":
                    self.send_response_only(100)
                    self.end_headers()
                    time.sleep(0.1)
                self.send_response(provider.status)
                if provider.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                text = json.dumps(provider.told).encode()
                for piece in [text[i : i + 1] for i in range(len(text))] if drip else [text]:
                    self.wfile.write(piece)
                    time.sleep(0.1 if drip else 0)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/certs"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def provider(key_set: Any, private_key: Any) -> Iterator[Provider]:
    found = Provider()
    found.told = key_set(private_key)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def believed(provider: Provider) -> Tokens:
    issuer = Issuer("https://login.example.org", "smoulder", KeySet(provider.url), ("ES256",))
    return Tokens([issuer])


def name(believed: Tokens, text: str) -> str | None:
    async def ask() -> str | None:
        found = await believed.caller(text)
        return None if found is None else found.name

    return asyncio.run(ask())


def test_keys_are_fetched_once_for_many_tokens(
    believed: Tokens, provider: Provider, token: Token
) -> None:
    for i in range(20):
        assert name(believed, token(sub=f"ward-{i}")) == f"token:{ISSUER} ward-{i}"
    assert provider.asked == 1


def test_a_new_key_of_the_issuer_is_fetched_when_a_token_names_it(
    believed: Tokens,
    provider: Provider,
    token: Token,
    key_set: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keysets, "RETRY_SECONDS", 0.0)
    assert name(believed, token()) == WARD
    fresh = ec.generate_private_key(ec.SECP256R1())
    provider.told = key_set(fresh, "two")
    assert name(believed, token(key=fresh, kid="two")) == WARD
    assert provider.asked == 2
    # The key that the issuer withdrew is gone with it.
    assert name(believed, token(sub="another")) is None


def test_unknown_keys_cannot_make_the_server_fetch_without_end(
    believed: Tokens, provider: Provider, token: Token
) -> None:
    for i in range(20):
        assert name(believed, token(kid=f"unknown-{i}")) is None
    assert provider.asked == 1


@pytest.mark.parametrize("fault", ["500", "not keys", "redirect", "away"])
def test_the_last_good_keys_are_kept_while_the_issuer_fails(
    believed: Tokens,
    provider: Provider,
    token: Token,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keysets, "RETRY_SECONDS", 0.0)
    assert name(believed, token()) == WARD
    monkeypatch.setattr(keysets, "FRESH_SECONDS", 0.0)
    if fault == "500":
        provider.status = 500
    elif fault == "not keys":
        provider.told = ["nothing"]
    elif fault == "redirect":
        provider.status = 302
    else:
        provider.server.server_close()
        provider.server.shutdown()
    assert name(believed, token(kid="unknown")) is None
    assert name(believed, token(sub="later")) == f"token:{ISSUER} later"


def test_a_slow_issuer_holds_up_neither_the_loop_nor_a_known_key(
    believed: Tokens, provider: Provider, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keysets, "RETRY_SECONDS", 0.0)
    assert name(believed, token()) == WARD
    monkeypatch.setattr(keysets, "FRESH_SECONDS", 0.0)
    provider.free.clear()

    async def ask() -> bool:
        assert (await believed.caller(token(sub="another"))) is not None
        return believed._issuers[ISSUER].keys._fetching is not None

    assert asyncio.run(ask())
    provider.free.set()


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_issuer_that_drips_is_given_up(
    believed: Tokens, provider: Provider, token: Token, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(keysets, "RETRY_SECONDS", 0.0)
    keys = believed._issuers[ISSUER].keys
    provider.drip = part

    async def ask() -> tuple[bool, bool]:
        with monkeypatch.context() as hurried:
            hurried.setattr(keysets, "FETCH_SECONDS", 0.3)
            dripping = await believed.caller(token()) is not None
            async with asyncio.timeout(10):
                while keys._fetching is not None:
                    await asyncio.sleep(0.01)
        provider.drip = None  # for the next who asks
        return dripping, await believed.caller(token()) is not None

    assert asyncio.run(ask()) == (False, True)


def test_equal_subjects_of_two_issuers_are_two_callers(provider: Provider, token: Token) -> None:
    keys = KeySet(provider.url)
    both = Tokens([Issuer(each, "smoulder", keys, ("ES256",)) for each in (ISSUER, "https://b")])
    assert name(both, token()) == WARD
    assert name(both, token(iss="https://b")) == "token:https://b ward-7"
    assert name(both, token(sub=None)) == f"token:{ISSUER}"


@pytest.mark.parametrize("subject", ["a" * 600, "\ud800", "a\nb"])
def test_a_name_that_could_not_stand_in_the_record_proves_nothing(
    believed: Tokens, token: Token, subject: str
) -> None:
    assert name(believed, token(sub=subject)) is None


def test_a_token_is_verified_anew_after_a_while_and_never_after_its_end(
    believed: Tokens, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    text = token(iat=now - 40, exp=now + 1)
    assert name(believed, text) == WARD
    assert name(believed, text) == WARD
    verified = believed._remembered
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    time.sleep(1.1)
    assert verified(next(iter(believed._seen))) is None
    assert name(believed, text) is None


def test_the_memory_of_tokens_is_bounded(
    believed: Tokens, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 3)
    for i in range(6):
        assert name(believed, token(sub=f"ward-{i}")) is not None
    assert len(believed._seen) == 3


def test_a_key_set_cannot_widen_the_algorithms_that_are_allowed(
    provider: Provider, token: Token
) -> None:
    import jwt

    private = rsa.generate_private_key(65537, 2048)
    told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    provider.told = {"keys": [told | {"kid": "one", "alg": "RS256"}]}
    allowed = Issuer("https://login.example.org", "smoulder", KeySet(provider.url), ("PS256",))
    assert name(Tokens([allowed]), token(key=private, algorithm="RS256")) is None
    assert name(Tokens([allowed]), token(key=private, algorithm="PS256")) == WARD


def test_a_public_key_cannot_serve_as_a_shared_secret(provider: Provider, token: Token) -> None:
    secret = "x" * 32
    provider.told = {"keys": [{"kty": "oct", "k": "eHh4", "kid": "one", "alg": "HS256"}]}
    allowed = Issuer("https://login.example.org", "smoulder", KeySet(provider.url), ("ES256",))
    assert name(Tokens([allowed]), token(key=secret, algorithm="HS256")) is None


def test_grants_are_for_issuers_that_write_no_scopes(provider: Provider, token: Token) -> None:
    ehr = Issuer(
        "https://login.example.org",
        "smoulder",
        KeySet(provider.url),
        ("ES256",),
        grants=frozenset({"cds"}),
    )

    async def scopes(text: str) -> frozenset[str]:
        found = await Tokens([ehr]).caller(text)
        assert found is not None
        return found.scopes

    assert asyncio.run(scopes(token(scope=None))) == {"cds"}
    assert asyncio.run(scopes(token(scope=["smoulder:risk", 7]))) == {"cds", "risk"}


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ("[" * 2500, "{}"),
        ('{"alg": "ES256"}', "[" * 2500),
        ('{"alg": "ES256"}', '{"iss": ' + "[" * 2500),
        ('{"alg": "ES256"}', '{"iss": ["https://login.example.org"]}'),
        ('{"alg": "ES256", "kid": {}}', '{"iss": "https://login.example.org"}'),
        ('{"alg": 3}', '{"iss": "https://login.example.org", "exp": Infinity}'),
        ("é", "\ud7ff"),
    ],
)
def test_a_token_of_any_json_is_refused_and_raises_nothing(
    believed: Tokens, header: str, payload: str
) -> None:
    import base64

    parts = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in (header, payload)]
    assert name(believed, b".".join([*parts, b"AAAA"]).decode()) is None
