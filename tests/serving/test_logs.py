import json
import logging
from typing import Any

import pytest

from serving.logs import ACCESS, JsonLines, configure_logs


@pytest.fixture
def quiet() -> Any:
    """The loggers as they were."""
    loggers = [logging.getLogger(name) for name in ("smoulder", "smoulder.serving")]
    before = [(each, each.handlers, each.propagate, each.level) for each in (*loggers, ACCESS)]
    yield
    for each, handlers, propagate, level in before:
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def test_a_line_is_one_json_object_without_the_text_of_an_exception() -> None:
    record = logging.LogRecord(
        "smoulder.serving", 40, "x.py", 1, "model %s: %s", ("a", "b\nc"), None
    )
    record.exc_info = (ValueError, ValueError("48151623.42"), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "48151623" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"]) == ("error", "smoulder.serving")
    assert told["message"] == "model a: b\nc"


def test_requests_are_logged_by_route_only_where_json_is_asked_for(
    quiet: Any,
    client: Any,
    body: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs()
    client.post("/v1/risk?name=Zaphod", json=body)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("SMOULDER_LOG_FORMAT", "json")
    configure_logs()
    response = client.post("/v1/risk?name=Zaphod", json=body)
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["route"], told["status"], told["message"]) == ("risk", 200, "request")
    assert told["request_id"] == response.headers["x-request-id"]
    assert set(told) == {
        "time", "level", "logger", "message", "route", "status", "seconds", "request_id",
    }  # fmt: skip
