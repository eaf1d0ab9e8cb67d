"""A publish directory whose role or artefact is not what it says is a fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.artefact import save_artefact
from serving.lifecycle import Watch

Publish = Any
Versions = Any


@pytest.mark.parametrize(
    "role",
    [
        {"name": "another"},
        {"role": "emperor"},
        {"cohort_kind": "imaginary"},
        {"run_id": "\ud800"},
        {"version": "1\n2"},
        {"version": "9" * 201},
        {"run_id": 7},
    ],
)
def test_a_role_that_does_not_fit_is_a_fault(
    tmp_path: Path,
    publish: Publish,
    role: dict[str, Any],
    versions: Versions,
) -> None:
    publish(tmp_path, **role)
    found = Watch(tmp_path)
    found.look()
    assert versions(found) == {}
    assert "nothing answers" in found.lineup.faults["smm-progression"]


def test_an_unreadable_role_is_a_fault(tmp_path: Path, publish: Publish) -> None:
    (publish(tmp_path) / "role.json").write_text("{", encoding="utf-8")
    found = Watch(tmp_path)
    found.look()
    assert "role.json" in found.lineup.faults["smm-progression"]


def test_a_learned_model_cannot_take_the_name_of_a_published_one(
    tmp_path: Path,
    publish: Publish,
    versions: Versions,
) -> None:
    publish(tmp_path).rename(tmp_path / "20-2-20")
    role = tmp_path / "20-2-20" / "role.json"
    role.write_text(json.dumps(json.loads(role.read_text()) | {"name": "20-2-20"}))
    found = Watch(tmp_path)
    found.look()
    assert versions(found) == {}


def test_a_role_and_an_artefact_of_different_studies_are_a_fault(
    tmp_path: Path, learned_model: Any, no_canary: None
) -> None:
    from dataclasses import replace

    honest = replace(learned_model, provenance={"study_hash": "c" * 12, "cohort_kind": "simulated"})
    directory = tmp_path / "smm-progression"
    save_artefact(honest, directory / "artefact")
    told = {"name": "smm-progression", "version": "1", "role": "champion", "run_id": "b"}
    told |= {"study_hash": "c" * 12, "cohort_kind": "real"}
    (directory / "role.json").write_text(json.dumps(told))
    found = Watch(tmp_path)
    found.look()
    assert "differ in cohort_kind" in found.lineup.faults["smm-progression"]


def test_an_artefact_of_another_model_is_a_fault(
    tmp_path: Path, publish: Publish, no_canary: None
) -> None:
    # A validly made model of one name, laid out under another.
    publish(tmp_path / "from").rename(tmp_path / "mgus-progression")
    role = tmp_path / "mgus-progression" / "role.json"
    role.write_text(role.read_text().replace("smm-progression", "mgus-progression"))
    found = Watch(tmp_path)
    found.look()
    assert "differ in the name" in found.lineup.faults["mgus-progression"]


def test_a_folder_of_very_much_is_refused_before_it_is_looked_through(
    watch: Watch, tmp_path: Path, publish: Publish
) -> None:
    artefact = publish(tmp_path, version="2") / "artefact"
    for i in range(201):
        (artefact / f"{i}").mkdir()
    watch.look()
    assert "more than 200" in watch.lineup.faults["smm-progression"]


def test_files_that_are_too_large_together_are_not_copied(
    watch: Watch, tmp_path: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.published.MOST_TOGETHER", 2**20)
    artefact = publish(tmp_path, version="2") / "artefact"
    for i in range(3):
        (artefact / f"{i}").write_bytes(bytes(2**19))
    watch.look()
    assert "more than 1 MB" in watch.lineup.faults["smm-progression"]
