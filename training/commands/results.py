"""What a training found, told: a table for people, JSON for programs, and where to look next."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from features.terminal import print_table, same_runs

if TYPE_CHECKING:
    from training.diagnosis import Diagnosis
    from training.fit import Trained
    from training.registry import Registered

__all__ = ["report_training", "tell_diagnosis", "tell_where", "training_as_json"]


def tell_diagnosis(diagnosis: "Diagnosis", *, as_json: bool) -> None:
    """Every check of the design: what it found, and what to do."""
    from training.diagnosis import HEADER

    if as_json:
        typer.echo(json.dumps(diagnosis.to_dict(), indent=1))
        return
    title = f"Study {diagnosis.study} on {diagnosis.cohort}: is the design sound"
    print_table(title, HEADER, diagnosis.table())


def training_as_json(
    trained: "Trained", version: "Registered", champion: "Registered"
) -> dict[str, Any]:
    """The same for a program: version, champion, gate, diagnosis, rows used and metrics."""
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


def report_training(trained: "Trained", version: "Registered", champion: "Registered") -> None:
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
    print_table(f"{study.label}: {whom}, cross-validated, {how}", header, rows)
    typer.echo(
        f"Not used: subjects refused for their values: {rows_used.refused}; "
        f"landmarks without a necessary marker: {rows_used.left_out}."
    )
    for check in trained.verdict.checks:
        kept = "open  " if check.value is None else "kept  " if check.passed else "FAILED"
        typer.echo(f"  {kept} {check}")
    decision = "passes" if trained.verdict.passed else "refuses"
    typer.echo(
        f"The gate {decision} {version.learner} ({version.name} {version.version}). "
        f"Champion: {champion.learner}, version {champion.version}.\n"
    )


def tell_where(runs: Path, run_id: str, *, own_registry: bool) -> None:
    """Where report, judgement, card and plots are, and what comes next."""
    from training.documents import REPORT

    # As MLflow lays artifacts out; a server keeps them where it likes.
    report = runs / "artifacts" / run_id / "artifacts" / REPORT
    if report.is_file():
        typer.echo(f"Report, for any browser: {report}")
    store = shlex.quote(f"sqlite:///{runs / 'mlflow.db'}")
    database = f"mlflow ui --backend-store-uri {store} --host 127.0.0.1"
    typer.echo(
        f"Judgement, cards and plots: {database if own_registry else 'at the MLflow server'}"
    )
    typer.echo(f"The champion answers beside the published models: smoulder serve{same_runs(runs)}")
