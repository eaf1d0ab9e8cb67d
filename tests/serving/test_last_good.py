"""Copies of the versions that were taken in last, for a server that starts beside a fault."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from features.errors import ArtefactError
from serving.lifecycle import WITHDRAWN_AFTER_POLLS, Watch, check_published
from serving.published import LAST_GOOD

Publish = Any
Versions = Any


def test_what_a_killed_process_left_half_taken_in_is_removed(
    watch: Watch, tmp_path: Path, publish: Publish
) -> None:
    (tmp_path / LAST_GOOD / ".taking-of-the-killed" / "artefact").mkdir(parents=True)
    publish(tmp_path, version="2")
    watch.look()
    assert not list((tmp_path / LAST_GOOD).glob(".taking-*"))


def test_a_server_that_starts_on_a_corrupt_version_answers_with_the_last_good_one(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    versions: Versions,
) -> None:
    publish(tmp_path, version="2", spoil="manifest.json")
    assert check_published(tmp_path) == ["smm-progression"]
    restarted = Watch(tmp_path)
    restarted.look()
    assert versions(restarted) == {"smm-progression": "1"}
    assert "the last good version answers" in restarted.lineup.faults["smm-progression"]


def test_a_last_good_copy_that_was_altered_is_not_used(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    versions: Versions,
) -> None:
    publish(tmp_path, version="2", spoil="manifest.json")
    kept = tmp_path / LAST_GOOD / "smm-progression" / "artefact" / "arrays.npz"
    kept.write_bytes(kept.read_bytes()[:-1])
    restarted = Watch(tmp_path)
    restarted.look()
    assert versions(restarted) == {}
    with pytest.raises(ArtefactError, match="publish it again"):
        check_published(tmp_path)


def test_a_withdrawn_model_leaves_no_copy(watch: Watch, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "smm-progression")
    for _ in range(WITHDRAWN_AFTER_POLLS):
        watch.look()
    assert not (tmp_path / LAST_GOOD / "smm-progression").exists()


def test_where_nothing_can_be_written_models_are_served_and_none_kept(
    tmp_path: Path,
    publish: Publish,
    no_canary: None,
    versions: Versions,
) -> None:
    publish(tmp_path)
    (tmp_path / LAST_GOOD).write_text("in the way")
    found = Watch(tmp_path)
    found.look()
    assert versions(found) == {"smm-progression": "1"}
