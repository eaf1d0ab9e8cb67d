import hashlib
import json
import os
import shutil
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.reliability.served import publish as publish_shifted
from features.errors import ArtefactError
from models.artefact import save_artefact
from models.signature import make_signing_key, sign
from serving.lifecycle import WITHDRAWN_AFTER_POLLS, Watch, check_published
from serving.published import LAST_GOOD

Publish = Any


@pytest.fixture
def watch(tmp_path: Path, publish: Publish, no_canary: None) -> Watch:
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
        {"run_id": "\ud800"},
        {"version": "1\n2"},
        {"version": "9" * 201},
        {"run_id": 7},
    ],
)
def test_a_role_that_does_not_fit_is_a_fault(
    tmp_path: Path, publish: Publish, role: dict[str, Any]
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


@pytest.mark.parametrize("left", [False, True], ids=["gone", "an empty mount point"])
def test_where_the_place_of_all_models_is_gone_they_answer_on_and_it_is_told(
    tmp_path: Path, publish: Publish, no_canary: None, left: bool
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
    watch: Watch, tmp_path: Path, publish: Publish, spoil: str
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
    looking.join(timeout=10)
    assert versions(watch) == {"smm-progression": "2"}
    assert "cannot be read" in watch.lineup.faults["registry"]


def test_a_folder_of_very_much_is_refused_before_it_is_looked_through(
    watch: Watch, tmp_path: Path, publish: Publish
) -> None:
    artefact = publish(tmp_path, version="2") / "artefact"
    for i in range(201):
        (artefact / f"{i}").mkdir()
    watch.look()
    assert "more than 200" in watch.lineup.faults["smm-progression"]


def test_what_a_killed_process_left_half_taken_in_is_removed(
    watch: Watch, tmp_path: Path, publish: Publish
) -> None:
    (tmp_path / LAST_GOOD / ".taking-of-the-killed" / "artefact").mkdir(parents=True)
    publish(tmp_path, version="2")
    watch.look()
    assert not list((tmp_path / LAST_GOOD).glob(".taking-*"))


def test_every_change_is_told(tmp_path: Path, publish: Publish) -> None:
    told: list[int] = []
    found = Watch(tmp_path, lambda lineup: told.append(len(lineup.learned)))
    publish(tmp_path)
    found.look()
    found.look()
    assert told == [1]


def test_a_server_is_not_started_on_a_corrupt_artefact(tmp_path: Path, publish: Publish) -> None:
    target = publish(tmp_path)
    (target / "artefact" / "arrays.npz").write_bytes(b"")
    with pytest.raises(ArtefactError, match="publish it again or remove it"):
        check_published(tmp_path)


def test_a_server_that_starts_on_a_corrupt_version_answers_with_the_last_good_one(
    watch: Watch, tmp_path: Path, publish: Publish
) -> None:
    publish(tmp_path, version="2", spoil="manifest.json")
    assert check_published(tmp_path) == ["smm-progression"]
    restarted = Watch(tmp_path)
    restarted.look()
    assert versions(restarted) == {"smm-progression": "1"}
    assert "the last good version answers" in restarted.lineup.faults["smm-progression"]


def test_a_last_good_copy_that_was_altered_is_not_used(
    watch: Watch, tmp_path: Path, publish: Publish
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
    tmp_path: Path, publish: Publish, no_canary: None
) -> None:
    publish(tmp_path)
    (tmp_path / LAST_GOOD).write_text("in the way")
    found = Watch(tmp_path)
    found.look()
    assert versions(found) == {"smm-progression": "1"}


def test_a_challenger_answers_beside_its_champion_when_asked_for(
    watch: Watch, tmp_path: Path, publish: Publish
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


@pytest.fixture
def signed(tmp_path: Path, publish: Publish, no_canary: None) -> Path:
    """A models directory beside trusted keys, with one signed version."""
    make_signing_key(tmp_path)
    target = publish(tmp_path / "serving")
    sign(target / "artefact", tmp_path / "signing.pem")
    return tmp_path / "serving"


def test_where_keys_are_trusted_the_unsigned_the_strange_and_the_altered_are_refused(
    signed: Path, publish: Publish, tmp_path: Path
) -> None:
    found = Watch(signed)
    found.look()
    assert versions(found) == {"smm-progression": "1"}

    def fault() -> str:
        found.look()
        assert versions(found) == {"smm-progression": "1"}
        return str(found.lineup.faults["smm-progression"])

    publish(signed, version="2")
    assert "not signed" in fault()
    make_signing_key(tmp_path / "stranger")
    sign(publish(signed, version="3") / "artefact", tmp_path / "stranger" / "signing.pem")
    assert "not trusted here" in fault()
    target = publish(signed, version="4")
    sign(target / "artefact", tmp_path / "signing.pem")
    manifest = target / "artefact" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("made for tests", "made by somebody"))
    sums = target / "artefact" / "SHA256SUMS"
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    lines = [
        f"{digest}  manifest.json" if "manifest" in line else line
        for line in sums.read_text().splitlines()
    ]
    sums.write_text("\n".join(lines) + "\n")
    # Its hashes fit, so that without the signature it would be served.
    (target / "role.json").touch()
    assert "not what was signed" in fault()


def test_where_trusted_keys_are_away_nothing_unsigned_is_let_in(
    signed: Path, publish: Publish, tmp_path: Path
) -> None:
    found = Watch(signed)
    found.look()
    (tmp_path / "trusted").rename(tmp_path / "away")
    publish(signed, version="2")
    found.look()
    assert versions(found) == {"smm-progression": "1"}
    assert "none is there any more" in found.lineup.faults["smm-progression"]
    (tmp_path / "away").rename(tmp_path / "trusted")
    sign(publish(signed, version="3") / "artefact", tmp_path / "signing.pem")
    found.look()
    assert versions(found) == {"smm-progression": "3"}


def test_a_trusted_key_that_cannot_be_read_stops_nobody_and_lets_nothing_in(
    signed: Path, publish: Publish, tmp_path: Path
) -> None:
    found = Watch(signed)
    found.look()
    (tmp_path / "trusted" / "new.pem").write_text("half a ke")
    publish(signed, version="2")
    found.look()
    assert versions(found) == {"smm-progression": "1"}
    assert "cannot be read" in found.lineup.faults["smm-progression"]


def test_a_revoked_version_stops_answering_and_cannot_be_put_back(
    tmp_path: Path, no_canary: None
) -> None:
    serving, trusted = tmp_path / "serving", tmp_path / "trusted"
    serving.mkdir()
    trusted.mkdir()
    watch, digests = Watch(serving), []
    for version, shift in (("1", 0.0), ("2", 0.3)):
        publish_shifted(serving, version, shift=shift)
        watch.look()
        digests.append(watch.lineup.cards["smm-progression"].provenance["sha256"])
    (trusted / "revoked").write_text(f"# found wanting\n{digests[0]}  version 1\n")
    publish_shifted(serving, "1")
    watch.look()
    assert versions(watch) == {"smm-progression": "2"}
    assert "revoked" in watch.lineup.faults["smm-progression"]
    restarted = Watch(serving)
    restarted.look()
    assert versions(restarted) == {"smm-progression": "2"}
    # One that answers stops as soon as it is listed, whatever slip stands beside it, and no copy of
    # it is taken instead.
    (trusted / "revoked").write_text("\n".join(["abc", *digests]))
    watch.look()
    assert versions(watch) == {}
    assert "nothing answers" in watch.lineup.faults["smm-progression"]
    (trusted / "revoked").unlink()
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert not watch.lineup.faults


def test_a_list_of_the_revoked_that_cannot_be_read_lets_nothing_new_in_and_stops_nobody(
    tmp_path: Path, no_canary: None
) -> None:
    serving, trusted = tmp_path / "serving", tmp_path / "trusted"
    serving.mkdir()
    trusted.mkdir()
    publish_shifted(serving, "1")
    watch = Watch(serving)
    watch.look()
    (trusted / "revoked").write_text("version 1\n")
    publish_shifted(serving, "2")
    watch.look()
    assert versions(watch) == {"smm-progression": "1"}
    assert "expected the SHA-256" in watch.lineup.faults["smm-progression"]


def test_nothing_is_parsed_before_signature_and_hashes_hold(
    signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: Any, **__: Any) -> Any:
        raise AssertionError("a byte was parsed")

    for name in ("serving.published.load_artefact", "serving.published.try_out"):
        monkeypatch.setattr(name, parsed)
    target = signed / "smm-progression" / "artefact"
    (target / "SHA256SUMS.sig").unlink()
    found = Watch(signed)
    found.look()
    assert "not signed" in found.lineup.faults["smm-progression"]


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
    watch: Watch, tmp_path: Path, publish: Publish, trusting: bool
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
