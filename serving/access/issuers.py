"""The tables ``[[issuer]]`` and ``[[ehr]]`` of ``access.toml``: whose tokens are believed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from features.errors import InputError
from serving.access.callers import check_scopes
from serving.access.ehr import Ehr
from serving.access.keysets import KeySet, check_location
from serving.access.tokens import ALGORITHMS, Issuer

__all__ = ["ehrs_of", "issuers_of", "number_within"]

ISSUER = ("issuer", "audience", "jwks")
EHR = ("issuer", "jwks", "public_url")
OPTIONS = ("algorithms", "scope_claim", "scope_prefix", "grants", "most_seconds")
MOST_SECONDS = 31 * 86_400.0


def issuers_of(given: Any, field: str) -> tuple[Issuer, ...]:
    """Issuers of bearer tokens, each listed once.

    Raises
    ------
    InputError
        Naming the setting that is unknown, missing or of the wrong kind.
    """
    tables = _tables(given, field)
    return tuple(_issuer(table, f"{field}[{i}]") for i, table in enumerate(tables))


def ehrs_of(given: Any, field: str) -> tuple[Ehr, ...]:
    """EHRs whose calls are believed; as `issuers_of`."""
    tables = _tables(given, field)
    return tuple(_ehr(table, f"{field}[{i}]") for i, table in enumerate(tables))


def number_within(value: Any, least: float, most: float, field: str) -> float:
    """A number of a file; neither a truth value nor anything that is no number.

    Raises
    ------
    InputError
        If it is none, or lies elsewhere.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most:
        raise InputError(field, f"expected a number within {least:g}-{most:g}")
    return float(value)


def _tables(given: Any, field: str) -> list[Mapping[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InputError(field, f"expected [[{field.partition(': ')[2]}]]")
    names = [each.get("issuer") for each in given]
    for i, name in enumerate(names):
        # One would be believed and the other not, and the file does not say which.
        if name in names[:i]:
            raise InputError(f"{field}[{i}].issuer", "is listed already")
    return given


def _issuer(given: Mapping[str, Any], field: str) -> Issuer:
    _check_names(given, field, ISSUER, OPTIONS)
    options: dict[str, Any] = {
        key: _text(given[key], f"{field}.{key}")
        for key in ("scope_claim", "scope_prefix")
        if key in given
    }
    if "algorithms" in given:
        options["algorithms"] = _algorithms(given["algorithms"], f"{field}.algorithms")
    if given.get("grants"):
        grants = _texts(given["grants"], f"{field}.grants")
        options["grants"] = check_scopes(grants, f"{field}.grants")
    if "most_seconds" in given:
        seconds = number_within(given["most_seconds"], 1, MOST_SECONDS, f"{field}.most_seconds")
        options["most_seconds"] = seconds
    keys = KeySet(check_location(given["jwks"], f"{field}.jwks"))
    return Issuer(given["issuer"], given["audience"], keys, **options)


def _ehr(given: Mapping[str, Any], field: str) -> Ehr:
    _check_names(given, field, EHR)
    keys = KeySet(check_location(given["jwks"], f"{field}.jwks"))
    return Ehr(given["issuer"], keys, _address(given["public_url"], f"{field}.public_url"))


def _check_names(
    given: Mapping[str, Any], field: str, needed: tuple[str, ...], options: tuple[str, ...] = ()
) -> None:
    """Check that a table holds some texts, and nothing else but its options."""
    for key in needed:
        if not _text(given.get(key), f"{field}.{key}"):
            raise InputError(f"{field}.{key}", "expected text")
    if unknown := set(given) - {*needed, *options}:
        raise InputError(f"{field}.{min(unknown)}", f"expected {', '.join(options or needed)}")


def _algorithms(given: Any, field: str) -> tuple[str, ...]:
    allowed = _texts(given, field)
    if not allowed or set(allowed) - set(ALGORITHMS):
        raise InputError(field, f"expected some of {', '.join(ALGORITHMS)}")
    return tuple(allowed)


def _address(text: str, field: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("https", "http") and parts.hostname
    except ValueError:
        known = None
    if not known:
        raise InputError(field, "expected the https:// address that the EHR calls")
    return text


def _text(given: Any, field: str) -> str:
    if not isinstance(given, str):
        raise InputError(field, "expected text")
    return given


def _texts(given: Any, field: str) -> list[str]:
    if not isinstance(given, list):
        raise InputError(field, "expected a list of texts")
    return [_text(each, field) for each in given]
