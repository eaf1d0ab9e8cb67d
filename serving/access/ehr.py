"""Tokens of EHRs that call by CDS Hooks: each is good for one call of one service.

After CDS Hooks 2.0, "Trusting CDS Clients" (HL7, https://cds-hooks.hl7.org/2.0/): signed with ES384
or RS384, audience the address called, and an identifier that counts once. The keys come from where
they are configured to be; a token that names another place (`jku`) is refused, never followed.
"""

import asyncio
import hashlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import jwt

from serving.access.callers import Caller
from serving.access.keysets import KeySet
from serving.access.tokens import (
    LEEWAY_SECONDS,
    MOST_CHARACTERS,
    UNPROVEN,
    Issuer,
    verified_claims,
)

__all__ = ["Ehr", "EhrTokens"]

logger = logging.getLogger("smoulder.serving")

ALGORITHMS = ("ES384", "RS384")
MOST_SECONDS = 3600.0
BUSY_SECONDS = 1.0
SCOPE = frozenset({"cds"})
FILE = "seen.db"

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, expires REAL NOT NULL)
STRICT, WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Ehr:
    """An EHR whose calls are believed.

    Parameters
    ----------
    issuer
        As the claim ``iss`` has it.
    keys
        Its public keys.
    public_url
        Address of this server as the EHR calls it.
    """

    issuer: str
    keys: KeySet
    public_url: str


class EhrTokens:
    """Verification of the tokens of some EHRs.

    Parameters
    ----------
    ehrs
        Those believed.
    directory
        Holds which tokens have been used, for all workers.
    """

    def __init__(self, ehrs: Sequence[Ehr], directory: Path) -> None:
        self._ehrs = {each.issuer: each for each in ehrs}
        self._path = directory / FILE

    async def caller(self, text: str, path: str) -> Caller | None:
        """Whoever calls a path; None when the token proves nothing, or has been used."""
        if not self._ehrs or len(text) > MOST_CHARACTERS:
            return None
        try:
            header = jwt.get_unverified_header(text)
            unverified = jwt.decode(text, options={"verify_signature": False})
            ehr = self._ehrs[unverified["iss"]]
            if header.get("jku", ehr.keys.location) != ehr.keys.location:
                return None
            audience = ehr.public_url.rstrip("/") + path
            issuer = Issuer(ehr.issuer, audience, ehr.keys, ALGORITHMS, most_seconds=MOST_SECONDS)
            claims = await verified_claims(text, header, issuer, also=("jti",))
        except UNPROVEN:
            return None
        name, expires = f"{ehr.issuer} {claims['jti']}", float(claims["exp"])
        # In a thread: another worker may be at it, or a disk slow.
        if not await asyncio.to_thread(self._first_use, name, expires):
            return None
        return Caller(f"ehr:{ehr.issuer}"[:200], SCOPE)

    def _first_use(self, name: str, expires: float) -> bool:
        """Note a token as used; whether it had not been. What cannot be noted is not believed."""
        now = time.time()
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as seen, seen:
                # A token lost with the machine's power is a token of a call that was lost too.
                seen.execute("PRAGMA synchronous = OFF")
                seen.execute(SCHEMA)
                seen.execute("DELETE FROM seen WHERE expires < ?", (now - 2 * LEEWAY_SECONDS,))
                digest = hashlib.sha256(name.encode()).digest()
                added = seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, expires))
                return added.rowcount == 1
        except sqlite3.Error as error:
            logger.error("tokens used by EHRs: %s", type(error).__name__)
            return False
