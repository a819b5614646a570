"""Fixtures and options of other plugins, for tests that were written for them."""
