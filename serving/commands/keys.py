"""Commands of the keys: who may ask, and who may sign."""

import json
from pathlib import Path
from typing import Annotated

import typer

from features.terminal import RUNS, Json, Runs

__all__ = ["keys"]

Days = Annotated[float | None, typer.Option(help="Days it lasts; for ever when left out.")]

keys = typer.Typer(help="API keys of the callers of the service.", no_args_is_help=True)


@keys.command(epilog="Example: smoulder keys add laboratory --scopes risk,batch --days 365")
def add(
    name: Annotated[str, typer.Argument(help="Who holds it, as the audit record will say.")],
    scopes: Annotated[str, typer.Option(help="What it opens, separated by commas.")],
    days: Days = None,
    runs: Runs = RUNS,
) -> None:
    """Make a key; it is printed once and kept nowhere."""
    from serving.access.keys import add_key

    key, text = add_key(_access(runs), name, _listed(scopes), days=days)
    typer.echo(f"{key.name} ({key.id}): {', '.join(key.scopes)}; {_lasts(key.expires)}", err=True)
    typer.echo(text)


@keys.command(name="list", epilog="Example: smoulder keys list --json")
def list_(runs: Runs = RUNS, as_json: Json = False) -> None:
    """List keys: holder, id, scopes, when made and until when; never a key itself."""
    from serving.access.keys import read_keys

    held = read_keys(_access(runs))
    told = [
        {"name": k.name, "id": k.id, "scopes": k.scopes, "made": k.made, "expires": k.expires}
        for k in held
    ]
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    for key in held:
        typer.echo(f"{key.name}  {key.id}  {','.join(key.scopes)}  {_lasts(key.expires)}")


@keys.command(epilog="Example: smoulder keys revoke laboratory")
def revoke(
    which: Annotated[str, typer.Argument(help="A holder, or the id of one key.")],
    runs: Runs = RUNS,
) -> None:
    """Remove keys; servers refuse them within a second."""
    from serving.access.keys import revoke_key

    for key in revoke_key(_access(runs), which):
        typer.echo(f"{key.name} ({key.id}) is revoked")


@keys.command(epilog="Example: smoulder keys rotate laboratory --overlap-hours 48")
def rotate(
    name: Annotated[str, typer.Argument(help="A holder, or the id of one key.")],
    overlap_hours: Annotated[float, typer.Option(help="How long the old key still works.")] = 24.0,
    days: Days = None,
    runs: Runs = RUNS,
) -> None:
    """Make a new key with the same scopes; the old one ends after the overlap."""
    from serving.access.keys import rotate_key

    key, text = rotate_key(_access(runs), name, overlap_hours=overlap_hours, days=days)
    typer.echo(f"{key.name} ({key.id}): the old key ends in {overlap_hours:g} h", err=True)
    typer.echo(text)


@keys.command(epilog="Example: smoulder keys signing")
def signing(runs: Runs = RUNS) -> None:
    """Make keys to sign new versions with; servers that trust one refuse what is unsigned."""
    from models.signature import TRUSTED, make_signing_key

    name = make_signing_key(runs)
    typer.echo(f"{name}: versions registered from now on are signed")
    typer.echo(f"Servers need {runs / TRUSTED} only; keep {runs / 'signing.pem'} with the trainer")


def _access(runs: Path) -> Path:
    return runs / "access"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _lasts(expires: str | None) -> str:
    return "until it is revoked" if expires is None else f"until {expires}"
