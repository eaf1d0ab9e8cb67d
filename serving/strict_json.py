"""JSON read to the letter: no NaN, no Infinity, no repeated key, no lone surrogate.

The standard library's decoder accepts all four and keeps the last of two equal keys, which would
drop a laboratory value in silence. So does the faster decoder that is asked first, but for the
last: its value stands where the text has no more colons than the value written out again.
"""

import json
from collections.abc import Callable
from typing import NoReturn

import msgspec

from serving.problems import MALFORMED, TOO_LARGE, ProblemError

__all__ = ["decode"]

MOST_DIGITS = 400
"""Longest integer read, its sign aside; no quantity here needs more than six digits."""

_AS_ONE_DIGIT = bytes.maketrans(b"0123456789", b"0000000000")
_TOO_LONG = b"0" * (MOST_DIGITS + 1)


class _NotStrictError(ValueError):
    """Text that a lenient reader would take."""


def decode(body: bytes, *, fraction: Callable[[str], float] = float) -> object:
    """Value of a JSON text in UTF-8.

    Parameters
    ----------
    body
        As received.
    fraction
        Makes a number of a literal with a point or an exponent.

    Raises
    ------
    ProblemError
        400 for anything that is not strict JSON, 413 for nesting no request has.

    Examples
    --------
    >>> decode(b'{"value": 24}')
    {'value': 24}
    """
    quickly = _decode_plain(body, fraction)
    if quickly is not None:
        return quickly
    try:
        text = body.decode("utf-8")
        if "\\u" in text:
            _refuse_lone_surrogates(text)
        return _decoder(fraction).decode(text)
    except UnicodeDecodeError:
        raise ProblemError(MALFORMED, "the body is not UTF-8") from None
    except RecursionError:
        raise ProblemError(TOO_LARGE, "the body is nested too deeply") from None
    except _NotStrictError as problem:
        raise ProblemError(MALFORMED, f"the body is not strict JSON: {problem}") from None
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise ProblemError(MALFORMED, f"the body is not JSON ({place})") from None


def _decode_plain(
    body: bytes, fraction: Callable[[str], float] = float
) -> dict[str, object] | None:
    """Object of a text that is surely strict; None where the slower reader has to look."""
    if b"\\u003" in body or _TOO_LONG in body.translate(_AS_ONE_DIGIT):
        return None
    try:
        hook = None if fraction is float else fraction
        found = msgspec.json.Decoder(float_hook=hook).decode(body)
        written = msgspec.json.encode(found, enc_hook=float)
        # A pair has a colon, which is lost with it where its key is repeated; in texts, colons that
        # are no escapes are kept as they are.
        sure = type(found) is dict and body.count(b":") == written.count(b":")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if sure else None


def _refuse_lone_surrogates(text: str) -> None:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise _NotStrictError("a lone surrogate is not a character") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotStrictError("a key is repeated in one object")
    return found


def _constant(_: str) -> NoReturn:
    raise _NotStrictError("NaN and Infinity are not numbers")


def _integer(literal: str) -> int:
    if len(literal.removeprefix("-")) > MOST_DIGITS:
        raise _NotStrictError("a number has too many digits")
    return int(literal)


def _decoder(fraction: Callable[[str], float]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_constant=_constant,
        parse_int=_integer,
        parse_float=fraction,
    )
