"""The CIS Kubernetes Benchmark: its checks as data, the ways of asking a live cluster, and the results."""
