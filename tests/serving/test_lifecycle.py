"""The lineup follows what is published: promotions, absences, faults that pass."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from features.errors import ArtefactError
from serving.lifecycle import WITHDRAWN_AFTER_POLLS, Watch, check_published

Publish = Any
Versions = Any


def test_an_empty_or_absent_directory_serves_the_published_models(
    tmp_path: Path, versions: Versions
) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        found = Watch(place)
        found.look()
        assert versions(found) == {}
        assert found.lineup.choose(["20-2-20"])


def test_a_promoted_version_takes_the_place_of_the_old_one(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    versions: Versions,
) -> None:
    held = watch.lineup
    publish(tmp_path, version="2")
    watch.look()
    assert versions(watch) == {"smm-progression": "2"}
    assert held.learned["smm-progression"].version == "1"


def test_nothing_new_on_disk_swaps_nothing(watch: Watch) -> None:
    held = watch.lineup
    watch.look()
    assert watch.lineup is held


def test_every_change_is_told(tmp_path: Path, publish: Publish) -> None:
    told: list[int] = []
    found = Watch(tmp_path, lambda lineup: told.append(len(lineup.learned)))
    publish(tmp_path)
    found.look()
    found.look()
    assert told == [1]


def test_a_gap_between_two_renames_drops_nothing_and_an_absence_withdraws(
    watch: Watch,
    tmp_path: Path,
    versions: Versions,
) -> None:
    shutil.move(tmp_path / "smm-progression", tmp_path / ".away")
    for _ in range(WITHDRAWN_AFTER_POLLS - 1):
        watch.look()
        assert versions(watch) == {"smm-progression": "1"}
    watch.look()
    assert versions(watch) == {}
    shutil.move(tmp_path / ".away", tmp_path / "smm-progression")
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}


@pytest.mark.parametrize("left", [False, True], ids=["gone", "an empty mount point"])
def test_where_the_place_of_all_models_is_gone_they_answer_on_and_it_is_told(
    tmp_path: Path,
    publish: Publish,
    no_canary: None,
    left: bool,
    versions: Versions,
) -> None:
    place = tmp_path / "serving"
    publish(place)
    watch = Watch(place)
    watch.look()
    place.rename(tmp_path / "away")
    if left:
        place.mkdir()
    for _ in range(2 * WITHDRAWN_AFTER_POLLS):
        watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert "last good" in watch.lineup.faults["smm-progression"]
    shutil.rmtree(place, ignore_errors=True)
    (tmp_path / "away").rename(place)
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert not watch.lineup.faults


@pytest.mark.parametrize(
    "fault", [ArtefactError("the canary was given up"), OSError(28, "No space left on device")]
)
def test_a_fault_that_passes_is_passed_without_publishing_anew(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    versions: Versions,
) -> None:
    monkeypatch.setattr("serving.retries.FIRST_SECONDS", 0.0)
    with monkeypatch.context() as busy:
        busy.setattr("serving.published._copy", raising(fault))
        publish(tmp_path, version="2")
        watch.look()
        assert versions(watch) == {"smm-progression": "1"}
        assert str(fault.args[-1]) in watch.lineup.faults["smm-progression"]
    watch.look()
    assert versions(watch) == {"smm-progression": "2"}
    assert not watch.lineup.faults


def raising(error: Exception) -> Any:
    """A function that can do nothing else."""

    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("spoil", ["pipe", "folder", "nested"])
def test_what_a_follower_left_that_cannot_be_read_is_a_fault_and_stops_no_watch(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    spoil: str,
    versions: Versions,
) -> None:
    status = tmp_path / ".registry.json"
    if spoil == "pipe":
        os.mkfifo(status)
    elif spoil == "folder":
        status.mkdir()
    else:
        status.write_text("[" * 100_000, encoding="utf-8")
    publish(tmp_path, version="2")
    looking = threading.Thread(target=watch.look, daemon=True)
    looking.start()
    looking.join(timeout=60)
    assert versions(watch) == {"smm-progression": "2"}
    assert "cannot be read" in watch.lineup.faults["registry"]


def test_a_challenger_answers_beside_its_champion_when_asked_for(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    versions: Versions,
) -> None:
    publish(tmp_path / "aside", version="2", role="challenger")
    shutil.move(tmp_path / "aside" / "smm-progression", tmp_path / "smm-progression@challenger")
    watch.look()
    lineup = watch.lineup
    assert versions(watch) == {"smm-progression": "1", "smm-progression@challenger": "2"}
    assert "smm-progression@challenger" in lineup.known
    assert "smm-progression" in [model.name for model in lineup.choose(None)]
    assert "smm-progression@challenger" not in [model.name for model in lineup.choose(None)]
    (asked,) = lineup.choose(["smm-progression@challenger"])
    assert asked.version == "2"
    assert lineup.describe(asked.name)["answers"] == "on request"


def test_a_server_is_not_started_on_a_corrupt_artefact(tmp_path: Path, publish: Publish) -> None:
    target = publish(tmp_path)
    (target / "artefact" / "arrays.npz").write_bytes(b"")
    with pytest.raises(ArtefactError, match="publish it again or remove it"):
        check_published(tmp_path)


@pytest.mark.parametrize("place", ["serving", "trusted", "trusted/key.pem", "trusted/revoked"])
def test_a_server_without_models_is_not_started_on_a_place_that_cannot_be_read(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("no such thing")
    with pytest.raises(ArtefactError, match=place):
        check_published(tmp_path / "serving")
