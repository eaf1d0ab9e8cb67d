"""A corrupt version is never loaded, whatever became of it."""

import json
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.signature import make_signing_key, sign
from serving.lifecycle import Watch, check_published

Publish = Any
Versions = Any


@pytest.mark.parametrize("file", ["manifest.json", "arrays.npz", "golden.json", "SHA256SUMS"])
def test_a_corrupt_version_is_never_loaded_and_the_last_good_answers(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    file: str,
    versions: Versions,
) -> None:
    publish(tmp_path, version="2", spoil=file)
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert "last good" in watch.lineup.faults["smm-progression"]
    publish(tmp_path, version="3")
    watch.look()
    assert versions(watch) == {"smm-progression": "3"}
    assert not watch.lineup.faults


def _corrupt(artefact: Path, random: Random) -> str:
    """One random fault: a flipped bit, a cut, an addition, a file lost, added or swapped."""
    files = sorted(path for path in artefact.iterdir() if path.is_file())
    path = random.choice(files)
    content = bytearray(path.read_bytes())
    kinds = ["flip", "flip", "flip", "cut", "add", "lose", "new", "swap", "link", "pipe", "folder"]
    fault = random.choice(kinds)
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
    elif fault == "link":
        path.unlink()
        path.symlink_to("/etc/hostname")
    elif fault == "pipe":
        path.unlink()
        os.mkfifo(path)
    else:
        path.unlink()
        path.mkdir()
    return f"{fault} {path.name}"


@pytest.mark.parametrize("trusting", [False, True])
def test_of_a_thousand_random_corruptions_none_is_served(
    watch: Watch,
    tmp_path: Path,
    publish: Publish,
    trusting: bool,
    versions: Versions,
) -> None:
    if trusting:
        make_signing_key(tmp_path / "keys")
        watch._trusted_dir = tmp_path / "keys" / "trusted"
        sign(publish(tmp_path) / "artefact", tmp_path / "keys" / "signing.pem")
        watch.look()
        assert not watch.lineup.faults
    random = Random(20260115)
    target = tmp_path / "smm-progression"
    pristine = tmp_path / ".pristine"
    shutil.copytree(target / "artefact", pristine)
    for i in range(500):
        shutil.rmtree(target / "artefact")
        shutil.copytree(pristine, target / "artefact")
        fault = _corrupt(target / "artefact", random)
        role = json.loads((target / "role.json").read_text()) | {"version": f"bad-{i}"}
        (target / "role.json").write_text(json.dumps(role), encoding="utf-8")
        watch.look()
        assert versions(watch) == {"smm-progression": "1"}, fault
        assert "smm-progression" in watch.lineup.faults, fault
    assert check_published(tmp_path) == ["smm-progression"]
