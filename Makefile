# The words of the trade, each nearly one line; `make` alone lists them. TOPOLOGY, PROVIDER, NETWORK_PREFIX, CHECKPOINTS
# and PATIENCE are passed on.
SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
.NOTPARALLEL:
.PHONY: help setup depot depot-repair integration integration-checkpoints integration-libvirt test lint unit up vagrant \
	converge idempotence checkpoints smoke verify destroy reap clean bench shell lock

python := scripts/with-groups .venv/bin/python
tox := $(python) -m tox run -e
pytest := $(python) -m pytest
suites := tests --ignore=tests/unit --ignore=tests/parallel

help: ## This list
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' Makefile | expand -t 25

setup: ## Install what is missing on this machine (asks root only for that) and make .venv
	@scripts/setup

depot: setup ## Build what nodes are given, where it is not in the cache
	@$(python) -m fixtures.depot fill

depot-repair: setup ## Remove what is corrupt from the cache, and build it anew
	@$(python) -m fixtures.depot repair
	@$(python) -m fixtures.depot fill

integration: depot ## From nothing to a verified cluster: syntax, create, converge, idempotence, verify, destroy
	@$(tox) integration

integration-checkpoints: depot ## The same by checkpoints: saved phase by phase, removed, brought back; they stay
	@$(tox) integration-checkpoints

integration-libvirt: ## The same on virtual machines, one of them; slow where there is no KVM
	@scripts/setup libvirt
	@$(python) -m fixtures.depot fill
	@$(tox) integration-libvirt

test: lint unit integration integration-checkpoints ## All that CI runs

lint: setup ## Python, YAML, Ansible, Go and shell by their linters; the Vagrantfile by Vagrant
	@$(tox) lint

unit: setup ## The harness and the pods' programs, without any machine
	@$(tox) unit

up: depot ## Machines and playbook, nothing else; says how to get in
	@$(python) -m fixtures up

vagrant: depot ## Machines alone
	@$(python) -m fixtures vagrant

converge: depot ## The playbook on the machines
	@$(python) -m fixtures converge

idempotence: setup ## The playbook once more: it may change nothing
	@$(python) -m fixtures idempotence

checkpoints: setup ## What is saved, with sizes; PRUNE=stale removes what roles no longer lead to, PRUNE=all all
	@$(python) -m fixtures checkpoints

smoke: depot ## One or two tests a role, on the machines that are up, or else on new ones
	@$(pytest) -m smoke $(suites)

verify: setup ## All suites on the machines that are up
	@$(pytest) --reuse $(suites)

destroy reap: ## Remove this checkout's machines and networks, and what a killed run has left of them
	@[ ! -x .venv/bin/python ] || $(python) -m fixtures $@

clean: ## That, a Docker engine that had to be started, and all that runs left here; the depot's cache stays
	@[ ! -x .venv/bin/python ] || $(python) -m fixtures clean
	rm -rf artifacts .tox .venv .vagrant .proving-ground .mypy_cache .ruff_cache .ansible
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bench: depot ## Every phase timed, beside its target
	@$(python) scripts/bench.py $(PHASES)

shell: setup ## A shell on one machine: make shell HOST=kube-worker-01
	@$(python) -m fixtures shell

lock: setup ## Pin anew what pyproject.toml asks for
	@scripts/lock
