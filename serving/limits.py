"""How much one request may be, counted on the bytes that arrive.

A declared length is only a hint: bodies are counted as they stream, so a body without a length or
with a false one stops at the same limit.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive

from serving.problems import MALFORMED, TIMEOUT, TOO_LARGE, UNSUPPORTED, ProblemError

__all__ = [
    "BATCH_BYTES",
    "BODY_SECONDS",
    "FORM",
    "MOST_SUBJECTS",
    "MOST_VISITS",
    "RISK_BYTES",
    "read_body",
    "require_media_type",
]

RISK_BYTES = 256 * 1024
"""One subject: 500 visits of six values fit; a usual request has two kilobytes."""

BATCH_BYTES = 16 * 1024 * 1024
MOST_SUBJECTS = 1000
MOST_VISITS = 500
FHIR_VERSION = "4.0"
FORM = "application/x-www-form-urlencoded"
BODY_SECONDS = 20.0
"""A body that takes longer to arrive is given up; slow senders must not hold connections."""


def require_media_type(headers: Mapping[str, str], *accepted: str) -> None:
    """Refuse a body of another media type, or a compressed one, whose size cannot be counted."""
    given = headers.get("content-type", "")
    if given in accepted and "content-encoding" not in headers:
        return
    media_type, *parameters = given.lower().split(";")
    if media_type.strip() not in accepted:
        raise ProblemError(UNSUPPORTED, f"Content-Type must be {' or '.join(accepted)}")
    told = dict(each.replace('"', "").strip().partition("=")[::2] for each in parameters)
    if told.get("charset", "utf-8") != "utf-8":
        raise ProblemError(UNSUPPORTED, "the charset must be UTF-8")
    if told.get("fhirversion", FHIR_VERSION) != FHIR_VERSION:
        raise ProblemError(UNSUPPORTED, f"the fhirVersion must be {FHIR_VERSION}")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ProblemError(UNSUPPORTED, "compressed bodies are not taken; send it as it is")


async def read_body(receive: Receive, headers: Mapping[str, str], *, most_bytes: int) -> bytes:
    """Body of a request, given up as soon as it exceeds a size or a time."""
    too_large = ProblemError(
        TOO_LARGE, f"the body may have at most {most_bytes} bytes", headers={"Connection": "close"}
    )
    if _declared(headers) > most_bytes:
        raise too_large
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ProblemError(MALFORMED, "the body ended before its end")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > most_bytes:
                    raise too_large
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        detail = f"the body must arrive within {BODY_SECONDS:g} s"
        raise ProblemError(TIMEOUT, detail, headers={"Connection": "close"}) from None


def _declared(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
