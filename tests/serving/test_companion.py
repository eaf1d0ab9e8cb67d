import sys
import time
from pathlib import Path

import pytest

from serving import companion
from serving.companion import kept_running


def test_a_companion_that_ends_is_started_again_and_ends_with_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion, "PAUSE_SECONDS", 0.05)
    mark = tmp_path / "starts"
    script = f"open({str(mark)!r}, 'a').write('x')"
    with kept_running([sys.executable, "-c", script]):
        until = time.monotonic() + 20
        while not mark.exists() or len(mark.read_text()) < 3:
            assert time.monotonic() < until
            time.sleep(0.05)
    ended = len(mark.read_text())
    time.sleep(0.3)
    assert len(mark.read_text()) == ended


def test_a_companion_that_runs_on_is_stopped() -> None:
    began = time.monotonic()
    with kept_running(["sleep", "60"]):
        time.sleep(0.1)
    assert time.monotonic() - began < 5


def test_no_command_is_no_process() -> None:
    with kept_running(()):
        pass
