"""Losses against an opponent: their size, their bounds, and what the bounds are clustered by."""

from dataclasses import replace

import numpy as np
import pytest

from training.gate.contest import contest
from training.landmarks import TrainingSet
from training.study import Gate, Study


@pytest.fixture
def gate(mgus: Study) -> Gate:
    return replace(mgus.gate, thresholds=(0.2,), replicates=400)


def _rows(landmarks: int, subjects: int = 200) -> TrainingSet:
    """Everybody followed for ten years; every fourth subject progresses at one year."""
    subject = np.repeat(np.arange(subjects), landmarks)
    event = (subject % 4 == 0).astype(np.int64)
    nothing = np.zeros(subject.size)
    duration = np.where(event == 1, 1.0, 10.0)
    return TrainingSet(
        ("m_protein_g_dl",), nothing[:, None], subject, nothing, duration, event, 0, 0
    )


def test_losses_are_those_worked_out_by_hand(gate: Gate) -> None:
    """A quarter progresses. Everyone at .3 against the progressing at .9 and the others at .1.

    Brier: .25 * .49 + .75 * .09 = .19 against .01, a loss of .18. Net benefit at .2, odds 1/4:
    all flagged .25 - .75/4 = .0625 against only those who progress .25, a loss of .1875.
    """
    rows = _rows(1)
    flat = np.full((1, 200), 0.3)
    sharp = np.where(rows.event == 1, 0.9, 0.1)[None]
    found = contest(rows, 2.0, flat, sharp, against="it", gate=gate, seed=1)
    assert found.brier.value == pytest.approx(0.18, abs=1e-12)
    assert found.net_benefit[0.2].value == pytest.approx(0.1875, abs=1e-12)
    # The loss of a subject is .49 - .01 or .09 - .01: standard deviation .4 * sqrt(.25 * .75).
    error = 0.4 * np.sqrt(0.25 * 0.75 / 200)
    assert found.brier.most == pytest.approx(0.18 + 1.645 * error, abs=0.3 * error)
    assert found.brier.least == pytest.approx(0.18 - 1.645 * error, abs=0.3 * error)
    assert not found.better().passed
    assert [check.passed for check in found.not_worse(gate)] == [False, False]


def test_repeating_every_subject_makes_nothing_more_certain(gate: Gate) -> None:
    bounds = []
    for landmarks in (1, 4):
        rows = _rows(landmarks)
        flat = np.full((1, rows.subject.size), 0.3)
        sharp = np.where(rows.event == 1, 0.5, 0.2)[None]
        bounds.append(contest(rows, 2.0, flat, sharp, against="it", gate=gate, seed=1).brier.most)
    assert bounds[1] == pytest.approx(bounds[0], abs=1e-12)


def test_what_is_the_same_loses_nothing_and_gains_nothing(gate: Gate) -> None:
    rows = _rows(1)
    risk = np.linspace(0.05, 0.6, 400).reshape(2, 200)
    found = contest(rows, 2.0, risk, risk, against="the rule", gate=gate, seed=1)
    assert (found.brier.value, found.brier.most, found.net_benefit[0.2].most) == (0.0, 0.0, 0.0)
    assert not found.better().passed
    assert all(check.passed for check in found.not_worse(gate))


def test_what_cannot_be_judged_in_most_draws_is_not_passed(gate: Gate) -> None:
    """One subject of four progresses: .75^4 = 32 % of the draws have nobody who does."""
    rows = _rows(1, subjects=4)
    low, high = np.full((1, 4), 0.1), np.full((1, 4), 0.3)
    found = contest(rows, 2.0, low, high, against="it", gate=gate, seed=1)
    assert found.brier.most == np.inf
    check = found.not_worse(gate)[0]
    assert not check.passed and np.isfinite(check.value or np.inf)
