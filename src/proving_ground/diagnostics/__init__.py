"""What to look at on machines, without pytest: evidence, journals, findings."""
