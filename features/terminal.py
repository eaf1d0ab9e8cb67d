"""What the commands of every room share: options, tables, and what is told while work goes on."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from features.errors import InputError

__all__ = [
    "RUNS",
    "ColumnNames",
    "Json",
    "Runs",
    "check_registry",
    "print_table",
    "same_runs",
    "working",
]

VARIABLE = "SMOULDER_RUNS"
Runs = Annotated[
    Path,
    typer.Option(envvar=VARIABLE, help="Folder of the MLflow database, artifacts and bundles."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
ColumnNames = Annotated[
    Path | None,
    typer.Option(
        "--columns",
        help='JSON of a file\'s own column names, {"columns": {"HB": "hemoglobin_g_dl"}}, '
        "or a cohort.json.",
    ),
]
RUNS = Path("mlruns")

SERVERS = ("http", "https")
STORES = ("sqlite", "postgresql", "mysql", "mssql", "databricks")
"""Where MLflow keeps a registry; a folder of files is none any more."""


def same_runs(runs: Path) -> str:
    """What a command that is suggested to the caller needs, to look in the same folder.

    Parameters
    ----------
    runs
        Folder that the caller named or that is taken unnamed.

    Returns
    -------
    string
        `` --runs FOLDER`` for a shell, or nothing where the command looks there by itself.
    """
    unnamed = Path(os.environ.get(VARIABLE) or RUNS)
    return "" if runs.resolve() == unnamed.resolve() else f" --runs {shlex.quote(str(runs))}"


def check_registry(address: str) -> str:
    """Address of a registry, so far as it can be one; a follower would try it for ever.

    Raises
    ------
    InputError
        If MLflow has no registry of that kind.
    """
    try:
        place = urlsplit(address)
        kind = place.scheme.partition("+")[0]
        known = kind in STORES or (kind in SERVERS and bool(place.hostname))
    except ValueError:
        known = False
    if not known and address != "databricks":  # alone it names the server of a profile
        expected = "an MLflow server (https://…) or database (sqlite:///…, postgresql://…)"
        raise InputError("--registry", f"expected the address of {expected}")
    return address


def print_table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table, as wide as the terminal or 140 characters."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


@contextmanager
def working(what: str, *, lines: bool = True) -> Iterator[Callable[[str, str], None]]:
    """Tell on stderr what is being done: a status in a terminal, elsewhere a line for each stage.

    Parameters
    ----------
    what
        For people; a line has it before the stage.
    lines
        Whether anything is told outside a terminal; where a program reads, a refusal is the only
        line there.

    Yields
    ------
    callable
        To be told the stage, and how much of it is done. Without a stage there is no line.
    """
    from rich.console import Console

    console = Console(stderr=True)
    begun: set[str] = set()

    def line(stage: str, done: str) -> None:
        if lines and stage not in begun:
            begun.add(stage)
            typer.echo(_joined(what, stage, done), err=True)

    if console.is_interactive:
        with console.status(what) as status:
            yield lambda stage, done: status.update(_joined(what, stage, done))
    else:
        yield line


def _joined(what: str, stage: str, done: str) -> str:
    return f"{what}: {stage}, {done}" if done else f"{what}: {stage}"
