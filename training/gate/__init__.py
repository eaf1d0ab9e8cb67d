"""The clinical gate: limits a candidate must keep before it may be champion.

It may leave a published model as champion; that is a respectable outcome. All limits stand in the
study design. Comparisons are paired – same people, same folds, same missingness – against the best
published model, recalibrated on the same training folds, by a bootstrap of whole subjects.

`judge` says what is asked, `contest` compares two sets of risks, `parts` looks at subgroups,
centres and the latest diagnoses, `champion` at who answers now, and `scan` at what would be stored.
"""

from training.gate.champion import champion_checks
from training.gate.judge import best_published, judge_candidate
from training.gate.scan import scan_artefact
from training.gate.verdict import Check, Verdict

__all__ = [
    "Check",
    "Verdict",
    "best_published",
    "champion_checks",
    "judge_candidate",
    "scan_artefact",
]
