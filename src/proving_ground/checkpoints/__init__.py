"""Checkpoints: saved states of machines."""
