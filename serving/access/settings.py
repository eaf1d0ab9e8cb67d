"""The access directory: ``access.toml``, ``keys.json`` and the secret of sessions.

::

    [rate]
    per_minute = 600        # per caller and worker
    burst = 600

    [session]
    hours = 8
    secure = true           # the cookie only over TLS; false on loopback

    [[issuer]]
    issuer = "https://login.example.org/realms/hospital"
    audience = "smoulder"
    jwks = "https://login.example.org/realms/hospital/protocol/openid-connect/certs"
    algorithms = ["RS256"]
    scope_claim = "scope"
    scope_prefix = "smoulder:"
    grants = []             # scopes of every token, for an issuer that writes none

    [[ehr]]                 # calls by CDS Hooks
    issuer = "https://ehr.example.org"
    jwks = "https://ehr.example.org/jwks.json"
    public_url = "https://smoulder.example.org"

Every setting has a default but those of an issuer or EHR; an unknown one is an error.
"""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError
from serving.access.ehr import Ehr
from serving.access.issuers import ehrs_of, issuers_of, number_within
from serving.access.keys import read_keys
from serving.access.tokens import Issuer
from serving.keyfile import key_of

__all__ = ["Settings", "callers_exist", "make_secret", "read_settings", "settings_of"]

FILE = "access.toml"
SECRET = "session.key"  # noqa: S105  # the name of a file
RATE = {"per_minute": 600.0, "burst": 600.0}
SESSION = {"hours": 8.0, "secure": True}
RANGES = {"per_minute": (0.1, 1e6), "burst": (1, 1e6), "hours": (0.1, 8760)}
"""A bucket of less than a request lets nobody in, and one without bounds is none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``access.toml`` says.

    Parameters
    ----------
    per_minute, burst
        Of each caller, per worker.
    session_hours
        How long somebody who signed in stays so.
    secure_cookie
        Whether the cookie travels over TLS only.
    issuers
        Of bearer tokens.
    ehrs
        Those that call by CDS Hooks.
    """

    per_minute: float
    burst: float
    session_hours: float
    secure_cookie: bool
    issuers: tuple[Issuer, ...]
    ehrs: tuple[Ehr, ...] = ()


def read_settings(directory: Path) -> Settings:
    """Settings of an access directory; the defaults when it has no ``access.toml``.

    Raises
    ------
    InputError
        Naming the setting that is unknown, missing or of the wrong kind.
    """
    path = directory / FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"cannot be read as TOML: {error}") from error
    if unknown := set(found) - {"rate", "session", "issuer", "ehr"}:
        raise InputError(f"{FILE}: {min(unknown)}", "expected rate, session, issuer or ehr")
    rate = _section(found, "rate", RATE)
    session = _section(found, "session", SESSION)
    return Settings(
        per_minute=rate["per_minute"],
        burst=rate["burst"],
        session_hours=session["hours"],
        secure_cookie=session["secure"],
        issuers=issuers_of(found.get("issuer", []), f"{FILE}: issuer"),
        ehrs=ehrs_of(found.get("ehr", []), f"{FILE}: ehr"),
    )


@functools.cache
def settings_of(directory: Path) -> Settings:
    """Settings as they are when first asked for, in this process or the one it was forked from.

    A worker that takes another's place keeps to what the server was started with, whatever half a
    sentence somebody is writing into the file.
    """
    return read_settings(directory)


def callers_exist(directory: Path) -> bool:
    """Whether anybody could be let in: there is a key, an issuer or an EHR."""
    settings = settings_of(directory.resolve())
    return bool(read_keys(directory) or settings.issuers or settings.ehrs)


def make_secret(directory: Path) -> bytes:
    """Secret that signs sessions, made once and readable by its owner only."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return key_of(directory / SECRET)


def _section(found: dict[str, Any], name: str, defaults: dict[str, Any]) -> dict[str, Any]:
    """A section with its defaults."""
    given = found.get(name, {})
    for key, value in given.items() if isinstance(given, dict) else [(name, given)]:
        field = f"{FILE}: {name}.{key}"
        if key not in defaults:
            raise InputError(field, f"expected {' or '.join(defaults)}")
        if key in RANGES:
            number_within(value, *RANGES[key], field)
        elif not isinstance(value, bool):
            raise InputError(field, f"expected true or false, such as {str(defaults[key]).lower()}")
    return {**defaults, **given}
