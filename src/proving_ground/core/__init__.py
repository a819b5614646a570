"""What everything stands on: errors, settings, topology, time-outs, polling, progress."""
