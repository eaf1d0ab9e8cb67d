"""Signatures of artefacts: who made a model, proven before a byte of it is interpreted.

::

    <runs>/signing.pem         private key, of whoever trains; never where models are served
    <runs>/trusted/ID.pem      public keys that a server believes
    <runs>/trusted/revoked     SHA-256 of artefacts that must not answer any more, one a line
    artefact/SHA256SUMS.sig    algorithm, key and signature over SHA256SUMS

Ed25519 (RFC 8032, doi:10.17487/RFC8032) over the list of hashes, which covers every other file. A
version is signed once, when it is registered, and carries its signature from then on: whoever lays
it out for serving needs no private key. An old version stays validly signed, so that a roll-back is
possible; one that must never come back is revoked by whoever says which keys are trusted.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from features.errors import ArtefactError, InputError
from models.artefact import SIGNATURE, SUMS

__all__ = [
    "REVOKED",
    "TRUSTED",
    "make_signing_key",
    "read_revoked",
    "read_trusted",
    "revoked_words",
    "sign",
    "signing_key",
    "verify_signature",
]

PRIVATE, TRUSTED, REVOKED = "signing.pem", "trusted", "revoked"
VARIABLE = "SMOULDER_SIGNING_KEY"
"""Environment variable that names a private key kept elsewhere."""

CONTEXT = b"smoulder artefact 1\n"
"""Before the signed text, so that no signature made for something else fits."""

MOST_BYTES = 64 * 1024

Trusted = Mapping[str, Ed25519PublicKey]


def make_signing_key(runs: Path) -> str:
    """A new pair of keys; its short name. Public keys that were trusted stay so.

    Raises
    ------
    InputError
        If there is a private key already.
    """
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    name = _name(public)
    (runs / TRUSTED).mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(runs / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            str(runs / PRIVATE), "is there already; move it away to sign with another key"
        ) from None
    with os.fdopen(descriptor, "wb") as sink:
        sink.write(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (runs / TRUSTED / f"{name}.pem").write_bytes(pem)
    return name


def signing_key(runs: Path) -> Path | None:
    """Private key that new versions are signed with; None where there is none."""
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else runs / PRIVATE
    return path if named or path.exists() else None


def sign(artefact: Path, private_key: Path) -> None:
    """Sign the list of hashes of an artefact.

    Raises
    ------
    InputError
        If the key cannot be read as an Ed25519 private key.
    """
    try:
        private = serialization.load_pem_private_key(private_key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(str(private_key), "cannot be read as a private key in PEM") from error
    if not isinstance(private, Ed25519PrivateKey):
        from features.terminal import same_runs

        # Kept elsewhere, it is no folder's of runs.
        place = "" if os.environ.get(VARIABLE) else same_runs(private_key.parent)
        hint = f"expected an Ed25519 key; try 'smoulder keys signing{place}'"
        raise InputError(str(private_key), hint)
    signature = private.sign(CONTEXT + (artefact / SUMS).read_bytes())
    (artefact / SIGNATURE).write_bytes(_line(_name(private.public_key()), signature))


def read_trusted(directory: Path) -> Trusted:
    """Public keys of a directory by their short names; none when it does not exist.

    Raises
    ------
    ArtefactError
        If it, or a file of it, cannot be read or is no Ed25519 public key: trust must not shrink or
        grow by a slip.
    """
    found = {}
    for path in _keys_in(directory):
        try:
            key = serialization.load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise ArtefactError(f"{path}: cannot be read as a public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ArtefactError(f"{path}: expected an Ed25519 public key")
        found[_name(key)] = key
    return found


def _keys_in(directory: Path) -> list[Path]:
    # Not by `glob`, to which a directory that must not be read is an empty one.
    try:
        return sorted(path for path in directory.iterdir() if path.suffix == ".pem")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ArtefactError(f"{directory}: cannot be read: {error.strerror}") from error


def read_revoked(directory: Path) -> frozenset[str]:
    """SHA-256 of the artefacts that are listed beside trusted keys as revoked; none without a list.

    Raises
    ------
    ArtefactError
        If a line of it is no SHA-256: a slip must not leave a version in use.
    """
    found = revoked_words(directory)
    for each in found:
        if not re.fullmatch("[0-9a-f]{64}", each):
            raise ArtefactError(
                f"{directory / REVOKED}: expected the SHA-256 of an artefact on every line"
            )
    return found


def revoked_words(directory: Path) -> frozenset[str]:
    """First word of every line of that list, whatever it is; none without a list.

    Raises
    ------
    ArtefactError
        If it cannot be read.
    """
    path = directory / REVOKED
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path}: cannot be read") from error
    return frozenset(
        words[0].lower() for line in lines if (words := line.partition("#")[0].split())
    )


def verify_signature(artefact: Path, trusted: Trusted) -> str:
    """Short name of the trusted key that signed an artefact.

    Raises
    ------
    ArtefactError
        If it is unsigned, signed by another key, or was altered since.
    """
    sums, line = _plain(artefact / SUMS), _plain(artefact / SIGNATURE)
    try:
        algorithm, name, text = line.decode("ascii").split()
        signature = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ArtefactError(f"artefact: {SIGNATURE} is not of the form expected") from error
    if line != _line(name, signature):
        raise ArtefactError(f"artefact: {SIGNATURE} is not of the form expected")
    if algorithm != "ed25519" or name not in trusted:
        raise ArtefactError("artefact: it is signed by a key that is not trusted here")
    try:
        trusted[name].verify(signature, CONTEXT + sums)
    except InvalidSignature:
        raise ArtefactError(f"artefact: {SUMS} is not what was signed") from None
    return name


def _line(name: str, signature: bytes) -> bytes:
    """The one spelling of a signature; base64 has several of the same bytes."""
    return f"ed25519 {name} {base64.b64encode(signature).decode()}\n".encode("ascii")


def _plain(path: Path) -> bytes:
    """Content of a small plain file."""
    if not path.exists():
        missing = "it is not signed" if path.name == SIGNATURE else f"{path.name} is missing"
        raise ArtefactError(f"artefact: {missing}")
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise ArtefactError(f"artefact: {path.name} is not a plain file of the size expected")
    return path.read_bytes()


def _name(key: Ed25519PublicKey) -> str:
    """Beginning of the hash of a public key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]
