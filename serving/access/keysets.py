"""Public keys of an issuer of tokens (a JSON Web Key Set), from a file or over HTTPS.

No answer waits on another host but the one that needs a new key, and that for a limited time. The
last good set is kept while the issuer cannot be reached.
"""

import asyncio
import json
import logging
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt

from features.errors import InputError

__all__ = ["KeySet", "check_location"]

logger = logging.getLogger("smoulder.serving")

FRESH_SECONDS = 600.0
"""A key withdrawn by its issuer is refused after this long, if the issuer can be reached."""

RETRY_SECONDS = 10.0
"""Between two fetches, however many tokens name a key that is not known."""

FETCH_SECONDS = 5.0
MOST_BYTES = 256 * 1024
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


def check_location(location: str, field: str) -> str:
    """Where a key set is: a file, or an address that nobody on the way can change.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        parts = urlsplit(location)
        safe = parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS
        if parts.scheme in ("https", "http") and parts.hostname and safe:
            return location
    except ValueError:
        pass  # half an IPv6 address, say
    if "://" in location or not Path(location).is_file():
        raise InputError(field, "expected an https:// address or a file of a JSON Web Key Set")
    return location


class KeySet:
    """Keys by their identifier, fetched when first needed.

    Parameters
    ----------
    location
        A file or an address; see `check_location`.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._good = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str | None) -> jwt.PyJWK | None:
        """Key of an identifier; a token without one fits an issuer with a single key."""
        now = time.monotonic()
        known = self._find(kid)
        stale = now - self._good > FRESH_SECONDS
        if (known is None or stale) and self._fetching is None and self._may_try(now):
            self._tried = now
            self._fetching = asyncio.ensure_future(self._refresh())
        if known is None and self._fetching is not None:
            await asyncio.wait([self._fetching], timeout=FETCH_SECONDS)
            known = self._find(kid)
        return known

    def _may_try(self, now: float) -> bool:
        return now - self._tried > RETRY_SECONDS

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        try:
            keys = await asyncio.to_thread(_keys, await _read(self.location))
        except Exception as error:  # noqa: BLE001  # whatever an issuer answers, tokens are judged
            logger.error("key set of %s: %s", self.location, type(error).__name__)
        else:
            self._keys, self._good = keys, time.monotonic()
        finally:
            self._fetching = None


async def _read(location: str) -> bytes:
    """What a location holds, up to a byte too many."""
    if "://" not in location:
        return await asyncio.to_thread(_head, Path(location))
    trusted = await asyncio.to_thread(ssl.create_default_context)
    # One time for all of it: one for each wait would have an issuer that drips hold it for hours.
    async with (
        asyncio.timeout(FETCH_SECONDS),
        # Follows no redirect: another address was not configured.
        httpx.AsyncClient(verify=trusted, timeout=FETCH_SECONDS) as client,
        client.stream("GET", location, headers={"Accept-Encoding": "identity"}) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ValueError("no key set")
        text = b""
        async for chunk in answer.aiter_raw(MOST_BYTES):
            text += chunk
            if len(text) > MOST_BYTES:
                break
        return text


def _head(path: Path) -> bytes:
    with path.open("rb") as source:
        return source.read(MOST_BYTES + 1)


def _keys(text: bytes) -> dict[str | None, jwt.PyJWK]:
    if len(text) > MOST_BYTES:
        raise ValueError("too large")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return {key.key_id: key for key in jwt.PyJWKSet.from_dict(found).keys}
