"""Loads the harness; testinfra comes first so that the harness's own `host` fixture wins."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.artifacts",
    "fixtures.session",
    "fixtures.kube",
    "fixtures.pods",
    "fixtures.port_forward",
    "fixtures.probes",
    "fixtures.reachability",
    "fixtures.tls",
]
