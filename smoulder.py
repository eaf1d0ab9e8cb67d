"""The front door: one command line, thin; every command imports what it needs when it runs.

Exit status: 0 done, 1 refused by a rule that the message names, 2 input or usage error.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from features.errors import RefusedError, SmoulderError
from features.terminal import RUNS, Runs
from serving.commands.audit import audit
from serving.commands.keys import keys
from serving.commands.scoring import score, screen
from serving.commands.server import serve
from training.commands.cohorts import cohort, simulate
from training.commands.evaluation import evaluate
from training.commands.registry import follow, history, lineage, models, promote, rollback
from training.commands.results import report_training
from training.commands.training import Work, train, train_and_register

__all__ = ["app", "main"]

DEMO_SUBJECTS = 1000
DEMO_SEED = 1


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
    for study, learnt_from in (
        ("mgus", installable_cohort("mgus2")),
        ("smm", simulate_cohort(DEMO_SUBJECTS, seed=DEMO_SEED)),
    ):
        report_training(
            *train_and_register(
                study, learnt_from, None, DEMO_SEED, runs, work=Work(searched=False)
            )
        )
    if serve_:
        typer.echo(f"Serving on http://127.0.0.1:{port}/ui/ – stop with Ctrl-C")
        serve(port=port, runs=runs)


def _sign_from_now_on(runs: Path) -> None:
    """A pair of keys for a registry that is still empty, unless it has one."""
    from models.signature import make_signing_key, signing_key

    if signing_key(runs) is None:
        make_signing_key(runs)


app = typer.Typer(
    help="Risk of progression from smouldering myeloma and MGUS. Research and trial "
    "pre-screening; not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (demo, "demo --port 3000"),
    (simulate, "simulate --subjects 1000 --seed 1 --out cohorts/simulated"),
    (cohort, "cohort mgus2 --out cohorts/mgus2"),
    (train, "train smm --cohort cohorts/simulated --seed 1"),
    (models, "models --json"),
    (promote, "promote smm-progression 2"),
    (rollback, "rollback smm-progression"),
    (history, "history smm-progression"),
    (lineage, "lineage smm-progression 2"),
    (score, "score visits.csv -o scores.csv --models 20-2-20,pangea-smm"),
    (screen, "screen visits.csv --trial AQUILA -o list.csv"),
    (evaluate, "evaluate --risks risks.csv --outcomes outcomes.csv --report r.html"),
    (serve, "serve --port 3000"),
    (follow, "follow --registry http://127.0.0.1:5000"),
)
"""As the help lists them, each with an example."""

for _command, _example in COMMANDS:
    app.command(epilog=f"Example: smoulder {_example}")(_command)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")


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


if __name__ == "__main__":
    main()
