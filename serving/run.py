"""Start the service from the command line."""

import functools
import ipaddress
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from features.errors import InputError
from serving.access.settings import callers_exist, make_secret
from serving.audit import make_key
from serving.audit.store import store_of
from serving.companion import kept_running
from serving.lifecycle import check_published
from serving.tracing import ENDPOINTS

__all__ = ["serve"]

CHECK_SECONDS = 0.25

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",  # telemetry stops at this spelling only
}
"""What keeps the server from talking to anybody but its callers."""


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
        Command of a process that is kept running beside the server.

    Raises
    ------
    InputError
        If the host is public without access control, the port is taken, there is no worker, or
        answers could not be recorded.
    AuditError
        If the records' database cannot be written to.
    ArtefactError
        If a published model is not whole.
    """
    access_dir = access_dir or models_dir.resolve().parent / "access"
    guarded = _check_access(access, access_dir)
    address = _check_address(host, port, guarded=guarded)
    if workers < 1:
        raise InputError("workers", "must be at least 1")
    check_published(models_dir)
    audit_dir = audit_dir or models_dir.resolve().parent / "audit"
    _check_audit(audit_dir, audit_url)
    os.environ.update(QUIET)
    if not any(os.environ.get(name) for name in ENDPOINTS):
        os.environ["OTEL_SDK_DISABLED"] = "true"
    # BentoML keeps its counters under its home; two servers of one person must not share them.
    with tempfile.TemporaryDirectory(prefix="smoulder-") as home:
        os.environ["BENTOML_HOME"] = home
        from serving import service

        os.environ[service.MODELS_DIR] = str(models_dir.resolve())
        os.environ[service.AUDIT_DIR] = str(audit_dir.resolve())
        os.environ[service.AUDIT_URL] = audit_url or ""
        os.environ[service.ACCESS_DIR] = str(access_dir.resolve()) if guarded else ""
        running: Any = service.Smoulder
        running.config["workers"] = workers
        _respawn_quickly()
        with kept_running(companion):
            running.serve_http(host=address, port=port)


def _respawn_quickly() -> None:
    """Have the supervisor look for dead workers at once; BentoML leaves them for ten seconds."""
    from bentoml._internal.utils import circus

    circus.create_standalone_arbiter = functools.partial(
        circus.create_standalone_arbiter, check_delay=CHECK_SECONDS
    )


def _check_audit(audit_dir: Path, audit_url: str | None) -> None:
    """Answers are given only where they can be recorded."""
    try:
        make_key(audit_dir)
    except OSError:
        raise InputError("audit_dir", f"{audit_dir} cannot be written; choose another") from None
    store = store_of(audit_dir, audit_url)
    store.append([])
    store.close()


def _check_access(access: bool | None, access_dir: Path) -> bool:
    """Whether callers are asked who they are; then somebody must be able to tell."""
    anybody = callers_exist(access_dir)
    if access is None:
        access = anybody
    if access and not anybody:
        raise InputError(
            "access", f"{access_dir} has neither a key nor an issuer; try 'smoulder keys add'"
        )
    if access:
        try:
            make_secret(access_dir)
        except OSError:
            raise InputError("access_dir", f"{access_dir} cannot be written") from None
    return access


def _check_address(host: str, port: int, *, guarded: bool) -> str:
    """Address to bind, after checking that it is loopback or guarded, and the port free."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputError("host", "must be an IP address, such as 127.0.0.1") from None
    if not address.is_loopback and not guarded:
        raise InputError(
            "host",
            "must be a loopback address (127.0.0.1) while access control is off: anybody on the "
            "network could ask; add callers with 'smoulder keys add' or an issuer in access.toml",
        )
    if not 0 < port < 65536:
        raise InputError("port", "must lie within 1-65535")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((str(address), port))
        except OSError:
            raise InputError("port", f"{port} is taken; choose another with --port") from None
    return str(address)
