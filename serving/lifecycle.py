"""Which learned models answer: publish directories watched, verified, swapped as a whole.

::

    <models_dir>/<registry name>/role.json     who it is and since which run
    <models_dir>/<registry name>/artefact/     the model, verified before it is read

A directory is replaced by renaming, so it is seen whole or not at all. A version that cannot be
verified is never loaded: the last good one goes on answering and the fault is told by `/readyz` and
the metrics. A directory that stays away is withdrawn.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features.errors import ArtefactError
from models.artefact import load_artefact
from models.catalogue import PUBLISHED
from models.learned import LearnedModel
from serving.lineup import NOTHING_LEARNED, Card, Lineup

__all__ = [
    "POLL_SECONDS",
    "Published",
    "Watch",
    "check_published",
    "published_directories",
    "read_published",
]

logger = logging.getLogger("smoulder.serving")

POLL_SECONDS = 2.0
"""A promoted version is served within ten seconds; looking costs one `stat` per model."""

WITHDRAWN_AFTER_POLLS = 3
"""A rename takes two steps; only a directory that stays away was meant to go."""

ROLES = ("champion", "challenger")
COHORT_KINDS = ("real", "simulated")
ROLE_KEYS = ("name", "version", "role", "study_hash", "cohort_kind", "run_id")

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Published:
    """One verified model with its card."""

    model: LearnedModel
    card: Card


def read_published(directory: Path) -> Published:
    """Verified model of a publish directory.

    Raises
    ------
    ArtefactError
        If the role cannot be read, belongs to another model, or the artefact is not whole.
    """
    role = _role(directory)
    if role["name"] != directory.name:
        raise ArtefactError(f"{directory.name}: role.json names another model")
    if role["name"] in PUBLISHED:
        raise ArtefactError(f"{directory.name}: is the name of a published score")
    model = load_artefact(directory / "artefact", name=role["name"], version=role["version"])
    card = Card(
        role=role["role"],
        study_hash=role["study_hash"],
        cohort_kind=role["cohort_kind"],
        run_id=role["run_id"],
        provenance=dict(model.provenance),
    )
    return Published(model, card)


def _role(directory: Path) -> dict[str, str]:
    try:
        found: Any = json.loads((directory / "role.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{directory.name}: role.json cannot be read") from error
    if not isinstance(found, dict) or any(key not in found for key in ROLE_KEYS):
        raise ArtefactError(f"{directory.name}: role.json lacks one of {', '.join(ROLE_KEYS)}")
    role = {key: str(found[key]) for key in ROLE_KEYS}
    if role["role"] not in ROLES or role["cohort_kind"] not in COHORT_KINDS:
        raise ArtefactError(f"{directory.name}: role.json has an unknown role or cohort kind")
    return role


def check_published(models_dir: Path) -> list[str]:
    """Names of the models under a directory, after each has been read and verified.

    Called before a server starts: a worker that failed at its start would be started for ever.

    Raises
    ------
    ArtefactError
        For the first directory that cannot be served, naming it.
    """
    names = []
    for directory in published_directories(models_dir):
        try:
            read_published(directory)
        except ArtefactError as error:
            raise ArtefactError(f"{directory}: {error}; publish it again or remove it") from error
        names.append(directory.name)
    return names


def published_directories(models_dir: Path) -> list[Path]:
    """Publish directories; hidden ones are still being written."""
    if not models_dir.is_dir():
        return []
    return sorted(
        path
        for path in models_dir.iterdir()
        if not path.name.startswith(".") and (path / "role.json").exists()
    )


class Watch:
    """The lineup of one worker, kept current by a thread.

    Parameters
    ----------
    models_dir
        Where models are published; it may be empty or not exist yet.
    on_change
        Called with every new lineup.
    """

    def __init__(
        self, models_dir: Path, on_change: Callable[[Lineup], None] = lambda _: None
    ) -> None:
        self.models_dir = models_dir
        self.lineup: Lineup = NOTHING_LEARNED
        self._on_change = on_change
        self._good: dict[str, Published] = {}
        self._faults: dict[str, str] = {}
        self._stamps: dict[str, Stamp] = {}
        self._away: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load what is published now, then look again every `POLL_SECONDS`."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="smoulder-models", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=POLL_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # the watch must outlive any fault on disk
                logger.error("watch: %s while looking for models", type(error).__name__)

    def look(self) -> None:
        """Take in what changed on disk; the swap is one assignment."""
        present = {path.name: path for path in published_directories(self.models_dir)}
        changed = [name for name, path in present.items() if self._stamps.get(name) != _stamp(path)]
        for name in changed:
            self._take(name, present[name])
        gone = self._withdraw(present)
        if changed or gone:
            self.lineup = self._assemble()
            self._on_change(self.lineup)

    def _take(self, name: str, directory: Path) -> None:
        # The stamp is read first: a version published while this one loads is seen next time.
        self._stamps[name] = _stamp(directory)
        try:
            published = read_published(directory)
        except ArtefactError as error:
            kept = name in self._good
            self._faults[name] = (
                f"{error}; {'the last good version' if kept else 'nothing'} answers"
            )
            logger.error("model %s: %s", name, self._faults[name])
            return
        self._good[name] = published
        self._faults.pop(name, None)
        logger.warning("model %s: version %s answers", name, published.model.version)

    def _withdraw(self, present: Mapping[str, Path]) -> list[str]:
        known = set(self._good) | set(self._faults)
        self._away = {name: self._away.get(name, 0) + 1 for name in known - set(present)}
        gone = [name for name, polls in self._away.items() if polls >= WITHDRAWN_AFTER_POLLS]
        for name in gone:
            self._good.pop(name, None)
            self._faults.pop(name, None)
            self._stamps.pop(name, None)
            logger.warning("model %s: withdrawn", name)
        return gone

    def _assemble(self) -> Lineup:
        champions_first = sorted(
            self._good, key=lambda name: (self._good[name].card.role != "champion", name)
        )
        return Lineup(
            learned=MappingProxyType({name: self._good[name].model for name in champions_first}),
            cards=MappingProxyType({name: self._good[name].card for name in champions_first}),
            faults=MappingProxyType(dict(self._faults)),
        )


def _stamp(directory: Path) -> Stamp:
    """What changes when a directory is replaced."""
    try:
        found = (directory / "role.json").stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size
