"""The phases of a run in their order."""
