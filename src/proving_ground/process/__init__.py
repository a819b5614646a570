"""Run and end programs and services on the host."""
