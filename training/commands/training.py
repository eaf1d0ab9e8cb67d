"""The command that trains: diagnosis, fits, gate and registration, or a share of the search."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import DesignError, GateError, InputError
from features.terminal import RUNS, Json, Runs, working
from training.commands.registry import open_registry
from training.commands.results import (
    report_training,
    tell_diagnosis,
    tell_where,
    training_as_json,
)

if TYPE_CHECKING:
    from training.cohorts import Cohort
    from training.diagnosis import Diagnosis
    from training.fit import Trained
    from training.registry import Registered
    from training.workshop import Workshop

__all__ = ["Work", "train", "train_and_register"]

SAME_BYTES = (
    "{found.name} {found.version} is byte for byte version {earlier}: the same cohort, study and "
    "seed were trained before"
)


@dataclass(frozen=True, slots=True)
class Work:
    """How much a training does, in how many processes, and where its trials are kept."""

    searched: bool
    jobs: int = 0
    trials: str | None = None


def train(
    study: Annotated[str, typer.Argument(help="mgus, smm, or a study file.toml.")],
    cohort: Annotated[
        Path, typer.Option(help="Folder with visits and outcomes, or PANGEA file or folder.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="Of folds, learners and bootstrap.")] = 0,
    candidate: Annotated[str | None, typer.Option(help="Insist on one candidate.")] = None,
    override: Annotated[
        list[str] | None, typer.Option(help="Check of the diagnosis to train through.")
    ] = None,
    because: Annotated[str, typer.Option(help="Why; kept with run, model and answers.")] = "",
    diagnose_only: Annotated[
        bool, typer.Option("--diagnose-only", help="Say whether the design is sound, and stop.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="No search, 40 refits: seconds instead of minutes.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 takes every core.")] = 0,
    trials: Annotated[
        str | None,
        typer.Option(
            envvar="SMOULDER_TRIALS", help="Database of the search's trials, shared by workers."
        ),
    ] = None,
    search_only: Annotated[
        bool,
        typer.Option("--search-only", help="Take a share of the trials of the same training."),
    ] = False,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Diagnose, train, judge and register one candidate; exit 1 when one of them refuses.

    Every candidate is tuned inside every fold and the whole pipeline refitted 200 times, which
    takes minutes. Killed and started again, it goes on where it stood.
    """
    from training.cohort_files import read_cohort
    from training.diagnosis import check_overrides

    overrides = dict.fromkeys(override or (), because)
    check_overrides(overrides)
    if search_only and quick:
        raise InputError("--search-only", "there is no search with --quick; leave out one of them")
    read = read_cohort(cohort)
    if diagnose_only:
        _diagnose(study, read, overrides, as_json)
        return
    work = Work(searched=not quick, jobs=jobs, trials=None if quick else trials)
    if search_only:
        _search(study, read, candidate, seed, work=work, overrides=overrides, as_json=as_json)
        return
    # Asked before the registry is opened: MLflow then names it here itself.
    own_registry = "MLFLOW_TRACKING_URI" not in os.environ
    trained, version, champion = train_and_register(
        study, read, candidate, seed, runs, work=work, overrides=overrides, as_json=as_json
    )
    if as_json:
        typer.echo(json.dumps(training_as_json(trained, version, champion), indent=1))
    else:
        report_training(trained, version, champion)
        tell_where(runs, version.run_id, own_registry=own_registry)
    if not trained.verdict.passed:
        raise GateError(
            f"{version.name} {version.version}: {trained.verdict.failures[0]}; "
            f"{champion.learner} stays champion"
        )


def train_and_register(
    study_name: str,
    cohort: "Cohort",
    candidate: str | None,
    seed: int,
    runs: Path,
    *,
    work: Work,
    overrides: dict[str, str] | None = None,
    as_json: bool = False,
) -> tuple["Trained", "Registered", "Registered"]:
    """What a training found, its version in the registry, and who is champion then."""
    from training.fit import train as fit
    from training.study import read_study

    study = read_study(study_name)
    with _at_work(f"Training {study.label}", work, runs / "training", as_json) as (
        workshop,
        diagnosed,
    ):
        # Before the fits: a registry that cannot be used must not cost a training.
        registry = open_registry(runs)
        trained = fit(
            cohort,
            study,
            candidate=candidate,
            seed=seed,
            overrides=overrides,
            diagnosed=diagnosed,
            searched=work.searched,
            storage=work.trials or f"sqlite:///{runs.resolve() / 'trials.db'}",
            workshop=workshop,
        )
        workshop.progress("registering", "")
        version, champion, verdict = registry.register(trained)
        workshop.within(trained.work).clear()
        same = registry.duplicates(version)
    if same:
        typer.echo(SAME_BYTES.format(found=version, earlier=same[0].version), err=True)
    return replace(trained, verdict=verdict), version, champion


def _search(
    study_name: str,
    cohort: "Cohort",
    candidate: str | None,
    seed: int,
    *,
    work: Work,
    overrides: dict[str, str],
    as_json: bool,
) -> None:
    from training.fit import search
    from training.study import read_study

    if work.trials is None:
        raise InputError("--search-only", "expected --trials with the database that is shared")
    study = read_study(study_name)
    with _at_work(f"Searching for {study.label}", work, None, as_json) as (workshop, diagnosed):
        names = search(
            cohort,
            study,
            candidate=candidate,
            seed=seed,
            storage=work.trials,
            workshop=workshop,
            overrides=overrides,
            diagnosed=diagnosed,
        )
    if as_json:
        told = {"study": study.name, "study_hash": study.hash, "seed": seed, "searched": names}
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo("Every setting has been tried; the training that shares them goes on.")


@contextmanager
def _at_work(
    what: str, work: Work, folder: Path | None, as_json: bool
) -> Iterator[tuple["Workshop", Callable[["Diagnosis"], None]]]:
    """Where the fits are done and who is told the diagnosis, once the trials can be kept."""
    from training.trials import open_storage
    from training.workshop import Workshop, all_cores

    if work.trials is not None:
        with open_storage(work.trials):
            pass
    with (
        _refusal_told(as_json) as diagnosed,
        working(what, lines=not as_json) as advance,
    ):
        try:
            yield Workshop(work.jobs or all_cores(), folder, advance), diagnosed
        except KeyboardInterrupt:
            typer.echo("Stopped; the same command goes on where it stood.", err=True)
            raise


@contextmanager
def _refusal_told(as_json: bool) -> Iterator[Callable[["Diagnosis"], None]]:
    """Show the diagnosis by which a design is refused, before the line that says so."""
    told: list[Diagnosis] = []
    try:
        yield told.append
    except DesignError:
        for diagnosis in told:
            tell_diagnosis(diagnosis, as_json=as_json)
        raise


def _diagnose(study_name: str, cohort: "Cohort", overrides: dict[str, str], as_json: bool) -> None:
    from training.diagnosis import examine
    from training.study import read_study

    _, diagnosis = examine(cohort, read_study(study_name), overrides=overrides)
    tell_diagnosis(diagnosis, as_json=as_json)
    diagnosis.stop_if_refused()
