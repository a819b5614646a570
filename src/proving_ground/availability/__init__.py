"""Measure how long a service does not answer while something disturbs it; without pytest."""
