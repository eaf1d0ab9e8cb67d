"""Bundles: a registered version laid out for serving, which reads it without MLflow.

::

    serving/NAME               a link, moved in one step when another version answers
        role.json              who it is: name, version, role, study hash, cohort kind, run
        artefact/              the model: data only, hashed
        card.md, card.html     the model card
        judgement.json         out-of-fold performance and the numbers behind its figures
        history.json           every version of the name, newest first

A reader finds the old bundle or the new one, never half of either.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.artefact import load_artefact

__all__ = [
    "CARD_HTML",
    "CARD_MARKDOWN",
    "CHALLENGER",
    "HISTORY",
    "JUDGEMENT",
    "ROLE",
    "Bundle",
    "place_of",
    "publish",
]

ROLE, HISTORY, JUDGEMENT = "role.json", "history.json", "judgement.json"
CARD_MARKDOWN, CARD_HTML = "card.md", "card.html"
CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a serving process is given of a version.

    Parameters
    ----------
    artefact
        Folder of the artefact.
    role
        ``name``, ``version``, ``role`` (``champion`` or ``challenger``), ``study_hash``,
        ``cohort_kind``, ``run_id``.
    documents
        File name to text: card and judgement.
    history
        Every version of the name, newest first.
    """

    artefact: Path
    role: Mapping[str, str]
    documents: Mapping[str, str]
    history: Sequence[Mapping[str, Any]]


def place_of(name: str, role: str) -> str:
    """Folder that a version is served from.

    Examples
    --------
    >>> place_of("smm-progression", "champion"), place_of("smm-progression", "challenger")
    ('smm-progression', 'smm-progression@challenger')
    """
    return f"{name}@{CHALLENGER}" if role == CHALLENGER else name


def publish(bundle: Bundle, serving: Path) -> Path:
    """Lay a version out under a folder: it appears whole, behind a link.

    Returns
    -------
    place
        ``serving/NAME``; a challenger's is ``serving/NAME@challenger``.

    Raises
    ------
    ArtefactError
        If the artefact is not whole.
    """
    name = place_of(bundle.role["name"], bundle.role["role"])
    load_artefact(bundle.artefact, name=name, version=bundle.role["version"])
    serving.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=serving))
    try:
        shutil.copytree(bundle.artefact, fresh / "artefact")
        for file, text in bundle.documents.items():
            (fresh / file).write_text(text, encoding="utf-8")
        _write_json(fresh / HISTORY, list(bundle.history))
        _write_json(fresh / ROLE, dict(bundle.role))
        fresh.chmod(0o755)
        return _point(serving / name, fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _point(place: Path, fresh: Path) -> Path:
    """Point a link at a new folder in one step: a reader finds the old one or the new one."""
    old = place.resolve() if place.is_symlink() else None
    link = fresh.with_name(f"{fresh.name}.link")
    link.symlink_to(fresh.name, target_is_directory=True)
    link.replace(place)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return place
