"""Which learned models answer: publish directories watched, taken in, swapped as a whole.

A directory is replaced by renaming, so it is seen whole or not at all. A version that cannot be
taken in is never loaded: the last good one goes on answering – a restarted server finds its copy on
disk – and the fault is told by `/readyz` and the metrics. It is tried again later, because a canary
is late on a busy machine and a full disk is emptied. A directory that stays away is withdrawn; but
where the place they all lie in is away, a disk is gone and nobody's mind has changed.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from features.errors import ArtefactError
from models.signature import REVOKED, TRUSTED, read_revoked, read_trusted, revoked_words
from serving.followed import REGISTRY, registry_fault
from serving.lineup import CHALLENGER, NOTHING_LEARNED, Lineup
from serving.published import (
    LAST_GOOD,
    Published,
    forget,
    published_directories,
    read_published,
    take_in,
)
from serving.retries import Retries

__all__ = ["POLL_SECONDS", "Watch", "check_published", "trusted_beside"]

logger = logging.getLogger("smoulder.serving")

POLL_SECONDS = 2.0
"""A promoted version is served within ten seconds; looking costs one `stat` per model."""

WITHDRAWN_AFTER_POLLS = 3
"""A rename takes two steps; only a directory that stays away was meant to go."""

AWAY = "the publish directory cannot be read; the last good version answers"

Stamp = tuple[int, ...]


def trusted_beside(models_dir: Path) -> Path:
    """Directory of the public keys that artefacts must be signed by one of."""
    return models_dir.parent / TRUSTED


def check_published(models_dir: Path) -> list[str]:
    """Names of the models under a directory that can answer, after each has been tried.

    Called before a server starts: a worker that failed at its start would be started for ever. One
    that is at fault but has a last good copy can answer.

    Raises
    ------
    ArtefactError
        For the first directory that cannot be served, naming it, or for keys or a place of models
        that cannot be read.
    """
    if models_dir.exists() and not models_dir.is_dir():
        raise ArtefactError(f"{models_dir}: expected a folder of published models")
    read_trusted(trusted_beside(models_dir))
    read_revoked(trusted_beside(models_dir))
    names = []
    for directory in published_directories(models_dir):
        try:
            _take(directory, trusted_beside(models_dir), None)
        except ArtefactError as error:
            raise ArtefactError(f"{directory}: {error}; publish it again or remove it") from error
        names.append(directory.name)
    return names


def _take(
    directory: Path, trusted_dir: Path, held: Published | None, *, trusting: bool = False
) -> tuple[Published, str | None]:
    """Model published in a directory; failing that the one held, or its last good copy, and why.

    Where keys were trusted (`trusting`) and none is found any more, their disk is away: that opens
    the door to nothing unsigned.

    Raises
    ------
    ArtefactError
        If neither can be served.
    """
    try:
        if trusting and not read_trusted(trusted_dir):
            raise ArtefactError("artefact: keys were trusted here, and none is there any more")
        return take_in(directory, trusted_dir), None
    except ArtefactError as error:
        if held is not None and not _revoked(held, trusted_dir):
            return held, str(error)
        try:
            kept = read_published(directory.parent / LAST_GOOD / directory.name, trusted_dir)
        except ArtefactError:
            raise error from None
        return kept, str(error)


def _revoked(held: Published, trusted_dir: Path) -> bool:
    """Whether a model that answers must not any more; a slip elsewhere in the list saves nobody."""
    try:
        return held.card.provenance.get("sha256") in revoked_words(trusted_dir)
    except ArtefactError:
        return False


def _trusts(trusted_dir: Path) -> bool:
    """Whether keys are trusted; one that cannot be read is one that was meant to be."""
    try:
        return bool(read_trusted(trusted_dir))
    except ArtefactError:
        return True


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
        self._trusted_dir = trusted_beside(models_dir)
        self.lineup: Lineup = NOTHING_LEARNED
        self._on_change = on_change
        self._good: dict[str, Published] = {}
        self._faults: dict[str, str] = {}
        self._registry_fault: str | None = None
        self._stamps: dict[str, Stamp] = {}
        self._away: dict[str, int] = {}
        self._retries = Retries()
        self._kept = self._trusting = False
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
        present = self._present()
        if present is None:
            self._keep_all()
            return
        revoked = _stamp(self._trusted_dir / REVOKED)
        stamps = {name: (*_stamp(path / "role.json"), *revoked) for name, path in present.items()}
        fresh = {name for name, stamp in stamps.items() if self._stamps.get(name) != stamp}
        changed = [name for name in stamps if name in fresh or self._retries.due(name)]
        for name in changed:
            if name in fresh:
                self._retries.forget(name)
            # The stamp was read before: a version published while this one loads is seen next time.
            self._stamps[name] = stamps[name]
            self._take(name, present[name])
        gone = self._withdraw(present)
        told = registry_fault(self.models_dir)
        if changed or gone or told != self._registry_fault:
            self._registry_fault = told
            self.lineup = self._assemble()
            self._on_change(self.lineup)

    def _present(self) -> dict[str, Path] | None:
        """What is published; None where the place of all models is gone while some answer."""
        try:
            found = published_directories(self.models_dir)
        except OSError:
            return None
        place = self.models_dir / LAST_GOOD if self._kept else self.models_dir
        if not found and self._good and not place.is_dir():
            return None
        return {path.name: path for path in found}

    def _keep_all(self) -> None:
        """Let all that answers answer on, and say why; what is there again is taken in anew."""
        self._stamps = {}
        faults = dict.fromkeys(self._good, AWAY)
        if faults != self._faults:
            self._faults = faults
            logger.error("%s: cannot be read; the last good versions answer", self.models_dir)
            self.lineup = self._assemble()
            self._on_change(self.lineup)

    def _take(self, name: str, directory: Path) -> None:
        try:
            held = self._good.get(name)
            self._good[name], fault = _take(
                directory, self._trusted_dir, held, trusting=self._trusting
            )
            self._trusting = self._trusting or _trusts(self._trusted_dir)
        except ArtefactError as error:
            self._good.pop(name, None)
            fault = f"{error}; nothing answers"
        else:
            self._kept = (self.models_dir / LAST_GOOD).is_dir()
            fault = fault and f"{fault}; the last good version answers"
        if fault is None:
            self._faults.pop(name, None)
            self._retries.forget(name)
            logger.warning("model %s: version %s answers", name, self._good[name].model.version)
            return
        self._retries.put_off(name)
        self._faults[name] = fault
        logger.error("model %s: %s", name, fault)

    def _withdraw(self, present: Mapping[str, Path]) -> list[str]:
        known = set(self._good) | set(self._faults)
        self._away = {name: self._away.get(name, 0) + 1 for name in known - set(present)}
        gone = [name for name, polls in self._away.items() if polls >= WITHDRAWN_AFTER_POLLS]
        for name in gone:
            self._good.pop(name, None)
            self._faults.pop(name, None)
            self._stamps.pop(name, None)
            self._retries.forget(name)
            forget(self.models_dir, name)
            logger.warning("model %s: withdrawn", name)
        return gone

    def _assemble(self) -> Lineup:
        told = self._registry_fault
        followed = {} if told is None else {REGISTRY: told}
        champions_first = sorted(
            self._good, key=lambda name: (self._good[name].card.role == CHALLENGER, name)
        )
        return Lineup(
            learned=MappingProxyType({name: self._good[name].model for name in champions_first}),
            cards=MappingProxyType({name: self._good[name].card for name in champions_first}),
            faults=MappingProxyType(self._faults | followed),
        )


def _stamp(path: Path) -> Stamp:
    """What changes when a file is replaced."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size
