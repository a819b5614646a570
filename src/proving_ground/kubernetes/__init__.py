"""The Kubernetes extra, for anybody's cluster."""
