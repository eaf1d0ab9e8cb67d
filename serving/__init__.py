"""How a risk is asked for: HTTP, page and batch."""
