"""One process per file: how many at once, how long, and that the worker reads none itself."""

import subprocess
import sys
from typing import Any

import pytest

from serving.web import screening_process


def test_a_worker_that_has_lists_enough_asks_to_come_again(
    lists: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_process, "AT_ONCE", 0)
    page = lists.drop()
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "try again" in page.text


def test_a_process_that_takes_too_long_is_ended(
    lists: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_process, "WALL_SECONDS", 0.05)
    page = lists.drop()
    assert page.status_code == 422
    assert "more time or memory" in page.text


def test_the_worker_reads_no_file_itself() -> None:
    imported = (
        "import sys; import serving.app;"
        "print([n for n in ('pandas', 'pyarrow', 'sklearn', 'xgboost', 'mlflow')"
        " if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
