"""The command that serves, and the companion that follows a registry beside it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from features.terminal import RUNS, Runs, check_registry
from serving.commands.audit import AuditUrl

__all__ = ["serve"]


def serve(
    host: Annotated[
        str, typer.Option(help="Anything but loopback needs keys or an issuer.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 3000,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    access: Annotated[
        bool | None,
        typer.Option("--access/--no-access", help="On as soon as there is a key or an issuer."),
    ] = None,
    audit_url: AuditUrl = None,
    registry: Annotated[
        str | None, typer.Option(help="Follow this MLflow server or database.")
    ] = None,
    runs: Runs = RUNS,
) -> None:
    """Serve the champions and every published model: page, API and probes."""
    from serving.run import serve as run

    run(
        host=host,
        port=port,
        workers=workers,
        models_dir=runs / "serving",
        access=access,
        audit_url=audit_url,
        companion=() if registry is None else _follow_command(registry, runs),
    )


def _follow_command(registry: str, runs: Path) -> list[str]:
    address = check_registry(registry)
    words = ["--registry", address, "--runs", str(runs), "--beside", str(os.getpid())]
    return [sys.executable, "-m", "smoulder", "follow", *words]
