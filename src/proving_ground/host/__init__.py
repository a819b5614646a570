"""Read the host's routes and choose a free network for machines."""
