"""Commands of the room: cohorts, training, the registry and judging."""
