"""An application behind its door, keys, and an issuer of tokens."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from serving.access.callers import SCOPES
from serving.access.keys import add_key
from serving.app import application
from serving.room import Room

ISSUER = "https://login.example.org"
AUDIENCE = "smoulder"

Token = Callable[..., str]


@pytest.fixture(scope="session")
def private_key() -> ec.EllipticCurvePrivateKey:
    """Key of the issuer."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def token(private_key: Any) -> Token:
    """A token of the issuer, good for everything; `changes` are to its claims, None removes one."""

    def build(
        *, key: Any = None, algorithm: str = "ES256", kid: str | None = "one", **changes: Any
    ) -> str:
        now = int(time.time())
        scope = " ".join(f"smoulder:{name}" for name in SCOPES)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ward-7", "iat": now, "exp": now + 300}
        claims |= {"scope": scope} | changes
        headers = {} if kid is None else {"kid": kid}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, private_key if key is None else key, algorithm, headers=headers)

    return build


@pytest.fixture(scope="session")
def key_set() -> Callable[..., dict[str, Any]]:
    """Public key set of an issuer."""

    def build(private_key: Any, kid: str = "one", **changes: str) -> dict[str, Any]:
        told = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private_key.public_key()))
        return {"keys": [told | {"kid": kid, "use": "sig", "alg": "ES256"} | changes]}

    return build


@pytest.fixture
def access_dir(tmp_path: Path, private_key: Any, key_set: Any) -> Path:
    """An access directory that believes the issuer."""
    directory = tmp_path / "access"
    directory.mkdir()
    keys = directory / "jwks.json"
    keys.write_text(json.dumps(key_set(private_key)))
    (directory / "access.toml").write_text(
        f'[rate]\nper_minute = 6000\n[[issuer]]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
        f'jwks = "{keys}"\nalgorithms = ["ES256"]\n'
    )
    return directory


@pytest.fixture
def key(access_dir: Path) -> str:
    """A key that opens everything."""
    return add_key(access_dir, "everything", SCOPES)[1]


@pytest.fixture
def guarded(room: Room, access_dir: Path, client_of: Callable[..., Any]) -> Any:
    """The application with access control on, called in process."""
    return client_of(application(room, access_dir))
