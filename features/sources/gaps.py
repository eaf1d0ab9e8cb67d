"""What a source of FHIR says of itself that is missing from it: results nobody could read.

A page that was not fetched, a search of a batch that failed, a hint that a search went wrong: what
was asked for and did not come is not the same as what was never measured.
"""

from collections.abc import Iterator

from features.sources.bundles import Json

__all__ = ["gaps_of"]

NEXT = "a next page was not read; results may be missing"
TOTAL = "a search found more than is here; results may be missing"
FAILED = "a part of what was asked for failed; results may be missing"
EMPTY = "an entry holds no resource; results may be missing"
OUTCOME = "the server tells of a problem; results may be missing"


def gaps_of(resource: Json) -> Iterator[tuple[str, str]]:
    """Place inside a resource (empty for all of it) and what is said there to be missing."""
    kind = resource.get("resourceType")
    if kind == "Bundle":
        yield from _of_bundle(resource)
    elif kind == "OperationOutcome" and _is_problem(resource):
        yield "", OUTCOME


def _of_bundle(bundle: Json) -> Iterator[tuple[str, str]]:
    relations = [link.get("relation") for link in _objects(bundle.get("link")).values()]
    entries = _objects(bundle.get("entry"))
    total = bundle.get("total")
    if "next" in relations:
        yield "link", NEXT
    elif isinstance(total, int) and total > len(entries):
        yield "total", TOTAL
    for i, entry in entries.items():
        response = entry.get("response")
        if isinstance(response, dict) and not _succeeded(response.get("status")):
            yield f"entry[{i}].response", FAILED
        elif "resource" not in entry and not {"response", "request"} & entry.keys():
            yield f"entry[{i}]", EMPTY


def _objects(listed: object) -> dict[int, Json]:
    """The objects of a list, by their place."""
    given = listed if isinstance(listed, list) else []
    return {i: each for i, each in enumerate(given) if isinstance(each, dict)}


def _succeeded(status: object) -> bool:
    """Whether a status ("200 OK") is one of success; one that is not there says nothing."""
    return status is None or str(status).strip().startswith("2")


def _is_problem(outcome: Json) -> bool:
    """Whether an OperationOutcome says more than that all is well."""
    issues = _objects(outcome.get("issue")).values()
    return any(issue.get("severity") in ("fatal", "error", "warning") for issue in issues)
