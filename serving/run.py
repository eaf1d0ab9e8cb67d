"""Start the service from the command line."""

import functools
import ipaddress
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from features.errors import InputError
from serving.audit import make_key
from serving.lifecycle import check_published

__all__ = ["serve"]

CHECK_SECONDS = 1.0

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",  # telemetry stops at this spelling only
    "OTEL_SDK_DISABLED": "true",
}
"""What keeps the server from talking to anybody but its callers."""


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    workers: int = 1,
    models_dir: Path,
    audit_dir: Path | None = None,
) -> None:
    """Serve API and page until stopped.

    Parameters
    ----------
    host
        A loopback address: callers are not identified yet, so nobody else may reach the server.
    port
        To listen at.
    workers
        Processes.
    models_dir
        Directory of published models; see `serving.lifecycle`.
    audit_dir
        Directory of the audit log; ``audit`` beside `models_dir` when omitted.

    Raises
    ------
    InputError
        If the host is not loopback, the port is taken, there is no worker, or answers could not be
        recorded.
    ArtefactError
        If a published model is not whole.
    """
    address = _check_address(host, port)
    if workers < 1:
        raise InputError("workers", "must be at least 1")
    check_published(models_dir)
    audit_dir = audit_dir or models_dir.resolve().parent / "audit"
    _check_audit(audit_dir)
    os.environ.update(QUIET)
    # BentoML keeps its counters under its home; two servers of one person must not share them.
    with tempfile.TemporaryDirectory(prefix="smoulder-") as home:
        os.environ["BENTOML_HOME"] = home
        from serving import service

        os.environ[service.MODELS_DIR] = str(models_dir.resolve())
        os.environ[service.AUDIT_DIR] = str(audit_dir.resolve())
        running: Any = service.Smoulder
        running.config["workers"] = workers
        _respawn_quickly()
        running.serve_http(host=address, port=port)


def _respawn_quickly() -> None:
    """Have the supervisor look for dead workers every second; BentoML leaves them for ten."""
    from bentoml._internal.utils import circus

    circus.create_standalone_arbiter = functools.partial(
        circus.create_standalone_arbiter, check_delay=CHECK_SECONDS
    )


def _check_audit(audit_dir: Path) -> None:
    """Answers are given only where they can be recorded."""
    try:
        make_key(audit_dir)
    except OSError:
        raise InputError("audit_dir", f"{audit_dir} cannot be written; choose another") from None


def _check_address(host: str, port: int) -> str:
    """Address to bind, after checking that it is loopback and the port free."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputError("host", "must be an IP address, such as 127.0.0.1") from None
    if not address.is_loopback:
        raise InputError(
            "host",
            "must be a loopback address (127.0.0.1): access control is not built yet, so patient "
            "data would be open to the network; put an authenticating proxy on this machine",
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
