# One word for each thing that one does here, nearly all of them one line; `make` alone lists them. The plugin's environment
# variables (PG_TOPOLOGY, PG_PROVIDER, …) work with all of them.
SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
.NOTPARALLEL:
.PHONY: help setup depot depot-repair integration integration-checkpoints integration-etcd3 integration-libvirt \
	test matrix lint unit compatibility examples up vagrant converge idempotence checkpoints smoke verify destroy reap clean \
	bench shell lock

python := scripts/with-groups .venv/bin/python
tox := $(python) -m tox run -e
pytest := $(python) -m pytest
proving-ground := $(python) -m proving_ground.cli

help: ## This list
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' Makefile | expand -t 25

setup: ## Install what is missing on this machine (asks root only for that) and make .venv
	@scripts/setup

depot: setup ## Build what nodes are given, where it is not in the cache
	@$(proving-ground) depot fill

depot-repair: setup ## Remove what is corrupt from the cache, and build it anew
	@$(proving-ground) depot repair
	@$(proving-ground) depot fill

integration: depot ## From nothing to a verified cluster: syntax, create, converge, idempotence, verify, destroy
	@$(tox) integration

integration-checkpoints: depot ## The same by checkpoints: saved phase by phase, removed, brought back; they stay
	@$(tox) integration-checkpoints

integration-etcd3: depot ## The same with three etcd members
	@$(tox) integration-etcd3

integration-libvirt: ## The same on virtual machines, one of them; slow where there is no KVM
	@scripts/setup libvirt
	@$(proving-ground) depot fill
	@$(tox) integration-libvirt

# What is quick comes first, so that most failures show early.
test: lint unit compatibility examples integration integration-etcd3 integration-checkpoints ## All that CI runs

matrix: setup ## The plugin's own tests with every ansible-core that it supports, on every Python that is here
	@$(python) -m tox run -m matrix

lint: setup ## Python, YAML, Ansible, Go and shell by their linters; the Vagrantfile by Vagrant
	@$(tox) lint

unit: setup ## The harness and the pods' programs, without any machine
	@$(tox) unit

compatibility: setup ## The wheel in environments of its own, beside other plugins
	@$(tox) compatibility

examples: depot ## Projects of other people, each run as they would run it
	@$(tox) examples

up: depot ## Machines and playbook, nothing else; says how to get in
	@$(proving-ground) up

vagrant: depot ## Machines alone
	@$(proving-ground) create

converge: depot ## The playbook on the machines
	@$(proving-ground) converge

idempotence: setup ## The playbook once more: it may change nothing
	@$(proving-ground) idempotence

checkpoints: setup ## What is saved, with sizes; PRUNE=stale removes what roles no longer lead to, PRUNE=all all
	@$(proving-ground) checkpoints $(if $(PRUNE),--prune $(PRUNE))

smoke: depot ## One or two tests a role, on the machines that are up, or else on new ones
	@$(pytest) -m smoke tests

verify: setup ## All suites on the machines that are up
	@$(pytest) --pg-reuse tests

destroy reap: ## Remove this checkout's machines and networks, and what a killed run has left of them
	@[ ! -x .venv/bin/python ] || $(proving-ground) destroy

clean: ## That, a Docker engine that had to be started, and all that runs left here; the depot's cache stays
	@[ ! -x .venv/bin/python ] || $(proving-ground) clean
	rm -rf artifacts .tox .venv .vagrant .proving-ground .mypy_cache .ruff_cache .ansible
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bench: depot ## Every phase timed, beside its target
	@$(python) scripts/bench.py $(PHASES)

shell: setup ## A shell on one machine: make shell HOST=kube-worker-01
	@$(proving-ground) login $(HOST)

lock: setup ## Pin anew what pyproject.toml asks for
	@scripts/lock
