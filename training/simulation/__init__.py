"""The simulated cohort, with its truth: ``simulate_cohort`` and ``true_risks``."""

from training.simulation.cohort import simulate_cohort, true_risks

__all__ = ["simulate_cohort", "true_risks"]
