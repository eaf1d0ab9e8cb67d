"""What MLflow's pages say about an experiment, a run, a model and a version, in Markdown."""

from training.candidates import CANDIDATES
from training.fit import Final, Trained
from training.study import Study

__all__ = ["experiment_note", "model_note", "run_note", "version_note"]


def experiment_note(study: Study) -> str:
    """What the runs of a study are, and how to compare them."""
    years = f"{study.decision_horizon_years:g} years"
    return f"""**{study.label}** – trainings of the study `{study.name}`.

A run is one training; its children are the candidates of that training, on the same folds.

- *Which training was good?* Compare the columns `IPA {years}` (higher is better, 0 is no better
  than everybody's average risk), `AUC {years}` and `Brier {years}` of parents: they are those of
  the candidate held to the gate.
- *Was that better than the published model?* Open a run and compare its children; the tag `part`
  says which is which.
- *Why was it refused?* `gate.json`, or the metrics under `gate/`. The tag `gate` says whether.
- *The whole report:* `judgement.html` among the artifacts, figures under `plots/`, model cards
  under `cards/`.

Who answers now is under **Models**: alias `champion` of `{study.registry_name}`."""


def run_note(trained: Trained) -> str:
    """What one training was and what became of it."""
    told, verdict = trained.candidate.model.provenance, trained.verdict
    against = CANDIDATES[verdict.against].label
    lines = [
        f"{told['learner']} on the {told['cohort_kind']} cohort `{told['cohort']}`: "
        f"{told['subjects']} subjects, {told['progressions']} progressions. "
        f"The published model to beat: {against}.",
        "",
        f"**The gate {'passes' if verdict.passed else 'refuses'} it.**",
        "",
        *(f"- {failure}" for failure in verdict.failures),
    ]
    return "\n".join(lines).strip()


def model_note(study: Study) -> str:
    """What a registered model is."""
    return (
        f"{study.label} in people with {study.population.upper()}. The version with the alias "
        "`champion` answers; `challenger` is the last that did not get there, `previous` the way "
        "back. Research and trial pre-screening, not a medical device."
    )


def version_note(trained: Trained, final: Final, gate: str) -> str:
    """What a version is and what the gate said of it."""
    said = {
        "passed": "The gate passed it.",
        "rule": "The published model with the risks of this cohort; it needs no gate.",
        "refused": "The gate refused it: " + "; ".join(trained.verdict.failures) + ".",
    }
    return f"{final.model.citation}. {said[gate]}"
