"""Following a registry: whoever is champion there is laid out here for serving.

A process of its own, so that a registry that is away, slow or wrong costs no answer: what was laid
out last goes on being served. Every look is told in a status file, which the service reads::

    serving/.registry.json    {"reached": when last, "fault": why not now, or null}

Nothing is withdrawn because a registry does not name it any more: an empty registry is more often a
mistake than a wish. Remove the folder to withdraw a model.
"""

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

# MLflow asks again for minutes by itself; here the next look is the next try.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

from features.errors import ArtefactError, SmoulderError
from models.artefact import verify
from models.signature import TRUSTED, read_trusted, verify_signature
from training.bundles import CHALLENGER, ROLE, place_of, publish
from training.registry import CHAMPION, Registry

__all__ = ["EVERY_SECONDS", "STATUS", "Follower"]

logger = logging.getLogger("smoulder.follow")

EVERY_SECONDS = 2.0
STATUS = ".registry.json"


class Follower:
    """Champions of a registry, kept laid out under a folder.

    Parameters
    ----------
    root
        Folder with ``serving`` and ``trusted``.
    uri
        MLflow server or database.
    challengers
        Whether challengers are laid out beside their champions; the gate may have refused them.
    """

    def __init__(self, root: Path, uri: str, *, challengers: bool = False) -> None:
        self.serving = root.resolve() / "serving"
        self._root = root
        self._uri = uri
        self._aliases = (CHAMPION, CHALLENGER) if challengers else (CHAMPION,)
        self._registry: Registry | None = None
        self._reached: str | None = None

    def run(self, *, every: float = EVERY_SECONDS, until: Callable[[], bool]) -> None:
        """Look again and again until told to stop."""
        while not until():
            self.look()
            time.sleep(every)

    def look(self) -> str | None:
        """Lay out what changed; what is wrong, if anything is."""
        try:
            faults = self._follow()
        except SmoulderError as error:
            fault: str | None = str(error)
        except Exception as error:  # noqa: BLE001  # whatever a registry answers, the next look comes
            fault = f"the model registry: {type(error).__name__}"
        else:
            fault = "; ".join(faults) or None
            self._reached = datetime.now(UTC).isoformat(timespec="seconds")
        self._tell(fault)
        return fault

    def _follow(self) -> list[str]:
        if self._registry is None:
            self._registry = Registry(self._root, tracking_uri=self._uri)
        faults = []
        for model in self._registry.client.search_registered_models():
            for alias in self._aliases:
                version = model.aliases.get(alias)
                try:
                    self._lay_out(self._registry, model.name, alias, version)
                except ArtefactError as error:
                    faults.append(f"{model.name} {version}: {error}")
        return faults

    def _lay_out(self, registry: Registry, name: str, alias: str, version: str | None) -> None:
        place = self.serving / place_of(name, alias)
        if version is None:
            if alias == CHALLENGER and place.exists():
                _withdraw(place)
            return
        with tempfile.TemporaryDirectory() as folder:
            if _laid_out(place) == str(version):
                return
            bundle = registry.bundle(name, alias, Path(folder))
            trusted = read_trusted(self.serving.parent / TRUSTED)
            if trusted:
                verify_signature(bundle.artefact, trusted)
            verify(bundle.artefact)
            publish(bundle, self.serving)
        logger.warning("%s: version %s is laid out as %s", name, version, alias)

    def _tell(self, fault: str | None) -> None:
        if fault is not None:
            logger.error("%s", fault)
        told = json.dumps({"reached": self._reached, "fault": fault}) + "\n"
        fresh = self.serving / f"{STATUS}.fresh"
        try:
            self.serving.mkdir(parents=True, exist_ok=True)
            fresh.write_text(told, "utf-8")
            fresh.replace(self.serving / STATUS)
        except OSError as error:
            # A full disk has room again some day; to the service a follower is silent until then.
            logger.error("%s: cannot be written: %s", self.serving / STATUS, error.strerror)


def _laid_out(place: Path) -> str | None:
    """Version that is laid out at a place."""
    try:
        return str(json.loads((place / ROLE).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _withdraw(place: Path) -> None:
    target = place.resolve()
    if place.is_symlink():
        place.unlink()
    shutil.rmtree(target, ignore_errors=True)
