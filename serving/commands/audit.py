"""Commands of the record of what was answered."""

import json
from typing import Annotated

import typer

from features.errors import RefusedError
from features.terminal import RUNS, Json, Runs

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


@audit.command(epilog="Example: smoulder audit verify")
def verify(
    runs: Runs = RUNS, audit_url: AuditUrl = None, head: Head = None, as_json: Json = False
) -> None:
    """Check that every record is the one that was written, and that none is missing."""
    from serving.audit import verify as check

    verdict = check(runs / "audit", audit_url, kept=head)
    if as_json:
        told = {"records": verdict.records, "head": verdict.head, "broken_at": verdict.broken_at}
        typer.echo(json.dumps(told))
    if verdict.broken_at is not None:
        raise RefusedError(f"audit: record {verdict.broken_at} is not the one that was written")
    if head and verdict.kept_at is None:
        raise RefusedError("audit: no record has that hash any more: cut off, or written anew")
    if not as_json:
        typer.echo(f"{verdict.records} records, whole; the last one's hash is {verdict.head}")
