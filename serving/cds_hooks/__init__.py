"""CDS Hooks 2.0: risk of progression as a card where a chart is opened."""
