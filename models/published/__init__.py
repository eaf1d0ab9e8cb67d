"""Published risk models, one module each, citation first."""
