"""The parts of a multipart form: what was typed, and the file that was dropped.

Parts stay in memory; a framework's own parser would write a file of more than a megabyte to a disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from serving.problems import MALFORMED, UNSUPPORTED, ProblemError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["MULTIPART", "Part", "read_parts"]

MULTIPART = "multipart/form-data"
MOST_PARTS = 2000
"""A mapping has one part per column of the file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form.

    Parameters
    ----------
    content
        Bytes as sent.
    filename
        Of a file, else None.
    """

    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        """What was typed."""
        return self.content.decode("utf-8", "replace")


def read_parts(body: bytes, content_type: str) -> Mapping[str, Part]:
    """Parts of a body by field name; of fields with one name the last.

    Raises
    ------
    ProblemError
        If the body is not of this form.
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media_type != MULTIPART.encode() or not boundary:
        raise ProblemError(UNSUPPORTED, f"Content-Type must be {MULTIPART}")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(body)
        parser.finalize()
    except (MultipartParseError, UnicodeDecodeError):
        raise ProblemError(MALFORMED, "the form cannot be read") from None
    if not reader.ended:
        raise ProblemError(MALFORMED, "the form ended before its end")
    return reader.parts


class _Reader:
    """Gathers parts from what the parser calls."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.ended = False
        self._field, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._chunks: list[bytes] = []

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._chunks.append(data[start:end]),
            "on_part_end": self._keep,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._disposition, self._chunks = b"", []

    def _header(self) -> None:
        if bytes(self._field).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _keep(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8")
        filename = options.get(b"filename")
        self.parts[name] = Part(
            b"".join(self._chunks), None if filename is None else filename.decode("utf-8")
        )
        if len(self.parts) > MOST_PARTS:
            raise ProblemError(MALFORMED, f"the form has more than {MOST_PARTS} fields")

    def _end(self) -> None:
        self.ended = True
