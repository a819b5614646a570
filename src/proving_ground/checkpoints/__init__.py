"""Checkpoints: what has been saved of machines."""
