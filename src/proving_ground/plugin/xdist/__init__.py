"""Run tests in several workers of pytest-xdist on one set of machines."""
