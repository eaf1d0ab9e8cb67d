"""Logs as one JSON object a line, for machines to read, when asked for.

A line says when, how grave, who and what; never a value, an identifier or a path as it was asked,
because nothing that is logged holds one.
"""

import json
import logging
import os
import traceback
from datetime import UTC, datetime

__all__ = ["ACCESS", "FORMAT", "JsonLines", "configure_logs", "place_of"]

FORMAT = "SMOULDER_LOG_FORMAT"
"""Environment variable; ``json`` asks for lines of JSON, and for one of every request."""

ACCESS = logging.getLogger("smoulder.access")
ACCESS.setLevel(logging.WARNING)
"""Of requests; silent unless JSON is asked for."""

KEPT = ("route", "status", "seconds", "request_id")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Line of a record; text of exceptions is left out, as it may hold a value."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in KEPT if hasattr(record, name)}
        return json.dumps(told, ensure_ascii=False)


def configure_logs() -> None:
    """Write our logs as JSON if the environment asks for it."""
    if os.environ.get(FORMAT) != "json":
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for logger in (logging.getLogger("smoulder"), logging.getLogger("smoulder.serving")):
        logger.handlers, logger.propagate = [], logger.name != "smoulder"
    logging.getLogger("smoulder").addHandler(handler)
    ACCESS.setLevel(logging.INFO)


def place_of(error: BaseException) -> str:
    """Type of an exception and the innermost lines it passed; its text may hold a value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    lines = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {lines}"
