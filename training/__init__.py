"""How a learned model is made: cohorts, labels, fitting, judging, registering."""
