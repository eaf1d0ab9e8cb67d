from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from features.errors import ArtefactError, InputError
from models.artefact import load_artefact, save_artefact
from models.learned import LearnedModel
from models.signature import make_signing_key, read_trusted, sign, signing_key, verify_signature


@pytest.fixture
def artefact(tmp_path: Path, learned_model: LearnedModel) -> Path:
    """A signed artefact."""
    save_artefact(learned_model, tmp_path / "artefact")
    make_signing_key(tmp_path)
    sign(tmp_path / "artefact", tmp_path / "signing.pem")
    return tmp_path / "artefact"


def test_a_signed_artefact_loads_as_an_unsigned_one_and_names_its_key(
    artefact: Path, tmp_path: Path
) -> None:
    (trusted,) = read_trusted(tmp_path / "trusted").items()
    assert verify_signature(artefact, dict([trusted])) == trusted[0]
    assert load_artefact(artefact).label == "Progression from SMM"


def test_a_signature_holds_for_the_list_it_was_made_for_and_no_other(
    artefact: Path, tmp_path: Path
) -> None:
    trusted = read_trusted(tmp_path / "trusted")
    sums = artefact / "SHA256SUMS"
    sums.write_text(sums.read_text() + f"{'0' * 64}  another\n")
    with pytest.raises(ArtefactError, match="not what was signed"):
        verify_signature(artefact, trusted)


@pytest.mark.parametrize(
    "line", ["", "x", "ed25519 a b c", "rsa KEY AAAA", "ed25519 KEY ?", "ed25519 KEY AAAA", "é"]
)
def test_a_line_that_is_no_signature_is_refused(artefact: Path, tmp_path: Path, line: str) -> None:
    trusted = read_trusted(tmp_path / "trusted")
    (name,) = trusted
    (artefact / "SHA256SUMS.sig").write_text(line.replace("KEY", name), encoding="utf-8")
    with pytest.raises(ArtefactError):
        verify_signature(artefact, trusted)


def test_the_private_key_is_for_its_owner_only_and_is_never_replaced(tmp_path: Path) -> None:
    make_signing_key(tmp_path)
    private = tmp_path / "signing.pem"
    assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="is there already"):
        make_signing_key(tmp_path)
    private.rename(tmp_path / "elsewhere.pem")
    make_signing_key(tmp_path)
    assert len(read_trusted(tmp_path / "trusted")) == 2


def test_a_key_kept_elsewhere_is_named_by_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signing_key(tmp_path) is None
    monkeypatch.setenv("SMOULDER_SIGNING_KEY", str(tmp_path / "vault.pem"))
    assert signing_key(tmp_path) == tmp_path / "vault.pem"


def test_a_file_that_is_no_key_stops_signing_and_trusting(artefact: Path, tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for content in (b"nothing", pem):
        (tmp_path / "odd.pem").write_bytes(content)
        with pytest.raises(InputError, match=r"odd\.pem"):
            sign(artefact, tmp_path / "odd.pem")
    (tmp_path / "trusted" / "odd.pem").write_bytes(b"nothing")
    with pytest.raises(ArtefactError, match=r"odd\.pem"):
        read_trusted(tmp_path / "trusted")


@pytest.mark.parametrize("fault", ["forbidden", "a file"])
def test_a_place_of_keys_that_cannot_be_read_is_not_one_without_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    make_signing_key(tmp_path)
    if fault == "a file":
        with pytest.raises(ArtefactError, match="cannot be read: Not a directory"):
            read_trusted(tmp_path / "signing.pem")
        return

    def forbidden(*_: object) -> None:  # as for anybody but root where it is root's, mode 0700
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", forbidden)
    monkeypatch.setattr("os.listdir", forbidden)
    with pytest.raises(ArtefactError, match="cannot be read: Permission denied"):
        read_trusted(tmp_path / "trusted")


def test_a_key_of_another_kind_is_told_the_command_for_its_folder(
    artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "signing.pem").write_bytes(other)
    with pytest.raises(InputError, match=f"'smoulder keys signing --runs {tmp_path}'"):
        sign(artefact, tmp_path / "signing.pem")
    # Kept elsewhere, it is of no folder of runs.
    monkeypatch.setenv("SMOULDER_SIGNING_KEY", str(tmp_path / "signing.pem"))
    with pytest.raises(InputError, match="'smoulder keys signing'"):
        sign(artefact, tmp_path / "signing.pem")
