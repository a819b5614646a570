"""The Kubernetes extra, for any cluster."""
