"""What the pipeline reaches on data whose answer is known, and how fast: one part per module."""
