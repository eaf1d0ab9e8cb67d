"""Publish directories: what a registry laid out, taken in only after it was verified.

::

    <models_dir>/<name>/role.json                    who it is and since which run
    <models_dir>/<name>/artefact/                    the model
    <models_dir>/<name>@challenger/…                 the challenger, beside its champion
    <models_dir>/.last-good/<name>/…                 copy of what was taken in last

Everything is copied first and the copy verified, tried out and read, so that nobody can change a
file between the check and the use: signature (where public keys are trusted), hashes, revocation,
then a canary in a process of its own, and only then here. The copy stays: a server that
starts while a published version is corrupt answers with it.
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from features.errors import ArtefactError
from models.artefact import MOST_BYTES, SUMS, identity, load_artefact, verify
from models.catalogue import PUBLISHED
from models.learned import LearnedModel
from models.signature import read_revoked, read_trusted, verify_signature
from serving.canary import try_out
from serving.lineup import CHALLENGER, Card

__all__ = [
    "LAST_GOOD",
    "Published",
    "forget",
    "published_directories",
    "read_published",
    "take_in",
]

logger = logging.getLogger("smoulder.serving")

LAST_GOOD = ".last-good"
MOST_FILES = 200
MOST_TOGETHER = 128 * 1024 * 1024
"""Bytes of all files of a version; it is read as a whole, and a copy of it kept."""

ROLES = ("champion", CHALLENGER)
COHORT_KINDS = ("real", "simulated")
ROLE_KEYS = ("name", "version", "role", "study_hash", "cohort_kind", "run_id")
MOST_CHARACTERS = 200
"""Longest text of a role; it stands in every answer, record and metric."""

TAKING = ".taking-"


@dataclass(frozen=True, slots=True)
class Published:
    """One verified model with its card."""

    model: LearnedModel
    card: Card


def published_directories(models_dir: Path) -> list[Path]:
    """Publish directories; hidden ones are still being written."""
    if not models_dir.is_dir():
        return []
    return sorted(
        path
        for path in models_dir.iterdir()
        if not path.name.startswith(".") and (path / "role.json").exists()
    )


def take_in(directory: Path, trusted_dir: Path | None = None) -> Published:
    """Model of a publish directory, verified, tried out, and kept as the last good one.

    Parameters
    ----------
    directory
        Under a models directory.
    trusted_dir
        Public keys; when there are any, the artefact must be signed by one.

    Raises
    ------
    ArtefactError
        If it is not whole, not signed as it should be, does not run, or is not what it says.
    """
    try:
        with _room_for_copies(directory.parent) as folder:
            copy = folder / directory.name
            _copy(directory, copy)
            _check_whole(copy, trusted_dir)
            good = directory.parent / LAST_GOOD / directory.name
            if _sums(good) != _sums(copy):
                try_out(copy / "artefact")
            published = _read(copy)
            _keep(copy, good)
    except OSError as error:
        raise ArtefactError(f"{directory.name}: cannot be taken in: {error.strerror}") from error
    return published


def read_published(directory: Path, trusted_dir: Path | None = None) -> Published:
    """Verified model of a publish directory, without a canary.

    Parameters
    ----------
    directory
        With ``role.json`` and ``artefact``, under the name of the model.
    trusted_dir
        As for `take_in`.

    Raises
    ------
    ArtefactError
        If the role cannot be read, belongs to another model, or the artefact is not whole or not
        signed as it should be.
    """
    _check_whole(directory, trusted_dir)
    return _read(directory)


def forget(models_dir: Path, name: str) -> None:
    """Remove the last good copy of a model that was withdrawn."""
    shutil.rmtree(models_dir / LAST_GOOD / name, ignore_errors=True)


def _check_whole(directory: Path, trusted_dir: Path | None) -> None:
    """Check signature, hashes and revocation; nothing else of the artefact is read before."""
    trusted = read_trusted(trusted_dir) if trusted_dir is not None else {}
    if trusted:
        verify_signature(directory / "artefact", trusted)
    verify(directory / "artefact")
    if trusted_dir is not None and identity(directory / "artefact") in read_revoked(trusted_dir):
        raise ArtefactError("artefact: this version is revoked here; promote another")


def _read(directory: Path) -> Published:
    name = directory.name
    role = _role(directory, name)
    told = role["name"] if role["role"] != CHALLENGER else f"{role['name']}@{CHALLENGER}"
    if told != name:
        raise ArtefactError(f"{name}: role.json names another model")
    if role["name"] in PUBLISHED:
        raise ArtefactError(f"{name}: is the name of a published score")
    model = load_artefact(directory / "artefact", version=role["version"])
    if model.name != role["name"]:
        raise ArtefactError(f"{name}: role.json and the artefact differ in the name")
    for key in ("study_hash", "cohort_kind"):
        # What the artefact says of itself is hashed and may be signed; the role is neither.
        if str(model.provenance.get(key, role[key])) != role[key]:
            raise ArtefactError(f"{name}: role.json and the artefact differ in {key}")
    card = Card(
        role=role["role"],
        study_hash=role["study_hash"],
        cohort_kind=role["cohort_kind"],
        run_id=role["run_id"],
        provenance=dict(model.provenance),
        published=_published(directory),
    )
    return Published(replace(model, name=name), card)


def _published(directory: Path) -> float:
    """When a version was laid out here; 0 when it has gone since it was read."""
    try:
        return (directory / "role.json").stat().st_mtime
    except OSError:
        return 0.0


def _role(directory: Path, name: str) -> dict[str, str]:
    try:
        found: Any = json.loads((directory / "role.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{name}: role.json cannot be read") from error
    if not isinstance(found, dict) or any(key not in found for key in ROLE_KEYS):
        raise ArtefactError(f"{name}: role.json lacks one of {', '.join(ROLE_KEYS)}")
    role = {key: found[key] for key in ROLE_KEYS}
    for key, text in role.items():
        # A lone surrogate, say, could not be sent, and every answer would fail.
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS or not text.isprintable():
            raise ArtefactError(f"{name}: role.json: {key} is not a short text")
    if role["role"] not in ROLES or role["cohort_kind"] not in COHORT_KINDS:
        raise ArtefactError(f"{name}: role.json has an unknown role or cohort kind")
    return role


@contextmanager
def _room_for_copies(models_dir: Path) -> Iterator[Path]:
    """Folder for a copy, one process at a time where it is shared; gone afterwards.

    Beside the last good copies, so that keeping one is a rename; elsewhere where nothing can be
    written, and then nothing is kept.
    """
    place = models_dir / LAST_GOOD
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(place / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        with tempfile.TemporaryDirectory(prefix="smoulder-") as folder:
            yield Path(folder)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in place.glob(f"{TAKING}*"):
            # Of a process that was killed; the lock says that nobody else is at it.
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=TAKING, dir=place) as folder:
            yield Path(folder)
    finally:
        os.close(lock)


def _copy(directory: Path, target: Path) -> None:
    """Copy role and artefact, plain files of the size expected only."""
    # The link is followed once: a version published meanwhile is another folder.
    source = directory.resolve()
    target.mkdir()
    try:
        found = list(islice((source / "artefact").rglob("*"), MOST_FILES + 1))
        if len(found) > MOST_FILES:
            raise ArtefactError(f"artefact: more than {MOST_FILES} files")
        together = 0
        for path in [source / "role.json", *(path for path in found if not path.is_dir())]:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
                raise ArtefactError(f"{path.name}: is not a plain file of the size expected")
            together += path.stat().st_size
            if together > MOST_TOGETHER:
                raise ArtefactError(f"artefact: more than {MOST_TOGETHER >> 20} MB")
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            # When it was published is told by its age, and a restart makes it no younger.
            seen = path.stat()
            os.utime(place, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    except OSError as error:
        raise ArtefactError(f"{directory.name}: cannot be copied: {error.strerror}") from error


def _sums(directory: Path) -> bytes | None:
    try:
        return (directory / "artefact" / SUMS).read_bytes()
    except OSError:
        return None


def _keep(copy: Path, good: Path) -> None:
    """Put a copy in the place of the last good one; failing that, go without."""
    if good.parent != copy.parent.parent:
        return
    try:
        if good.exists():
            good.rename(copy.with_name("old"))
        copy.rename(good)
    except OSError as error:
        logger.error("model %s: no copy is kept: %s", good.name, error.strerror)
