"""Callers, and the scope that each path needs.

A path that is not named here is answered to nobody: a new route is closed until it is listed.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from features.errors import InputError

__all__ = ["CALLER", "LOOPBACK", "PUBLIC", "SCOPES", "Caller", "check_scopes", "needed"]

SCOPES = {
    "risk": "one subject: /v1/risk",
    "batch": "many subjects: /v1/risk/batch",
    "fhir": "FHIR: /v1/fhir",
    "cds": "CDS Hooks services",
    "models": "what answers: /v1/models",
    "metrics": "Prometheus: /metrics",
    "ui": "the page",
}
"""What a caller may be allowed, and what it opens."""

PUBLIC = "public"
"""Need of a path that tells nothing about anybody."""

LOOPBACK = "loopback"
"""Name of every caller while access control is off."""

NEEDS = (
    ("/v1/risk/batch", "batch"),
    ("/v1/risk", "risk"),
    ("/v1/fhir", "fhir"),
    ("/v1/models", "models"),
    ("/cds-services/smoulder-progression", "cds"),
    ("/cds-services", PUBLIC),
    ("/ui/static", PUBLIC),
    ("/ui/sign-in", PUBLIC),
    ("/ui", "ui"),
    ("/metrics", "metrics"),
    ("/livez", PUBLIC),
    ("/readyz", PUBLIC),
    ("/openapi.json", PUBLIC),
)
"""Path, with all below it, and the scope it needs; the first that fits counts."""

CALLER: ContextVar[str] = ContextVar("caller", default=LOOPBACK)
"""Name of whoever asks, for the record of the answer."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody identified.

    Parameters
    ----------
    name
        As it stands in the audit record.
    scopes
        What it may ask for.
    session
        Whether a browser sends the proof by itself, so that another site could make it ask.
    """

    name: str
    scopes: frozenset[str]
    session: bool = False


def needed(path: str) -> str | None:
    """Scope that a path needs; None when it is answered to nobody.

    Examples
    --------
    >>> needed("/v1/risk"), needed("/v1/models/20-2-20"), needed("/v1/risks")
    ('risk', 'models', None)
    """
    if path == "/":
        return "ui"
    for prefix, scope in NEEDS:
        if path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/"):
            return scope
    return None


def check_scopes(names: Iterable[str], field: str = "scopes") -> frozenset[str]:
    """Scopes by name.

    Raises
    ------
    InputError
        If one is unknown, or there is none.
    """
    found = frozenset(names)
    if not found or found - set(SCOPES):
        raise InputError(field, f"expected one or more of {', '.join(SCOPES)}")
    return found
