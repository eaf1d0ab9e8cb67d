"""Who may ask for what: callers by key or token, scopes by path, and the guard at the door."""
