"""Nodes that KWOK simulates beside those of a cluster: as many as an option says, for as long as the run."""
