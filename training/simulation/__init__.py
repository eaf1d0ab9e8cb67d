"""The simulated cohort, with its truth."""
