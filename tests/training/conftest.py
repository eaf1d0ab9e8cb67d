"""Cohorts and studies small enough to train many times."""

from dataclasses import replace

import pytest

from training.cohorts import Cohort, installable_cohort
from training.landmarks import TrainingSet, training_set
from training.simulation import simulate_cohort
from training.study import Folds, Study, read_study


@pytest.fixture(scope="session")
def mgus2() -> Cohort:
    return installable_cohort("mgus2")


@pytest.fixture(scope="session")
def simulated() -> Cohort:
    return simulate_cohort(400, seed=11)


@pytest.fixture(scope="session")
def mgus() -> Study:
    """The shipped design with fewer folds."""
    return replace(read_study("mgus"), folds=Folds(count=3, repeats=1))


@pytest.fixture(scope="session")
def smm() -> Study:
    """The shipped design with fewer folds."""
    return replace(read_study("smm"), folds=Folds(count=3, repeats=1))


@pytest.fixture(scope="session")
def mgus_rows(mgus2: Cohort, mgus: Study) -> TrainingSet:
    return training_set(mgus2, mgus)


@pytest.fixture(scope="session")
def smm_rows(simulated: Cohort, smm: Study) -> TrainingSet:
    return training_set(simulated, smm)
