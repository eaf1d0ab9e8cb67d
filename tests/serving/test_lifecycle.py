import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from features.errors import ArtefactError
from serving.lifecycle import WITHDRAWN_AFTER_POLLS, Watch, check_published

Publish = Any


@pytest.fixture
def watch(tmp_path: Path, publish: Publish) -> Watch:
    publish(tmp_path)
    found = Watch(tmp_path)
    found.look()
    return found


def versions(watch: Watch) -> dict[str, str]:
    return {name: model.version for name, model in watch.lineup.learned.items()}


def test_an_empty_or_absent_directory_serves_the_published_models(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        found = Watch(place)
        found.look()
        assert versions(found) == {}
        assert found.lineup.choose(["20-2-20"])


def test_a_promoted_version_takes_the_place_of_the_old_one(
    watch: Watch, tmp_path: Path, publish: Publish
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


@pytest.mark.parametrize("file", ["manifest.json", "arrays.npz", "golden.json", "SHA256SUMS"])
def test_a_corrupt_version_is_never_loaded_and_the_last_good_answers(
    watch: Watch, tmp_path: Path, publish: Publish, file: str
) -> None:
    publish(tmp_path, version="2", spoil=file)
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert "last good" in watch.lineup.faults["smm-progression"]
    publish(tmp_path, version="3")
    watch.look()
    assert versions(watch) == {"smm-progression": "3"}
    assert not watch.lineup.faults


@pytest.mark.parametrize(
    "role",
    [
        {"name": "another"},
        {"role": "emperor"},
        {"cohort_kind": "imaginary"},
    ],
)
def test_a_role_that_does_not_fit_is_a_fault(
    tmp_path: Path, publish: Publish, role: dict[str, str]
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
    tmp_path: Path, publish: Publish
) -> None:
    publish(tmp_path).rename(tmp_path / "20-2-20")
    role = tmp_path / "20-2-20" / "role.json"
    role.write_text(json.dumps(json.loads(role.read_text()) | {"name": "20-2-20"}))
    found = Watch(tmp_path)
    found.look()
    assert versions(found) == {}


def test_a_gap_between_two_renames_drops_nothing_and_an_absence_withdraws(
    watch: Watch, tmp_path: Path
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


def test_every_change_is_told(tmp_path: Path, publish: Publish) -> None:
    told: list[int] = []
    found = Watch(tmp_path, lambda lineup: told.append(len(lineup.learned)))
    publish(tmp_path)
    found.look()
    found.look()
    assert told == [1]


def test_a_server_is_not_started_on_a_corrupt_artefact(tmp_path: Path, publish: Publish) -> None:
    target = publish(tmp_path)
    assert check_published(tmp_path) == ["smm-progression"]
    (target / "artefact" / "arrays.npz").write_bytes(b"")
    with pytest.raises(ArtefactError, match="publish it again or remove it"):
        check_published(tmp_path)


def _corrupt(artefact: Path, random: Random) -> str:
    """One random fault: a flipped bit, a cut, an addition, a file lost, added or swapped."""
    files = sorted(path for path in artefact.iterdir() if path.is_file())
    path = random.choice(files)
    content = bytearray(path.read_bytes())
    fault = random.choice(["flip", "flip", "flip", "cut", "add", "lose", "new", "swap", "link"])
    if fault == "flip":
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(content)
    elif fault == "cut":
        path.write_bytes(content[: random.randrange(len(content))])
    elif fault == "add":
        path.write_bytes(content + random.randbytes(random.randint(1, 50)))
    elif fault == "lose":
        path.unlink()
    elif fault == "new":
        (artefact / "model.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    elif fault == "swap":
        other = random.choice([each for each in files if each != path])
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
        path.symlink_to("/etc/hostname")
    return f"{fault} {path.name}"


def test_of_three_hundred_random_corruptions_none_is_served(watch: Watch, tmp_path: Path) -> None:
    random = Random(20260115)
    target = tmp_path / "smm-progression"
    pristine = tmp_path / ".pristine"
    shutil.copytree(target / "artefact", pristine)
    for i in range(300):
        shutil.rmtree(target / "artefact")
        shutil.copytree(pristine, target / "artefact")
        fault = _corrupt(target / "artefact", random)
        role = json.loads((target / "role.json").read_text()) | {"version": f"bad-{i}"}
        (target / "role.json").write_text(json.dumps(role), encoding="utf-8")
        watch.look()
        assert versions(watch) == {"smm-progression": "1"}, fault
        assert "smm-progression" in watch.lineup.faults, fault
