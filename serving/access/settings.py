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

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError
from serving.access.callers import check_scopes
from serving.access.ehr import Ehr
from serving.access.keys import read_keys
from serving.access.keysets import KeySet, check_location
from serving.access.tokens import ALGORITHMS, Issuer
from serving.keyfile import key_of

__all__ = ["Settings", "callers_exist", "make_secret", "read_settings"]

FILE = "access.toml"
SECRET = "session.key"  # noqa: S105  # the name of a file
RATE = {"per_minute": 600.0, "burst": 600.0}
SESSION = {"hours": 8.0, "secure": True}
ISSUER = ("issuer", "audience", "jwks")
EHR = ("issuer", "jwks", "public_url")
ISSUER_OPTIONS = ("algorithms", "scope_claim", "scope_prefix", "grants", "most_seconds")


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
    except (OSError, ValueError) as error:
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
        issuers=tuple(_issuer(each, field) for field, each in _listed(found, "issuer")),
        ehrs=tuple(_ehr(each, field) for field, each in _listed(found, "ehr")),
    )


def callers_exist(directory: Path) -> bool:
    """Whether anybody could be let in: there is a key, an issuer or an EHR."""
    settings = read_settings(directory)
    return bool(read_keys(directory) or settings.issuers or settings.ehrs)


def make_secret(directory: Path) -> bytes:
    """Secret that signs sessions, made once and readable by its owner only."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return key_of(directory / SECRET)


def _section(found: dict[str, Any], name: str, defaults: dict[str, Any]) -> dict[str, Any]:
    """A section with its defaults; numbers must be positive."""
    given = found.get(name, {})
    for key, value in given.items() if isinstance(given, dict) else [(name, given)]:
        field = f"{FILE}: {name}.{key}"
        if key not in defaults:
            raise InputError(field, f"expected {' or '.join(defaults)}")
        if isinstance(defaults[key], bool) != isinstance(value, bool):
            raise InputError(field, f"expected something like {defaults[key]}")
        if not isinstance(value, bool) and not (isinstance(value, int | float) and value > 0):
            raise InputError(field, "expected a number above 0")
    return {**defaults, **given}


def _listed(found: dict[str, Any], name: str) -> list[tuple[str, Any]]:
    """What stands under a repeated heading, each with its field."""
    listed = found.get(name, [])
    if not isinstance(listed, list):
        raise InputError(f"{FILE}: {name}", f"expected [[{name}]]")
    return [(f"{FILE}: {name}[{i}]", each) for i, each in enumerate(listed)]


def _texts(given: Any, field: str, needed: tuple[str, ...], options: tuple[str, ...] = ()) -> None:
    """Check a table that must hold some texts, and nothing else but its options."""
    if not isinstance(given, dict):
        raise InputError(field, "expected a table")
    for key in needed:
        if not isinstance(given.get(key), str) or not given[key]:
            raise InputError(f"{field}.{key}", "expected text")
    if unknown := set(given) - {*needed, *options}:
        raise InputError(f"{field}.{min(unknown)}", f"expected {', '.join(options or needed)}")


def _ehr(given: Any, field: str) -> Ehr:
    _texts(given, field, EHR)
    keys = KeySet(check_location(given["jwks"], f"{field}.jwks"))
    return Ehr(given["issuer"], keys, given["public_url"])


def _issuer(given: Any, field: str) -> Issuer:
    _texts(given, field, ISSUER, ISSUER_OPTIONS)
    options = {key: given[key] for key in ISSUER_OPTIONS if key in given}
    allowed = options.get("algorithms", ("RS256", "ES256"))
    if not isinstance(allowed, list | tuple) or not allowed or set(allowed) - set(ALGORITHMS):
        raise InputError(f"{field}.algorithms", f"expected some of {', '.join(ALGORITHMS)}")
    if options.get("grants"):
        options["grants"] = check_scopes(options["grants"], f"{field}.grants")
    else:
        options.pop("grants", None)
    keys = KeySet(check_location(given["jwks"], f"{field}.jwks"))
    return Issuer(given["issuer"], given["audience"], keys, **options)
