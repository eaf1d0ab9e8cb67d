"""Start the service from the command line."""

import functools
import gc
import ipaddress
import logging
import os
import socket
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import uvicorn

from features.errors import InputError
from serving.access.settings import callers_exist, make_secret
from serving.audit import make_key
from serving.audit.store import store_of
from serving.followed import STATUS
from serving.lifecycle import check_published
from serving.listening import BACKLOG, Listening, listens
from serving.pulse import FilePulse, Pulse
from serving.supervisor import Job, ending_properly, keep_running
from serving.tracing import ENDPOINTS

__all__ = ["WORKER", "serve"]

WORKER, COMPANION = "smoulder-worker", "smoulder-beside"
"""Names of processes in the log, and of the workers in `ps -o comm`: the companion is a program of
its own name there."""

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",  # telemetry stops at this spelling only
}
"""What keeps the server from talking to anybody but its callers."""

LOG_FORMAT = "%(asctime)s %(levelname)s %(process)d %(message)s"


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    workers: int = 1,
    models_dir: Path,
    audit_dir: Path | None = None,
    access_dir: Path | None = None,
    access: bool | None = None,
    audit_url: str | None = None,
    companion: Sequence[str] = (),
) -> None:
    """Serve API and page until stopped.

    Parameters
    ----------
    host
        To listen on; anything but loopback needs access control.
    port
        To listen at.
    workers
        Processes.
    models_dir
        Directory of published models; see `serving.lifecycle`.
    audit_dir
        Directory of the audit log; ``audit`` beside `models_dir` when omitted.
    access_dir
        Directory of API keys and ``access.toml``; ``access`` beside `models_dir` when omitted.
    access
        Whether callers must prove who they are. When omitted: as soon as there is a key or an
        issuer, and always but on loopback.
    audit_url
        PostgreSQL database of the records instead of a file in `audit_dir`.
    companion
        Command of a follower that is kept running beside the server; see `serving.followed`.

    Raises
    ------
    InputError
        If the host is public without access control, the port cannot be had, there is no worker,
        or answers could not be recorded.
    AuditError
        If the records' database cannot be written to.
    ArtefactError
        If a published model is not whole.
    """
    access_dir = access_dir or models_dir.resolve().parent / "access"
    guarded = _check_access(access, access_dir)
    address = _check_address(host, port, access_dir, guarded=guarded)
    if workers < 1:
        raise InputError("workers", "must be at least 1")
    audit_dir = audit_dir or models_dir.resolve().parent / "audit"
    with (
        ending_properly(),
        closing(Listening(address, port, workers)) as listening,
        tempfile.TemporaryDirectory(prefix="smoulder-") as home,
    ):
        check_published(models_dir)
        _check_audit(audit_dir, audit_url)
        _set_environment(Path(home))
        from serving import service

        os.environ[service.MODELS_DIR] = str(models_dir.resolve())
        os.environ[service.AUDIT_DIR] = str(audit_dir.resolve())
        os.environ[service.AUDIT_URL] = audit_url or ""
        os.environ[service.ACCESS_DIR] = str(access_dir.resolve()) if guarded else ""
        _rehearse(service.Smoulder)
        jobs = [_job(listening, worker) for worker in range(workers)]
        if companion:
            jobs.append(_companion(companion, models_dir))
        # What is here now is shared with the workers as long as no collector writes to it.
        gc.collect()
        gc.freeze()
        keep_running(jobs, at_end=listening.close)


def _set_environment(home: Path) -> None:
    """What the libraries must find before they are imported."""
    os.environ.update(QUIET)
    # Counters of workers are files; those of another server must not be added to them.
    counters = home / "counters"
    counters.mkdir()
    os.environ |= {"BENTOML_HOME": str(home), "PROMETHEUS_MULTIPROC_DIR": str(counters)}
    if not any(os.environ.get(name) for name in ENDPOINTS):
        os.environ["OTEL_SDK_DISABLED"] = "true"
    logging.basicConfig(format=LOG_FORMAT)


def _rehearse(smoulder: Any) -> None:
    """Import what a worker imports when it starts, so that no worker has to."""
    settings = _settings(smoulder.rehearsal())
    settings.load()
    settings.get_loop_factory()


class _Server(uvicorn.Server):
    """A server whose event loop has a pulse, ten beats a second."""

    def __init__(self, settings: uvicorn.Config, pulse: Pulse, own: socket.socket) -> None:
        super().__init__(settings)
        self._pulse, self._own = pulse, own

    async def on_tick(self, counter: int) -> bool:
        self._pulse.beat()
        # Taken for absent the moment it came, it would beat and answer nobody; the next one will.
        return not listens(self._own) or await super().on_tick(counter)


def _job(listening: Listening, worker: int) -> Job:
    pulse = Pulse()
    run = functools.partial(_work, listening, worker, pulse)
    return Job(WORKER, run, pulse, absent=functools.partial(listening.refuse, worker))


def _companion(command: Sequence[str], models_dir: Path) -> Job:
    run = functools.partial(os.execv, command[0], [*command])
    # A look at a registry may take long: it fetches models.
    return Job(COMPANION, run, FilePulse(models_dir / STATUS), patient=True)


def _work(listening: Listening, worker: int, pulse: Pulse) -> None:
    """Answer in this process until told to stop."""
    from serving import service

    smoulder: Any = service.Smoulder
    own = listening.of(worker)
    _Server(_settings(smoulder.to_asgi()), pulse, own).run(sockets=[own])


def _settings(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app, backlog=BACKLOG, log_config=None, access_log=False, server_header=False
    )


def _check_audit(audit_dir: Path, audit_url: str | None) -> None:
    """Answers are given only where they can be recorded."""
    store = store_of(audit_dir, audit_url)
    try:
        make_key(audit_dir, store)
    except OSError:
        raise InputError("audit_dir", f"{audit_dir} cannot be written; choose another") from None
    store.check()
    store.close()


def _check_access(access: bool | None, access_dir: Path) -> bool:
    """Whether callers are asked who they are; then somebody must be able to tell."""
    anybody = callers_exist(access_dir)
    if access is None:
        access = anybody
    if access and not anybody:
        raise InputError(
            "access",
            f"{access_dir} has neither a key nor an issuer; try {_adding_keys(access_dir)}",
        )
    if access:
        try:
            make_secret(access_dir)
        except OSError:
            raise InputError("access_dir", f"{access_dir} cannot be written") from None
    return access


def _adding_keys(access_dir: Path) -> str:
    """Command that adds a key there; what commands need is not loaded to serve."""
    from features.terminal import same_runs

    return f"'smoulder keys add{same_runs(access_dir.parent)}'"


def _check_address(host: str, port: int, access_dir: Path, *, guarded: bool) -> str:
    """Address to bind, after checking that it is loopback or guarded."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputError("host", "must be an IP address, such as 127.0.0.1") from None
    if not address.is_loopback and not guarded:
        raise InputError(
            "host",
            "must be a loopback address (127.0.0.1) while access control is off: anybody on the "
            f"network could ask; add callers with {_adding_keys(access_dir)} or an issuer in "
            "access.toml",
        )
    if not 0 < port < 65536:
        raise InputError("port", "must lie within 1-65535")
    return str(address)
