"""Read and run Ansible: inventory, playbook, phases, roles, the runner and its events."""
