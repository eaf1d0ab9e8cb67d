"""Bearer tokens (JWT) of configured issuers: OpenID Connect providers, or the EHR of CDS Hooks.

The issuer is read from the unverified token only to choose whose keys must verify it. Everything
else counts once the signature holds: algorithm from a list, audience, issuer, times, scopes. After
RFC 8725 (JSON Web Token Best Current Practices, doi:10.17487/RFC8725).
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from serving.access.callers import SCOPES, Caller
from serving.access.keysets import KeySet

__all__ = [
    "ALGORITHMS",
    "LEEWAY_SECONDS",
    "MOST_CHARACTERS",
    "UNPROVEN",
    "Issuer",
    "Tokens",
    "verified_claims",
]

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures by a private key; shared secrets (HS…) and `none` can never be allowed."""

UNPROVEN = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""What reading a stranger's token may raise: it can hold any JSON, nested as deep as it is long."""

LEEWAY_SECONDS = 30
MOST_CHARACTERS = 8192
MOST_NAME = 512
MOST_REMEMBERED = 1024
REMEMBERED_SECONDS = 60.0
"""A verified token is not verified anew for a minute: a signature costs more than an answer's tail,
and a key withdrawn by its issuer is noticed later than that anyway."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed.

    Parameters
    ----------
    issuer
        As the claim ``iss`` has it.
    audience
        What the claim ``aud`` must hold.
    keys
        Its public keys.
    algorithms
        Allowed ones of `ALGORITHMS`.
    scope_claim
        Where scopes stand, as text with spaces or as a list.
    scope_prefix
        Before the scopes that are meant for this service.
    grants
        Scopes of every token of this issuer, for one that writes none.
    most_seconds
        Longest time from issue to expiry.
    """

    issuer: str
    audience: str
    keys: KeySet
    algorithms: Sequence[str] = ("RS256", "ES256")
    scope_claim: str = "scope"
    scope_prefix: str = "smoulder:"
    grants: frozenset[str] = frozenset()
    most_seconds: float = 86_400.0


class Tokens:
    """Verification of the tokens of some issuers.

    Parameters
    ----------
    issuers
        Those believed.
    """

    def __init__(self, issuers: Sequence[Issuer]) -> None:
        self._issuers = {each.issuer: each for each in issuers}
        self._seen: OrderedDict[bytes, tuple[Caller, float, float]] = OrderedDict()

    async def caller(self, text: str) -> Caller | None:
        """Whoever holds a token; None when it proves nothing, for whatever reason."""
        if not self._issuers or len(text) > MOST_CHARACTERS:
            return None
        digest = hashlib.sha256(text.encode()).digest()
        remembered = self._remembered(digest)
        if remembered is not None:
            return remembered
        try:
            caller, expires = await self._verified(text)
        except UNPROVEN:
            return None
        self._seen[digest] = (caller, expires, time.monotonic())
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return caller

    def _remembered(self, digest: bytes) -> Caller | None:
        found = self._seen.get(digest)
        if found is None:
            return None
        caller, expires, since = found
        if time.time() < expires and time.monotonic() - since < REMEMBERED_SECONDS:
            return caller
        del self._seen[digest]
        return None

    async def _verified(self, text: str) -> tuple[Caller, float]:
        header = jwt.get_unverified_header(text)
        unverified = jwt.decode(text, options={"verify_signature": False})
        issuer = self._issuers[unverified["iss"]]
        claims = await verified_claims(text, header, issuer)
        return Caller(_name(claims, issuer), _scopes(claims, issuer)), float(claims["exp"])


async def verified_claims(
    text: str, header: Mapping[str, Any], issuer: Issuer, also: Sequence[str] = ()
) -> dict[str, Any]:
    """Claims of a token after its signature, audience and times have held.

    Parameters
    ----------
    text, header
        The token, and its header as yet unverified.
    issuer
        Whose it must be.
    also
        Claims that it must have besides the usual ones.

    Raises
    ------
    jwt.PyJWTError
        If anything does not hold.
    """
    if header["alg"] not in issuer.algorithms:
        raise jwt.InvalidAlgorithmError
    key = await issuer.keys.key(header.get("kid"))
    if key is None or (key.public_key_use or "sig") != "sig":
        raise jwt.InvalidKeyError
    # The bare key with the issuer's list: a key set could name another algorithm for itself.
    claims: dict[str, Any] = jwt.decode(
        text,
        key.key,
        algorithms=issuer.algorithms,
        audience=issuer.audience,
        issuer=issuer.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "iat", "iss", "aud", *also]},
    )
    if claims["exp"] - claims["iat"] > issuer.most_seconds:
        raise jwt.InvalidTokenError
    return claims


def _name(claims: Mapping[str, Any], issuer: Issuer) -> str:
    """Who holds a token; a subject is one person's within its issuer only (OpenID Connect Core, 2).

    A name that had to be cut, or could not be written, would stand for somebody else as well.
    """
    subject = claims.get("sub") or ""
    name = f"token:{issuer.issuer} {subject}".rstrip()
    if len(name) > MOST_NAME or not name.isprintable():
        raise jwt.InvalidTokenError
    return name


def _scopes(claims: Mapping[str, Any], issuer: Issuer) -> frozenset[str]:
    """Scopes of a token that are this service's own."""
    told = claims.get(issuer.scope_claim, ())
    listed = told.split() if isinstance(told, str) else told
    prefix = issuer.scope_prefix
    named = {
        scope.removeprefix(prefix)
        for scope in listed
        if isinstance(scope, str) and scope.startswith(prefix)
    }
    return issuer.grants | (named & set(SCOPES))
