"""The base of all other packages: errors, settings, topology, time-outs, polling, progress."""
