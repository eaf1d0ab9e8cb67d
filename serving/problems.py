"""Every failure in one shape: RFC 9457 problem details.

`detail` and `errors` name fields and expectations. A value the caller sent is never in a log; it is
not repeated in an answer either, except a unit or an identifier that was not understood.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from features.errors import FieldProblem

__all__ = [
    "FAILED",
    "FORBIDDEN",
    "HEAD_TOO_LARGE",
    "INTERNAL",
    "MALFORMED",
    "MEDIA_TYPE",
    "METHOD",
    "NOT_FOUND",
    "NOT_READY",
    "PRECONDITION",
    "PROBLEM_KINDS",
    "TIMEOUT",
    "TOO_LARGE",
    "TOO_MANY",
    "UNAUTHENTICATED",
    "UNPROCESSABLE",
    "UNSUPPORTED",
    "ProblemError",
    "ProblemKind",
    "of_fields",
]

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of failure.

    Parameters
    ----------
    slug
        Last part of the problem's `type`.
    status
        HTTP status.
    title
        Same words for every occurrence.
    """

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """Identifier of the problem type, a URI."""
        return f"urn:smoulder:problem:{self.slug}"


MALFORMED = ProblemKind("malformed", 400, "The request is malformed")
UNAUTHENTICATED = ProblemKind("unauthenticated", 401, "Who asks is not known")
FORBIDDEN = ProblemKind("forbidden", 403, "This caller may not ask for this")
NOT_FOUND = ProblemKind("not-found", 404, "There is nothing here")
METHOD = ProblemKind("method-not-allowed", 405, "This route does not take this method")
TIMEOUT = ProblemKind("timeout", 408, "The request came in too slowly")
PRECONDITION = ProblemKind("precondition", 412, "What was to come with the request did not")
TOO_LARGE = ProblemKind("too-large", 413, "The request is too large")
UNSUPPORTED = ProblemKind("unsupported-media-type", 415, "The media type is not supported")
UNPROCESSABLE = ProblemKind("unprocessable", 422, "Understood, and impossible")
TOO_MANY = ProblemKind("too-many-requests", 429, "This caller asks too often")
HEAD_TOO_LARGE = ProblemKind("head-too-large", 431, "The head of the request is too large")
INTERNAL = ProblemKind("internal", 500, "The server failed")
NOT_READY = ProblemKind("not-ready", 503, "The server cannot answer now")

PROBLEM_KINDS = (
    MALFORMED,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD,
    TIMEOUT,
    PRECONDITION,
    TOO_LARGE,
    UNSUPPORTED,
    UNPROCESSABLE,
    TOO_MANY,
    HEAD_TOO_LARGE,
    INTERNAL,
    NOT_READY,
)


class ProblemError(Exception):
    """A failure on its way to the caller.

    Parameters
    ----------
    kind
        Which failure.
    detail
        One line on this occurrence.
    errors
        Fields and what was expected of them.
    headers
        Extra response headers.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        errors: tuple[FieldProblem, ...] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def document(self, request_id: str | None = None) -> dict[str, object]:
        """Members of the problem details object."""
        content: dict[str, object] = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "errors": [{"field": e.field, "expected": e.expected} for e in self.errors],
        }
        if request_id is not None:
            content["request_id"] = request_id
        return content

    def body(self, request_id: str | None = None) -> bytes:
        """JSON text of the problem details object."""
        return msgspec.json.encode(self.document(request_id))


FAILED = ProblemError(INTERNAL, "the failure was noted under the request id")
"""What a caller learns of a fault of ours."""


def of_fields(errors: Iterable[FieldProblem], *, malformed: bool) -> ProblemError:
    """Failure of a request whose fields are at fault."""
    listed = tuple(errors)
    first = str(listed[0])
    others = f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
    return ProblemError(MALFORMED if malformed else UNPROCESSABLE, first + others, listed)
