"""Upstream's own suites, Kubernetes' end-to-end tests, as tests of the run."""
