"""Public keys of an issuer of tokens (a JSON Web Key Set), from a file or over HTTPS.

Fetched in a thread, so that no answer waits on another host but the one that needs a new key. The
last good set is kept while the issuer cannot be reached.
"""

import asyncio
import json
import logging
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
    parts = urlsplit(location)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        return location
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
            found = await asyncio.to_thread(_read, self.location)
            keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(found).keys}
        except Exception as error:  # noqa: BLE001  # whatever an issuer answers, tokens are judged
            logger.error("key set of %s: %s", self.location, type(error).__name__)
        else:
            self._keys, self._good = keys, time.monotonic()
        finally:
            self._fetching = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address was not configured, so it is not asked."""

    def redirect_request(self, *_: object) -> None:
        return None


def _read(location: str) -> dict[str, Any]:
    if "://" not in location:
        text = Path(location).read_bytes()
    else:
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(location, timeout=FETCH_SECONDS) as answer:
            text = _all_in_time(answer)
    if len(text) > MOST_BYTES:
        raise ValueError("too large")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def _all_in_time(answer: Any) -> bytes:
    """What was answered, up to a byte too many.

    A socket's time is that of each wait: an issuer that drips would hold the thread for hours, and
    no new key would be learnt.
    """
    until, text = time.monotonic() + FETCH_SECONDS, b""
    while len(text) <= MOST_BYTES and (chunk := answer.read1(MOST_BYTES)):
        text += chunk
        if time.monotonic() > until:
            raise TimeoutError
    return text
