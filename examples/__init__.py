"""Whole small projects, and the tests that run each as its user would."""
