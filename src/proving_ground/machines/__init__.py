"""Machines as the host reaches them: ssh, Vagrant, the ledger, testinfra."""
