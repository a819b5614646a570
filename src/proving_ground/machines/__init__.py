"""Create and reach machines from the host: Vagrant, the ledger, the lock, ssh, testinfra."""
