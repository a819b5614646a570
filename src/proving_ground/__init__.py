"""Proving Ground: a pytest plugin that brings machines up, converges Ansible roles on them and tests the result."""
