"""Tokens of an EHR: one call of one service, and nothing else."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from serving.access.ehr import EhrTokens
from serving.access.settings import read_settings
from serving.app import application
from serving.examples import CDS_EXAMPLE

EHR = "https://ehr.example.org"
URL = "https://smoulder.example.org"
PATH = "/cds-services/smoulder-progression"

KEY = ec.generate_private_key(ec.SECP384R1())
OTHER = ec.generate_private_key(ec.SECP384R1())
WEAK = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def ehr_dir(access_dir: Path, key_set: Any) -> Path:
    """An access directory that believes an EHR as well."""
    keys = access_dir / "ehr.json"
    keys.write_text(json.dumps(key_set(KEY, alg="ES384")))
    with (access_dir / "access.toml").open("a") as settings:
        settings.write(f'[[ehr]]\nissuer = "{EHR}"\njwks = "{keys}"\npublic_url = "{URL}/"\n')
    return access_dir


def signed(
    key: Any = KEY, algorithm: str = "ES384", header: dict[str, str] | None = None, **changes: Any
) -> str:
    now = int(time.time())
    claims = {"iss": EHR, "aud": URL + PATH, "iat": now, "exp": now + 300, "jti": "one"} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"kid": "one"} | (header or {}))


@pytest.fixture
def caller(ehr_dir: Path) -> Any:
    """Who a token says calls, by a worker of its own."""

    def caller(text: str, path: str = PATH) -> Any:
        tokens = EhrTokens(read_settings(ehr_dir).ehrs, ehr_dir)
        return asyncio.run(tokens.caller(text, path))

    return caller


def test_a_token_opens_the_services_and_nothing_else(caller: Any) -> None:
    found = caller(signed())
    assert found.name == f"ehr:{EHR}"
    assert found.scopes == {"cds"}


def test_a_token_counts_once_for_all_workers(caller: Any) -> None:
    text = signed()
    assert caller(text) is not None
    assert caller(text) is None
    assert caller(signed(exp=int(time.time()) + 200)) is None  # another token of the same jti
    assert caller(signed(jti="two")) is not None


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda: signed(OTHER),
        lambda: signed(WEAK, "ES256"),
        lambda: signed("x" * 64, "HS384"),
        lambda: signed("", "none"),
        lambda: signed(header={"jku": "https://evil.example.org/jwks.json"}),
        lambda: signed(header={"kid": "two"}),
        lambda: signed(aud=URL + "/cds-services"),
        lambda: signed(aud=None),
        lambda: signed(iss="https://other.example.org"),
        lambda: signed(jti=None),
        lambda: signed(exp=int(time.time()) - 60),
        lambda: signed(exp=int(time.time()) + 7200),
        lambda: signed(iat=None),
        lambda: "no token",
    ],
)
def test_every_other_token_proves_nothing(caller: Any, spoilt: Any) -> None:
    assert caller(spoilt()) is None


def test_the_configured_place_of_keys_may_be_named(caller: Any, ehr_dir: Path) -> None:
    assert caller(signed(header={"jku": str(ehr_dir / "ehr.json")})) is not None


def test_what_cannot_be_noted_as_used_is_not_believed(caller: Any, ehr_dir: Path) -> None:
    (ehr_dir / "seen.db").write_bytes(b"no database at all, of some length" * 100)
    assert caller(signed()) is None


def test_others_are_answered_while_a_token_waits_to_be_noted(
    ehr_dir: Path,
) -> None:
    tokens = EhrTokens(read_settings(ehr_dir).ehrs, ehr_dir)

    async def turns_of_the_loop() -> int:
        assert await tokens.caller(signed(jti="first"), PATH) is not None
        with closing(sqlite3.connect(ehr_dir / "seen.db")) as another:
            another.execute("BEGIN EXCLUSIVE")
            waiting = asyncio.create_task(tokens.caller(signed(jti="second"), PATH))
            turns = 0
            while not waiting.done():
                await asyncio.sleep(0.01)
                turns += 1
        assert await waiting is None
        return turns

    # A hundred in a second, were the machine not busy.
    assert asyncio.run(turns_of_the_loop()) > 5


def test_a_chart_is_answered_to_its_ehr_once(room: Any, ehr_dir: Path, client_of: Any) -> None:
    client = client_of(application(room, ehr_dir))
    headers = {"authorization": f"Bearer {signed()}"}
    assert client.get("/cds-services").status_code == 200
    assert client.post(PATH, json=CDS_EXAMPLE).status_code == 401
    assert client.post(PATH, json=CDS_EXAMPLE, headers=headers).status_code == 200
    assert client.post(PATH, json=CDS_EXAMPLE, headers=headers).status_code == 401
    # The token of one service is not one for /v1/risk.
    other = {"authorization": f"Bearer {signed(jti='two', aud=URL + '/v1/risk')}"}
    assert client.post("/v1/risk", json={}, headers=other).status_code == 401
