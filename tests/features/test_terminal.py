import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import InputError
from features.terminal import check_registry, working


def test_outside_a_terminal_each_stage_is_one_line_when_it_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with working("Training") as advance:
        assert capsys.readouterr().err == ""
        advance("Cox", "0 of 2")
        assert capsys.readouterr().err == "Training: Cox, 0 of 2\n"
        advance("Cox", "1 of 2")
        advance("Trees", "1 of 2")
        advance("Cox", "2 of 2")
        advance("registering", "")
    told = capsys.readouterr()
    assert told.err == "Training: Trees, 1 of 2\nTraining: registering\n"
    assert told.out == ""


def test_where_a_program_reads_no_stage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with working("Training", lines=False) as advance:
        advance("Cox", "0 of 2")
    assert capsys.readouterr() == ("", "")


def test_in_a_terminal_one_status_goes_on_within_a_stage_for_people_and_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    monkeypatch.setenv("TERM", "xterm")
    for lines in (True, False):
        with working("Training", lines=lines) as advance:
            advance("Cox", "0 of 2")
            advance("Cox", "1 of 2")
        told = capsys.readouterr().err
        assert "Training: Cox, 1 of 2" in told


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:5000",
        "https://mlflow.example/base",
        "sqlite:////data/mlflow.db",
        "postgresql+psycopg2://mlflow@database/mlflow",
        "databricks",
        "databricks://profile",
    ],
)
def test_whatever_may_be_a_registry_is_taken(address: str) -> None:
    assert check_registry(address) == address


@pytest.mark.parametrize(
    "address", ["nonsense://", "mlruns", "file:///mlruns", "http", "http://", "http://["]
)
def test_what_can_be_no_registry_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=r"^--registry: expected the address of"):
        check_registry(address)


@pytest.mark.parametrize("command", ["serve", "follow"])
def test_no_command_waits_for_a_registry_that_can_be_none(
    command: str, tmp_path: Path, run: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    done = run(command, "--registry", "nonsense://", "--runs", tmp_path)
    assert done.returncode == 2
    assert "--registry: expected the address of" in done.stderr
