"""Canaries in a process of their own: what runs passes, what does not ends there."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from features.errors import ArtefactError
from models.artefact import save_artefact
from serving import canary
from serving.lifecycle import Watch


@pytest.fixture
def artefact(tmp_path: Path, learned_model: Any) -> Path:
    save_artefact(learned_model, tmp_path / "artefact")
    return tmp_path / "artefact"


def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    """Another program in the place of the canary."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr("serving.canary.sys.executable", str(program))


def test_a_model_that_runs_passes(artefact: Path) -> None:
    canary.try_out(artefact)


def test_a_model_whose_golden_rows_do_not_come_out_is_told_so(artefact: Path) -> None:
    golden = json.loads((artefact / "golden.json").read_text())
    golden["risk"][0][0] += 0.01
    (artefact / "golden.json").write_text(json.dumps(golden))
    with pytest.raises(ArtefactError, match=r"golden\.json was altered"):
        canary.try_out(artefact)


def test_a_canary_that_crashes_is_a_fault(
    artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, tmp_path, "kill -SEGV $$")
    with pytest.raises(ArtefactError, match="ended with status -11"):
        canary.try_out(artefact)


def test_a_canary_that_hangs_is_given_up(
    artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, tmp_path, "exec sleep 60")
    monkeypatch.setattr(canary, "CANARY_SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(ArtefactError, match="given up after"):
        canary.try_out(artefact)
    assert time.monotonic() - began < 30


def test_a_model_that_crashes_in_its_canary_never_answers_and_is_tried_once_per_version(
    tmp_path: Path, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "models")
    stand_in(monkeypatch, tmp_path, f"echo x >> {tmp_path}/trials; kill -SEGV $$")
    watch = Watch(tmp_path / "models")
    for _ in range(3):
        watch.look()
    assert watch.lineup.learned == {}
    assert "ended with status" in watch.lineup.faults["smm-progression"]
    assert (tmp_path / "trials").read_text() == "x\n"


def test_a_version_that_passed_is_not_tried_again_by_the_next_worker(
    tmp_path: Path, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path)
    Watch(tmp_path).look()
    monkeypatch.setattr("serving.published.try_out", lambda _: pytest.fail("tried again"))
    other = Watch(tmp_path)
    other.look()
    assert other.lineup.learned["smm-progression"].version == "1"
