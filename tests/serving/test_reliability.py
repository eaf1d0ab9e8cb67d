"""A short version of every fault of docs/reliability.md, made to one running service."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability import __main__ as command
from benchmarks.reliability.__main__ import FAULTS, HEAD, PAGE
from benchmarks.reliability.finding import Finding
from benchmarks.reliability.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


SHORT_ELSEWHERE = {
    "registry_faults": "tests/training/test_follow.py",
    "restarted_database": "tests/serving/audit/test_postgres.py",
}
"""Faults that need a server of another kind, where that one has been started anyway."""


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SHORT_ELSEWHERE])
def test_the_service_survives(served: Served, name: str) -> None:
    found = FAULTS[name](served, True)
    assert found.holds, found


def test_the_page_has_a_line_for_every_fault_and_the_words_of_the_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^\| .* \| (yes|\*\*no\*\*) \|$", text, re.M)
    assert len(lines) == len(FAULTS)
    assert text.startswith(HEAD)


def test_a_fault_that_cannot_be_made_does_not_hold_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object) -> Finding:
        raise AssertionError

    def holds(*_: object) -> Finding:
        return Finding("a fault", "nothing", "nothing", holds=True)

    @contextlib.contextmanager
    def nobody(_: Path) -> Iterator[None]:
        yield None

    monkeypatch.setattr(command, "FAULTS", {"fails": fails, "holds": holds})
    monkeypatch.setattr(command, "Served", nobody)
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr("sys.argv", ["reliability"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1
    text = (tmp_path / "page.md").read_text()
    assert "| fails | not made to its end: AssertionError |  | **no** |" in text
    assert "| a fault | nothing | nothing | yes |" in text
    assert re.search(r"^Made on \d{4}-\d\d-\d\d of commit \S+ with Python 3", text, re.M)


@pytest.mark.parametrize("words", [["--short"], ["--only", "holds"]])
def test_a_short_or_partial_run_leaves_the_page_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    found = Finding("a fault", "nothing", "nothing", holds=True)
    monkeypatch.setattr(command, "FAULTS", dict.fromkeys(("holds", "more")))
    monkeypatch.setattr(command, "run", lambda *_, **__: found)
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr("sys.argv", ["reliability", *words])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert not (tmp_path / "page.md").exists()


def test_a_fault_nobody_knows_is_refused_with_the_names_of_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reliability", "--only", "earthquake"])
    with pytest.raises(SystemExit):
        command.main()
    assert "earthquake is none of killed_workers, " in capsys.readouterr().err
