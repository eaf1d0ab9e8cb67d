"""The command that judges any risks against outcomes."""

from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from features.terminal import ColumnNames, working

__all__ = ["evaluate"]

AT_VISITS = (
    "{name}: each risk is as of the visit of its row, and is right beside durations that count "
    "from that visit; where they count from the diagnosis, use 'smoulder score --at first'"
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
    columns: ColumnNames = None,
    out: Annotated[Path | None, typer.Option(help="Judgement as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Report as one HTML file.")] = None,
) -> None:
    """Judge any risks against outcomes: censored, with death competing, side by side."""
    from training.evaluation import evaluate_files, read_at_visits

    try:
        levels = tuple(float(level) for level in thresholds.split(","))
    except ValueError:
        raise InputError("--thresholds", "expected risks such as 0.05,0.1") from None
    with working("Judging"):
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
            columns_path=columns,
            out=out,
            report=report,
        )
    if read_at_visits(risks):
        typer.echo(AT_VISITS.format(name=risks.name), err=True)
    if out is None:
        typer.echo(judgement.to_json())
        return
    written = " and ".join(str(path) for path in (out, report) if path is not None)
    models = len({row.model for row in judgement.rows})
    most = max(row.people for row in judgement.rows)
    judged = "1 model" if models == 1 else f"{models} models"
    typer.echo(f"{judged} judged on up to {most:,} people: {written}")
