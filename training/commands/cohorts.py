"""Commands that write a cohort: a simulated one, or a real one that can be installed."""

from pathlib import Path
from typing import Annotated

import typer

from features.terminal import working

__all__ = ["cohort", "simulate"]


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
    with working(f"Simulating {subjects} subjects"):
        cohort = simulate_cohort(subjects, seed=seed, scenario=scenario)
        write_cohort(cohort, out)
    typer.echo(f"{len(cohort.outcomes)} subjects, {len(cohort.visits)} visits in {out}")


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
