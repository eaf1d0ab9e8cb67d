"""Commands of the record of what was answered."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import RefusedError
from features.terminal import RUNS, Json, Runs

if TYPE_CHECKING:
    from serving.audit import Verdict

__all__ = ["AuditUrl", "audit"]

AuditUrl = Annotated[
    str | None,
    typer.Option(
        envvar="SMOULDER_AUDIT_URL",
        help="postgresql://… of the records; a file when left out. Passwords better by PGPASSFILE.",
    ),
]

Head = Annotated[
    str | None, typer.Option(help="Hash that an earlier check printed; the log must still hold it.")
]

audit = typer.Typer(help="The record of every answer given.", no_args_is_help=True)


@audit.command(epilog="Example: smoulder audit verify --head 3f0c9a1b…")
def verify(
    runs: Runs = RUNS,
    audit_url: AuditUrl = None,
    head: Head = None,
    file: Annotated[Path | None, typer.Option(help="A copy instead of the log.")] = None,
    as_json: Json = False,
) -> None:
    """Check that every record is the one that was written, and that none is missing."""
    from serving.audit.verify import verify as check
    from serving.audit.verify import verify_file

    verdict = verify_file(file, kept=head) if file else check(runs / "audit", audit_url, kept=head)
    _tell(verdict, as_json=as_json, kept=head)


@audit.command(epilog="Example: smoulder audit copy backup/audit-2026-11-28.db")
def copy(
    file: Annotated[Path, typer.Argument(help="SQLite file to be made, whatever the log is in.")],
    runs: Runs = RUNS,
    audit_url: AuditUrl = None,
    as_json: Json = False,
) -> None:
    """Copy the log while the service runs, as of one moment, and check the copy."""
    from serving.audit.copy import copy_log

    _tell(copy_log(runs / "audit", file, audit_url), as_json=as_json)


def _tell(verdict: "Verdict", *, as_json: bool, kept: str | None = None) -> None:
    if as_json:
        told = {"records": verdict.records, "head": verdict.head, "broken_at": verdict.broken_at}
        typer.echo(json.dumps(told))
    if verdict.broken_at is not None:
        raise RefusedError(f"audit: record {verdict.broken_at} is not the one that was written")
    if kept and verdict.kept_at is None:
        raise RefusedError("audit: no record has that hash any more: cut off, or written anew")
    if not as_json:
        typer.echo(f"{verdict.records} records, whole; the last one's hash is {verdict.head}")
