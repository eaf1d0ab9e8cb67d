"""Whom the resources of a FHIR source are about, by R4's rules for references in Bundles.

An id is a server's own: two servers may give it to two people, whom only their full URLs tell
apart. A relative reference is of the server of the entry that holds it; an entry without a server
can only mean the one Patient who has the id. https://hl7.org/fhir/R4/bundle.html#references

A server is its name, port and path: `http:` and `https:` "SHALL NOT be used to refer to different
underlying objects", and a name has no case. https://hl7.org/fhir/R4/http.html#identity
"""

import re
from collections.abc import Iterable

from features.sources.bundles import Entry, Json

__all__ = ["People", "target_of"]

RESTFUL = re.compile(r"((?:https?:)?//.+/)?([A-Za-z]+)/([^/]+)")
"""Server (absent if relative), type and id."""

SERVER = re.compile(r"https?://([^/?#]*)([^?]*)", re.IGNORECASE)
"""Name with port, and path; a query is no part of what a URL names."""


def target_of(reference: str, url: str) -> str:
    """What a reference names, without version and scheme; absolute where R4 makes it so.

    Parameters
    ----------
    reference
        As given.
    url
        Full URL of the entry that holds the reference, or empty.

    Examples
    --------
    >>> target_of("Patient/1/_history/2", "http://one.example/fhir/Observation/9")
    '//one.example/fhir/Patient/1'
    >>> target_of("HTTPS://One.example/fhir/Patient/1", "")
    '//one.example/fhir/Patient/1'
    >>> target_of("Patient/1", "urn:uuid:0c3151bd")
    'Patient/1'
    """
    return _without_scheme(_absolute(reference, url))


def _absolute(reference: str, url: str) -> str:
    named = reference.partition("/_history/")[0]
    relative, holder = RESTFUL.fullmatch(named), RESTFUL.fullmatch(url.partition("/_history/")[0])
    if relative and holder and holder[1] and not relative[1]:
        return f"{holder[1]}{named}"
    return named


def _without_scheme(url: str) -> str:
    parts = SERVER.match(url)
    return url if parts is None else f"//{parts[1].lower()}{parts[2]}"


def _last_part(target: str) -> str:
    """The id at the end of a path or a URN."""
    return target.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


class People:
    """The subjects of a source: named by id, and by full URL where one id is of several people.

    Parameters
    ----------
    resources
        Of the whole source.
    """

    def __init__(self, resources: Iterable[Entry]) -> None:
        self._id_of_url: dict[str, str] = {}
        self._patients: dict[str, set[str]] = {}
        self._servers: dict[str, set[str]] = {}
        self._spelled: dict[str, str] = {}
        results = []
        for entry in resources:
            kind = entry.resource.get("resourceType")
            if kind == "Patient" and entry.url:
                target = self._seen(entry.url, "")
                self._id_of_url[target] = str(entry.resource.get("id") or _last_part(target))
                self._patients.setdefault(self._id(target), set()).add(target)
            elif kind == "Observation":
                results.append(self._seen(_subject_reference(entry.resource), entry.url))
        for target in (*self._id_of_url, *dict.fromkeys(results)):
            if target.startswith("//"):
                self._servers.setdefault(self._id(target), set()).add(target)

    def patient(self, url: str, resource: Json) -> str:
        """Subject that a Patient is."""
        target = target_of(url, "")
        return self._name(target, str(resource.get("id") or self._id(target)))

    def of_result(self, url: str, resource: Json) -> str | None:
        """Subject of an Observation, empty if it names none; None if it is of no person."""
        target = target_of(_subject_reference(resource), url)
        parts = RESTFUL.fullmatch(target)
        if parts and parts[2] != "Patient":
            return None
        return self._name(target, self._id(target))

    def is_ambiguous(self, subject: str) -> bool:
        """Whether a subject, named by an id alone, may be any of several people."""
        return max(len(known.get(subject, ())) for known in (self._patients, self._servers)) > 1

    def _seen(self, reference: str, url: str) -> str:
        """Target of a reference; of its spellings the last in the alphabet (https) is shown."""
        target = target_of(reference, url)
        spelled = self._spelled.get(target, "")
        self._spelled[target] = max(spelled, _absolute(reference, url))
        return target

    def _id(self, target: str) -> str:
        return self._id_of_url.get(target) or _last_part(target)

    def _name(self, target: str, given: str) -> str:
        if not self.is_ambiguous(given):
            return given
        if target in self._id_of_url or target.startswith("//"):
            return self._spelled.get(target, target)
        known = self._patients.get(given, set())
        return self._spelled[next(iter(known))] if len(known) == 1 else given


def _subject_reference(resource: Json) -> str:
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    # A contained Patient has an id inside its Observation only: it is nobody outside.
    return reference if isinstance(reference, str) and not reference.startswith("#") else ""
