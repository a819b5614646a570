"""Programs and services that the host runs."""
