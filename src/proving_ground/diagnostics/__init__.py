"""Inspect machines, without pytest: evidence, journals, findings."""
