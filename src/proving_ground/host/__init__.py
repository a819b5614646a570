"""The host's own networks and routes."""
