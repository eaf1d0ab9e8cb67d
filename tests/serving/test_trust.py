"""Signatures and revocations decide before anything is parsed."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.served import publish as publish_shifted
from models.signature import make_signing_key, sign
from serving.lifecycle import Watch

Publish = Any
Versions = Any


@pytest.fixture
def signed(tmp_path: Path, publish: Publish, no_canary: None) -> Path:
    """A models directory beside trusted keys, with one signed version."""
    make_signing_key(tmp_path)
    target = publish(tmp_path / "serving")
    sign(target / "artefact", tmp_path / "signing.pem")
    return tmp_path / "serving"


def test_where_keys_are_trusted_the_unsigned_the_strange_and_the_altered_are_refused(
    signed: Path,
    publish: Publish,
    tmp_path: Path,
    versions: Versions,
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
    signed: Path,
    publish: Publish,
    tmp_path: Path,
    versions: Versions,
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
    signed: Path,
    publish: Publish,
    tmp_path: Path,
    versions: Versions,
) -> None:
    found = Watch(signed)
    found.look()
    (tmp_path / "trusted" / "new.pem").write_text("half a ke")
    publish(signed, version="2")
    found.look()
    assert versions(found) == {"smm-progression": "1"}
    assert "cannot be read" in found.lineup.faults["smm-progression"]


def test_a_revoked_version_stops_answering_and_cannot_be_put_back(
    tmp_path: Path,
    no_canary: None,
    versions: Versions,
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
    tmp_path: Path,
    no_canary: None,
    versions: Versions,
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
