"""Sessions of the page: a cookie that names a key and an end, signed; never the key itself.

Nothing is stored: every worker that has the secret can judge a cookie, and a session ends with the
key it was opened by.
"""

import base64
import hashlib
import hmac
import time
from http.cookies import CookieError, SimpleCookie

from serving.access.callers import Caller
from serving.access.keys import ApiKey, KeyRing

__all__ = ["COOKIE", "Sessions"]

COOKIE = "smoulder_session"
MOST_CHARACTERS = 4096


class Sessions:
    """Cookies made and judged.

    Parameters
    ----------
    ring
        Keys that open sessions.
    secret
        Signs the cookies; see `serving.access.settings.make_secret`.
    hours
        How long a session lasts.
    secure
        Whether the cookie is sent over TLS only.
    """

    def __init__(self, ring: KeyRing, secret: bytes, *, hours: float, secure: bool) -> None:
        self._ring = ring
        self._secret = secret
        self._seconds = int(hours * 3600)
        self._attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")

    def begin(self, key: ApiKey) -> str:
        """Value of ``Set-Cookie`` that opens a session."""
        until = int(min(time.time() + self._seconds, key.expires_at))
        told = f"{key.sha256}.{until}"
        value = f"{told}.{self._sign(told)}"
        return f"{COOKIE}={value}; Max-Age={self._seconds}{self._attributes}"

    def end(self) -> str:
        """Value of ``Set-Cookie`` that closes a session."""
        return f"{COOKIE}=; Max-Age=0{self._attributes}"

    def caller(self, cookies: str) -> Caller | None:
        """Whoever signed in, from the header ``Cookie``."""
        if len(cookies) > MOST_CHARACTERS:
            return None
        try:
            found = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return None
        told, _, signature = (found.value if found else "").rpartition(".")
        if not told or not hmac.compare_digest(signature.encode(), self._sign(told).encode()):
            return None
        sha256, _, until = told.partition(".")
        key = self._ring.of_hash(sha256)
        if key is None or time.time() >= int(until):
            return None
        return key.caller(session=True)

    def _sign(self, told: str) -> str:
        digest = hmac.new(self._secret, told.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
