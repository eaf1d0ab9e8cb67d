"""Where nothing but the published rule's markers matters, the training must not end with less."""

from benchmarks.training.rule_only import ended
from training.study import read_study


def test_where_only_the_rules_markers_matter_the_rule_stays() -> None:
    study = read_study("smm")
    names = ["rule", "pangea-smm", "hazards", "logistic"]
    found, losses = ended(study, names, seed=1, search=None)
    # Steps drawn from the published risks: lines through the same markers lose more than the gate's
    # margin, so that letting any of them pass would show.
    assert all(losses[name] > study.gate.most_brier_loss for name in names if name != "rule")
    assert not found.passed
    assert found.loss == 0.0
