"""The front door: one command line, thin; every command imports what it needs when it runs.

Exit status: 0 done, 1 refused by a rule that the message names, 2 input or usage error.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from features.errors import RefusedError, SmoulderError
from serving.commands import AuditUrl, audit, keys

if TYPE_CHECKING:
    from features.labs import LabRows
    from features.visits import Visits
    from models.risk import RiskModel
    from training.cohorts import Cohort
    from training.diagnosis import Diagnosis
    from training.fit import Trained
    from training.registry import Registered, Registry

__all__ = ["app", "main"]

app = typer.Typer(
    help="Risk of progression from smouldering myeloma and MGUS. Research and trial "
    "pre-screening; not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")

Runs = Annotated[
    Path,
    typer.Option(
        envvar="SMOULDER_RUNS", help="Folder of the MLflow database, artifacts and bundles."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
FileFormat = Annotated[
    Literal["auto", "csv", "pangea", "fhir", "omop"],
    typer.Option("--format", help="How the file is laid out; auto looks at it."),
]
VisitsSource = Annotated[
    str,
    typer.Argument(help="Visits: CSV or Parquet, PANGEA, FHIR, OMOP folder or database URL."),
]
SiteCodes = Annotated[
    Path | None, typer.Option(help="CSV of a site's own codes: code,analyte (FHIR and OMOP).")
]
OnError = Annotated[
    Literal["keep", "stop"],
    typer.Option(help="keep: refuse the subject, answer the others; stop: write nothing, exit 2."),
]
RUNS = Path("mlruns")
MOST_LINES = 20
DEMO_SUBJECTS = 1000
DEMO_SEED = 1


def main() -> None:
    """Run the command line; an error on purpose is one line on stderr, never a traceback."""
    try:
        app()
    except SmoulderError as error:
        typer.echo(f"smoulder: {error}", err=True)
        sys.exit(1 if isinstance(error, RefusedError) else 2)
    except OSError as error:
        # A folder that cannot be written, a full disk: the caller's to mend, wherever it shows.
        place = f"{error.filename}: " if error.filename else ""
        typer.echo(f"smoulder: {place}{error.strerror or error}", err=True)
        sys.exit(2)


@dataclass(frozen=True, slots=True)
class Work:
    """How much a training does, in how many processes, and where its trials are kept."""

    searched: bool
    jobs: int = 0
    trials: str | None = None


@app.command(epilog="Example: smoulder demo --port 3000")
def demo(
    serve_: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve when trained.")] = True,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    runs: Runs = RUNS,
) -> None:
    """Train and register both demonstration models, then serve them beside the published ones."""
    from training.cohorts import installable_cohort
    from training.simulation import simulate_cohort

    if not (runs / "mlflow.db").exists():
        _sign_from_now_on(runs)
    for study, cohort in (
        ("mgus", installable_cohort("mgus2")),
        ("smm", simulate_cohort(DEMO_SUBJECTS, seed=DEMO_SEED)),
    ):
        _report_training(*_train(study, cohort, None, DEMO_SEED, runs, work=Work(searched=False)))
    if serve_:
        typer.echo(f"Serving on http://127.0.0.1:{port}/ui/ – stop with Ctrl-C")
        serve(port=port, runs=runs)


@app.command(epilog="Example: smoulder simulate --subjects 1000 --seed 1 --out cohorts/simulated")
def simulate(
    subjects: Annotated[int, typer.Option(help="Number of subjects.")],
    out: Annotated[Path, typer.Option(help="New or empty folder.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same cohort.")] = 0,
    scenario: Annotated[str, typer.Option(help="Where the subjects come from.")] = "referral",
) -> None:
    """Write a simulated SMM cohort: visits, outcomes and true risks."""
    from training.cohort_files import refuse_occupied, write_cohort
    from training.simulation import simulate_cohort

    refuse_occupied(out)
    with _working(f"Simulating {subjects} subjects"):
        cohort = simulate_cohort(subjects, seed=seed, scenario=scenario)
        write_cohort(cohort, out)
    typer.echo(f"{len(cohort.outcomes)} subjects, {len(cohort.visits)} visits in {out}")


@app.command(epilog="Example: smoulder cohort mgus2 --out cohorts/mgus2")
def cohort(
    name: Annotated[str, typer.Argument(help="mgus2, mgus or flchain.")],
    out: Annotated[Path, typer.Option(help="New or empty folder.")],
) -> None:
    """Write an installable real cohort: visits and outcomes."""
    from training.cohort_files import refuse_occupied, write_cohort
    from training.cohorts import installable_cohort

    refuse_occupied(out)
    found = installable_cohort(name)
    write_cohort(found, out)
    typer.echo(f"{len(found.outcomes)} subjects, {len(found.visits)} visits in {out}")


@app.command(epilog="Example: smoulder train smm --cohort cohorts/simulated --seed 1")
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
    from features.errors import GateError, InputError
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
    trained, version, champion = _train(
        study, read, candidate, seed, runs, work=work, overrides=overrides, as_json=as_json
    )
    if as_json:
        typer.echo(json.dumps(_training_as_json(trained, version, champion), indent=1))
    else:
        _report_training(trained, version, champion)
        _tell_where(runs, own_registry=own_registry)
    if not trained.verdict.passed:
        raise GateError(
            f"{version.name} {version.version}: {trained.verdict.failures[0]}; "
            f"{champion.learner} stays champion"
        )


@app.command(epilog="Example: smoulder models --json")
def models(runs: Runs = RUNS, as_json: Json = False) -> None:
    """List what is registered, and who is champion."""
    from dataclasses import asdict

    found = _registry(runs).versions()
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in found], indent=1))
        return
    header = ("name", "version", "alias", "learner", "gate", "cohort")
    _print_table(
        "Registered models",
        header,
        [
            (v.name, v.version, ", ".join(v.aliases), v.learner, v.gate, _cohort_text(v))
            for v in found
        ],
    )


@app.command(epilog="Example: smoulder promote smm-progression 2")
def promote(name: str, version: str, runs: Runs = RUNS) -> None:
    """Make a version champion; one that the gate refused stays refused."""
    _registry(runs).promote(name, version)
    typer.echo(f"{name} {version} is champion")


@app.command(epilog="Example: smoulder rollback smm-progression")
def rollback(name: str, runs: Runs = RUNS) -> None:
    """Make the previous champion champion again."""
    champion = _registry(runs).rollback(name)
    typer.echo(f"{champion.name} {champion.version} is champion")


@app.command(epilog="Example: smoulder history smm-progression")
def history(name: str, runs: Runs = RUNS, as_json: Json = False) -> None:
    """List every version of a model, newest first: who answered, and what the gate said."""
    from dataclasses import asdict

    from features.errors import InputError

    found = _registry(runs).history(name)
    if not found:
        raise InputError("name", f"{name} has no versions; see smoulder models")
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in found], indent=1))
        return
    header = ("version", "alias", "learner", "gate", "cohort", "registered")
    _print_table(
        f"Versions of {name}",
        header,
        [
            (v.version, ", ".join(v.aliases), v.learner, v.gate, _cohort_text(v), v.created)
            for v in found
        ],
    )


@app.command(epilog="Example: smoulder lineage smm-progression 2")
def lineage(
    name: Annotated[str, typer.Argument(help="Of the model, or the SHA-256 an answer carries.")],
    version: Annotated[str | None, typer.Argument(help="Of the model, with a name.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Trace a version, or the artefact behind an answer, back to the rows it learnt from."""
    from training.lineage import find_artefact
    from training.lineage import lineage as trace

    registry = _registry(runs)
    named = [(name, version)] if version is not None else []
    wanted = named or [(v.name, v.version) for v in find_artefact(registry, name)]
    traced = [trace(registry, *each) for each in wanted]
    if as_json:
        typer.echo(json.dumps([each.to_dict() for each in traced], indent=1))
        return
    for each in traced:
        _print_table("Lineage", ("what", "which"), each.steps())


@app.command(epilog="Example: smoulder score visits.csv -o scores.csv --models 20-2-20,pangea-smm")
def score(
    file: VisitsSource,
    out: Annotated[Path, typer.Option("--out", "-o", help="scores.csv or scores.parquet.")],
    models: Annotated[str | None, typer.Option(help="Identifiers, separated by commas.")] = None,
    at: Annotated[Literal["last", "every"], typer.Option(help="Which visits to score.")] = "last",
    format_: FileFormat = "auto",
    codes: SiteCodes = None,
    on_error: OnError = "keep",
    runs: Runs = RUNS,
) -> None:
    """Score every subject (last visit) or every visit with every chosen model."""
    from features.sources import read_visits
    from serving.scoring import score as score_rows
    from serving.scoring import write_table

    chosen = _models(models, runs)
    with _working(f"Scoring {Path(file).name}"):
        rows = read_visits(file, format=format_, codes=codes)
        table, visits = score_rows(rows, chosen, at=at, as_of_years=_today_years())
        _stop_at_refusals(Path(file).name, visits, on_error)
        write_table(table, out)
    _tell_findings(Path(file).name, rows, visits)
    typer.echo(f"{table.num_rows} rows in {out}; {len(visits.refusals())} subjects refused")


@app.command(epilog="Example: smoulder screen visits.csv --trial AQUILA -o list.csv")
def screen(
    file: VisitsSource,
    trial: Annotated[str, typer.Option(help="AQUILA, DETER-SMM, … or a file of rules.toml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="list.csv or list.parquet.")],
    model: Annotated[str, typer.Option(help="Whose two-year risk ranks.")] = "pangea-smm",
    format_: FileFormat = "auto",
    codes: SiteCodes = None,
    on_error: OnError = "keep",
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Rank a list of patients against a trial's versioned eligibility rules."""
    import pandas as pd
    import pyarrow as pa

    from features.sources import read_visits
    from features.visits import check
    from models.screening import screen as screen_history
    from serving.scoring import write_table

    rows = read_visits(file, format=format_, codes=codes)
    visits = check(rows, as_of_years=_today_years())
    _stop_at_refusals(Path(file).name, visits, on_error)
    (ranking,) = _models(model, runs)
    screening = screen_history(visits.history, trial, model=ranking)
    refusals = visits.refusals()
    refused = pd.DataFrame(
        [(rows.subject_ids[s], "refused", reason) for s, reason in refusals.items()],
        columns=["subject_id", "eligibility", "reason"],
    )
    ranked = pd.concat([screening.table(), refused]) if refusals else screening.table()
    write_table(pa.Table.from_pandas(ranked, preserve_index=False), out)
    _tell_findings(Path(file).name, rows, visits)
    counts = screening.counts() | {"refused": len(refusals)}
    expected = screening.expected_events_per_100()
    if as_json:
        known = expected if expected["subjects"] else None
        typer.echo(json.dumps({"trial": trial, "counts": counts, "per_100": known}, indent=1))
        return
    typer.echo(", ".join(f"{count} {status}" for status, count in counts.items()))
    if expected["subjects"]:
        typer.echo(
            f"{expected['events']:.1f} progressions expected within 2 years per 100 enrolled, by "
            f"{model} (means of the ends of their ranges: {expected['lower']:.1f} and "
            f"{expected['upper']:.1f})"
        )


@app.command(
    epilog="Example: smoulder evaluate --risks risks.csv --outcomes outcomes.csv --report r.html"
)
def evaluate(
    risks: Annotated[Path, typer.Option(help="subject_id, model, horizon_years, risk.")],
    outcomes: Annotated[Path, typer.Option(help="subject_id, duration_years, event.")],
    thresholds: Annotated[str, typer.Option(help="Risks at which one would act.")] = "0.05,0.1",
    reference: Annotated[str | None, typer.Option(help="Model to compare with.")] = None,
    bootstrap: Annotated[int, typer.Option(min=0, help="Replicates; 0 is analytical.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes for the bootstrap.")] = 1,
    subgroups: Annotated[Path | None, typer.Option(help="subject_id and characteristics.")] = None,
    strategies: Annotated[
        Path | None, typer.Option(help="subject_id and whom one would act on: 1 or 0.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Judgement as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Report as one HTML file.")] = None,
) -> None:
    """Judge any risks against outcomes: censored, with death competing, side by side."""
    from features.errors import InputError
    from training.evaluation import evaluate_files

    try:
        levels = tuple(float(level) for level in thresholds.split(","))
    except ValueError:
        raise InputError("--thresholds", "expected risks such as 0.05,0.1") from None
    with _working("Judging"):
        judgement = evaluate_files(
            risks,
            outcomes,
            thresholds=levels,
            reference=reference,
            bootstrap=bootstrap,
            seed=seed,
            jobs=jobs,
            subgroups_path=subgroups,
            strategies_path=strategies,
            out=out,
            report=report,
        )
    if out is None:
        typer.echo(judgement.to_json())


@app.command(epilog="Example: smoulder serve --port 3000")
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


@app.command(epilog="Example: smoulder follow --registry http://127.0.0.1:5000")
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
    from training.follow import Follower

    # A server that is killed cannot stop its companion.
    Follower(runs, registry, challengers=challengers).run(
        every=every, until=lambda: beside is not None and os.getppid() != beside
    )


def _follow_command(registry: str, runs: Path) -> list[str]:
    words = ["--registry", registry, "--runs", str(runs), "--beside", str(os.getpid())]
    return [sys.executable, "-m", "smoulder", "follow", *words]


def _train(
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
    from dataclasses import replace

    from training.fit import train as fit
    from training.study import read_study
    from training.trials import open_storage
    from training.workshop import Workshop, all_cores

    study = read_study(study_name)
    with _refusal_told(as_json) as diagnosed, _working(f"Training {study.label}") as advance:
        # Before the fits: a registry or database that cannot be used must not cost a training.
        registry = _registry(runs)
        if work.trials is not None:
            with open_storage(work.trials):
                pass
        workshop = Workshop(work.jobs or all_cores(), runs / "training", advance)
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
        advance("registering")
        version, champion, verdict = registry.register(trained)
        workshop.within(trained.work).clear()
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
    from features.errors import InputError
    from training.fit import search
    from training.study import read_study
    from training.trials import open_storage
    from training.workshop import Workshop, all_cores

    if work.trials is None:
        raise InputError("--search-only", "expected --trials with the database that is shared")
    with open_storage(work.trials):
        study = read_study(study_name)
    with _refusal_told(as_json) as diagnosed, _working(f"Searching for {study.label}") as advance:
        names = search(
            cohort,
            study,
            candidate=candidate,
            seed=seed,
            storage=work.trials,
            workshop=Workshop(work.jobs or all_cores(), progress=advance),
            overrides=overrides,
            diagnosed=diagnosed,
        )
    if as_json:
        told = {"study": study.name, "study_hash": study.hash, "seed": seed, "searched": names}
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo("Every setting has been tried; the training that shares them goes on.")


@contextmanager
def _refusal_told(as_json: bool) -> Iterator[Callable[["Diagnosis"], None]]:
    """Show the diagnosis by which a design is refused, before the line that says so."""
    from features.errors import DesignError

    told: list[Diagnosis] = []
    try:
        yield told.append
    except DesignError:
        for diagnosis in told:
            _tell_diagnosis(diagnosis, as_json=as_json)
        raise


def _diagnose(study_name: str, cohort: "Cohort", overrides: dict[str, str], as_json: bool) -> None:
    from training.diagnosis import examine
    from training.study import read_study

    _, diagnosis = examine(cohort, read_study(study_name), overrides=overrides)
    _tell_diagnosis(diagnosis, as_json=as_json)
    diagnosis.stop_if_refused()


def _tell_diagnosis(diagnosis: "Diagnosis", *, as_json: bool) -> None:
    from training.diagnosis import HEADER

    if as_json:
        typer.echo(json.dumps(diagnosis.to_dict(), indent=1))
        return
    title = f"Study {diagnosis.study} on {diagnosis.cohort}: is the design sound"
    _print_table(title, HEADER, diagnosis.table())


def _sign_from_now_on(runs: Path) -> None:
    """A pair of keys for a registry that is still empty, unless it has one."""
    from models.signature import make_signing_key, signing_key

    if signing_key(runs) is None:
        make_signing_key(runs)


def _registry(runs: Path) -> "Registry":
    """Registry under the folder, or at the server that MLflow's own variable names."""
    tracking_uri = os.environ.get("MLFLOW_TRACKING_URI")
    from training.registry import Registry

    return Registry(runs, tracking_uri=tracking_uri)


def _models(names: str | None, runs: Path) -> list["RiskModel"]:
    """Models by identifier; registered ones are read from the bundles laid out for serving."""
    from features.errors import InputError
    from models.catalogue import choose
    from serving.lifecycle import trusted_beside
    from serving.lineup import CHALLENGER
    from serving.published import published_directories, read_published

    wanted = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    if wanted == []:
        raise InputError("--models", "expected identifiers separated by commas, such as 20-2-20")
    serving = runs / "serving"
    learned: dict[str, RiskModel] = {
        directory.name: read_published(directory, trusted_beside(serving)).model
        for directory in published_directories(serving)
        if (CHALLENGER not in directory.name if wanted is None else directory.name in wanted)
    }
    return choose(wanted, learned)


def _stop_at_refusals(source: str, visits: "Visits", on_error: str) -> None:
    from features.errors import InputError

    refused = [finding for finding in visits.findings if finding.severity == "refused"]
    if refused and on_error == "stop":
        first = refused[0]
        raise InputError(first.field, first.message, row=first.row, source=source)


def _tell_findings(source: str, rows: "LabRows", visits: "Visits") -> None:
    """One line on stderr for each of the first findings; never a value."""
    lines = [*rows.notes, *(f"{f.severity}: {f}" for f in visits.findings)]
    for line in lines[:MOST_LINES]:
        typer.echo(f"{source}: {line}", err=True)
    if len(lines) > MOST_LINES:
        typer.echo(f"{source}: and {len(lines) - MOST_LINES} more", err=True)


def _today_years() -> float:
    from datetime import date

    from features.labs import DAYS_PER_YEAR

    return (date.today() - date(1970, 1, 1)).days / DAYS_PER_YEAR


def _training_as_json(
    trained: "Trained", version: "Registered", champion: "Registered"
) -> dict[str, Any]:
    from dataclasses import asdict

    from training.fit import summary

    return {
        "version": asdict(version),
        "champion": asdict(champion),
        "gate": [asdict(check) for check in trained.verdict.checks],
        "diagnosis": trained.diagnosis.to_dict(),
        "used": {
            "subjects": trained.rows.subjects,
            "landmarks": len(trained.rows.subject),
            "left_out": trained.rows.left_out,
            "refused": trained.rows.refused,
        },
        "metrics": {name: summary(r, trained.study) for name, r in trained.results.items()},
    }


def _report_training(trained: "Trained", version: "Registered", champion: "Registered") -> None:
    """Table of candidates beside the rule, and what the gate decided and why."""
    from training.candidates import CANDIDATES

    study = trained.study
    for doubted, verdict, found, advice in trained.diagnosis.table():
        if verdict != "pass":
            typer.echo(f"{verdict}: {doubted}: {found}; {advice}")
    horizon = study.decision_horizon_years
    header = ("candidate", f"AUC {horizon:g}y", f"Brier {horizon:g}y", f"IPA {horizon:g}y")
    rows = [
        (
            CANDIDATES[name].label + (" – held to the gate" if name == trained.chosen else ""),
            f"{result.mean('auc', horizon):.3f}",
            f"{result.mean('brier', horizon):.4f}",
            f"{100 * result.mean('ipa', horizon):.1f} %",
        )
        for name, result in trained.results.items()
    ]
    rows_used, told = trained.rows, trained.candidate.model.provenance
    whom = f"{rows_used.subjects} subjects of {told['cohort']}"
    how = "tuned in every fold" if told["searched"] else "not tuned"
    _print_table(f"{study.label}: {whom}, cross-validated, {how}", header, rows)
    typer.echo(
        f"Not used: {rows_used.refused} subjects refused for their values, "
        f"{rows_used.left_out} landmarks without a necessary marker."
    )
    for check in trained.verdict.checks:
        kept = "open  " if check.value is None else "kept  " if check.passed else "FAILED"
        typer.echo(f"  {kept} {check}")
    decision = "passes" if trained.verdict.passed else "refuses"
    typer.echo(
        f"The gate {decision} {version.learner} ({version.name} {version.version}). "
        f"Champion: {champion.learner}, version {champion.version}.\n"
    )


def _tell_where(runs: Path, *, own_registry: bool) -> None:
    """Where judgement, card and plots are, and what comes next."""
    store = shlex.quote(f"sqlite:///{runs / 'mlflow.db'}")
    database = f"mlflow ui --backend-store-uri {store} --host 127.0.0.1"
    typer.echo(
        f"Judgement, cards and plots: {database if own_registry else 'at the MLflow server'}"
    )
    typer.echo("The champion answers beside the published models: smoulder serve")


def _cohort_text(version: "Registered") -> str:
    return f"{version.cohort} ({version.cohort_kind})"


def _print_table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


@contextmanager
def _working(what: str) -> Iterator[Callable[[str], None]]:
    """Tell what is being done while it takes more than a moment; silent outside a terminal."""
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield lambda step: status.update(f"{what}: {step}")


if __name__ == "__main__":
    main()
