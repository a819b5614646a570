"""Loads the harness; testinfra comes first so that the harness's own `host` fixture wins."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.artifacts",
    "fixtures.session",
    "fixtures.collapse",
    "fixtures.entering",
    "fixtures.idempotence",
    "fixtures.evidence",
    "fixtures.waits",
    "fixtures.ad_hoc",
    "fixtures.browser",
    "fixtures.kube",
    "fixtures.nodes",
    "fixtures.pods",
    "fixtures.port_forward",
    "fixtures.reachability",
    "fixtures.pki",
    "fixtures.etcd",
    "fixtures.mesh",
    "fixtures.cluster",
]
