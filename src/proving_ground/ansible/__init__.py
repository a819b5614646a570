"""Ansible: inventory, playbook, its phases and roles, the runner and its events."""
