"""Measures of risks under censoring and competing death, one family per module."""
