"""Readers, one per format, all to the same lab rows."""
