"""Names what this repository adds to the plugin: the Kubernetes extra, and fixtures of the cluster of its roles."""

pytest_plugins = [
    "proving_ground.kubernetes.plugin",
    "fixtures.cluster_nodes",
    "fixtures.etcd",
    "fixtures.etcd_evidence",
    "fixtures.mesh",
    "fixtures.pki",
]
