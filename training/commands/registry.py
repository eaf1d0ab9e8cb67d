"""Commands of the registry: what is in it, who is champion, where a version comes from."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from features.terminal import RUNS, Json, Runs, check_registry, print_table, same_runs

if TYPE_CHECKING:
    from training.registry import Registered, Registry

__all__ = ["follow", "history", "lineage", "models", "open_registry", "promote", "rollback"]


def models(runs: Runs = RUNS, as_json: Json = False) -> None:
    """List what is registered, and who is champion."""
    found = existing_registry(runs).versions()
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in found], indent=1))
        return
    header = ("name", "version", "alias", "learner", "gate", "cohort")
    print_table(
        "Registered models",
        header,
        [
            (v.name, v.version, ", ".join(v.aliases), v.learner, v.gate, _cohort_text(v))
            for v in found
        ],
    )


def promote(name: str, version: str, runs: Runs = RUNS) -> None:
    """Make a version champion; one that the gate refused stays refused."""
    existing_registry(runs).promote(name, version)
    typer.echo(f"{name} {version} is champion")


def rollback(name: str, runs: Runs = RUNS) -> None:
    """Make the previous champion champion again."""
    champion = existing_registry(runs).rollback(name)
    typer.echo(f"{champion.name} {champion.version} is champion")


def history(name: str, runs: Runs = RUNS, as_json: Json = False) -> None:
    """List every version of a model, newest first: who answered, and what the gate said."""
    found = existing_registry(runs).history(name)
    if not found:
        raise InputError("name", f"{name} has no versions; see smoulder models{same_runs(runs)}")
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in found], indent=1))
        return
    header = ("version", "alias", "learner", "gate", "cohort", "registered")
    print_table(
        f"Versions of {name}",
        header,
        [
            (v.version, ", ".join(v.aliases), v.learner, v.gate, _cohort_text(v), v.created)
            for v in found
        ],
    )


def lineage(
    name: Annotated[str, typer.Argument(help="Of the model, or the SHA-256 an answer carries.")],
    version: Annotated[str | None, typer.Argument(help="Of the model, with a name.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Trace a version, or the artefact behind an answer, back to the rows it learnt from."""
    from training.lineage import find_artefact
    from training.lineage import lineage as trace

    registry = existing_registry(runs)
    named = [(name, version)] if version is not None else []
    wanted = named or [(v.name, v.version) for v in find_artefact(registry, name)]
    traced = [trace(registry, *each) for each in wanted]
    if as_json:
        typer.echo(json.dumps([each.to_dict() for each in traced], indent=1))
        return
    for each in traced:
        print_table("Lineage", ("what", "which"), each.steps())


def follow(
    registry: Annotated[str, typer.Option(help="MLflow server or database.")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    challengers: Annotated[
        bool, typer.Option(help="Lay challengers out too, which the gate may have refused.")
    ] = False,
    beside: Annotated[int | None, typer.Option(hidden=True)] = None,
    runs: Runs = RUNS,
) -> None:
    """Lay the champions of a registry out for serving, until stopped."""
    address = check_registry(registry)
    from training.follow import Follower

    # A server that is killed cannot stop its companion.
    Follower(runs, address, challengers=challengers).run(
        every=every, until=lambda: beside is not None and os.getppid() != beside
    )


def open_registry(runs: Path) -> "Registry":
    """Registry under the folder, or at the server that MLflow's own variable names."""
    tracking_uri = os.environ.get("MLFLOW_TRACKING_URI")
    from training.registry import Registry

    return Registry(runs, tracking_uri=tracking_uri)


def existing_registry(runs: Path) -> "Registry":
    """Registry that a training has made: who only reads, or chooses among versions, makes none.

    Raises
    ------
    InputError
        If there is none under the folder, and MLflow's own variable names no server.
    """
    from training.store import registry_errors

    with registry_errors():
        made = "MLFLOW_TRACKING_URI" in os.environ or (runs / "mlflow.db").is_file()
    if not made:
        hint = f"train one with 'smoulder train{same_runs(runs)}', or name the folder that has one"
        raise InputError("--runs", f"there is no registry in {runs}; {hint}")
    return open_registry(runs)


def _cohort_text(version: "Registered") -> str:
    return f"{version.cohort} ({version.cohort_kind})"
