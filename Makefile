# A target for each task of this repository, most with one line; `make` alone lists them. The plugin's environment variables
# (PG_TOPOLOGY, PG_PROVIDER, …) work with all targets; TOPOLOGY=single and KUBERNETES=1.36 are short for two of them.
SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Images of containers often set it, and then every process compiles all modules that it imports.
export PYTHONDONTWRITEBYTECODE :=
ifdef TOPOLOGY
export PG_TOPOLOGY := $(TOPOLOGY)
endif
ifdef KUBERNETES
export PG_PROFILE := kubernetes-$(KUBERNETES)
endif
.NOTPARALLEL:
.PHONY: help setup depot depot-repair integration integration-checkpoints integration-etcd3 integration-ha integration-ha-stacked \
	integration-libvirt test matrix lint docs unit compatibility examples up vagrant converge idempotence checkpoints smoke verify policies destroy reap clean \
	bench bench-cluster bench-role faults upstream scale shell lock

python := scripts/with-groups .venv/bin/python
tox := $(python) -m tox run -e
pytest := $(python) -m pytest
proving-ground := $(python) -m proving_ground.cli

help: ## This list
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' Makefile | expand -t 25

setup: ## Install missing packages (uses root only for that) and make .venv
	@scripts/setup

depot: setup ## Build the components for nodes that the cache lacks
	@$(proving-ground) depot fill

depot-repair: setup ## Remove corrupt entries from the cache, and build them again
	@$(proving-ground) depot repair
	@$(proving-ground) depot fill

integration: depot ## From nothing to a verified cluster: syntax, create, converge, idempotence, verify, destroy
	@$(tox) integration

integration-checkpoints: depot ## The same with checkpoints: save after each phase, remove, restore; checkpoints stay
	@$(tox) integration-checkpoints

integration-etcd3: depot ## The same with three etcd members
	@$(tox) integration-etcd3

integration-ha: depot ## The same with three masters behind a virtual address, of which any one may fail
	@$(tox) integration-ha

integration-ha-stacked: depot ## The same with three machines that are etcd member and master both
	@$(tox) integration-ha-stacked

integration-libvirt: ## The same on one virtual machine; slow without KVM
	@scripts/setup libvirt
	@$(proving-ground) depot fill
	@$(tox) integration-libvirt

# Quick targets come first, so that most failures show early.
test: lint docs unit compatibility examples integration integration-etcd3 integration-ha integration-checkpoints ## Everything that CI runs

matrix: setup ## Run the plugin's own tests with every supported ansible-core, on every installed Python
	@$(python) -m tox run -m matrix

lint: setup ## Run the linters of Python, YAML, Ansible, Go and shell; let Vagrant validate the Vagrantfile
	@$(tox) lint

docs: setup ## Build the documentation's site: docs/_build/index.html
	@$(tox) docs

unit: setup ## Test the plugin and the pods' programs, without machines
	@$(tox) unit

compatibility: setup ## Test the wheel in separate environments, together with other plugins
	@$(tox) compatibility

examples: depot ## Run the example projects as their users would
	@$(tox) examples

up: depot ## Bring the machines up and converge them; print how to reach them
	@$(proving-ground) up

vagrant: depot ## Bring the machines up, without the playbook
	@$(proving-ground) create

converge: depot ## Run the playbook on the machines
	@$(proving-ground) converge

idempotence: setup ## Run the playbook once more; fail if it changes anything
	@$(proving-ground) idempotence

checkpoints: setup ## List checkpoints with sizes; PRUNE=stale removes those that no longer apply, PRUNE=all all
	@$(proving-ground) checkpoints $(if $(PRUNE),--prune $(PRUNE))

smoke: depot ## Run one or two tests for each role, on the machines that are up, or else on new ones
	@$(pytest) -m smoke tests

verify: setup ## Run all suites on the machines that are up
	@$(pytest) --pg-reuse tests

policies: setup ## Run all cases of network policies on the machines that are up
	@$(pytest) --pg-reuse -m policies tests

faults: depot ## Put in one fault after the other, and show that the suites notice each of them
	@$(tox) faults

upstream: depot ## Run Kubernetes' own suites of network policies and conformance, of the version that the cluster runs
	@$(proving-ground) depot fill --only upstream
	@$(pytest) -m upstream tests/upstream

scale: depot ## Show that the cluster works beside 1000 simulated nodes: NODES=100 for fewer
	@$(proving-ground) depot fill --only scale
	@$(pytest) --pg-simulated-nodes $(or $(NODES),1000) -m "scale or smoke" tests

destroy reap: ## Remove this checkout's machines and networks, also those of a killed run
	@[ ! -x .venv/bin/python ] || $(proving-ground) destroy

clean: ## Destroy, stop a Docker engine that this project started, remove all files of runs; the depot's cache stays
	@[ ! -x .venv/bin/python ] || $(proving-ground) clean
	rm -rf artifacts docs/_build .tox .venv .vagrant .proving-ground .mypy_cache .ruff_cache .ansible
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bench: depot ## Measure every phase against its target
	@$(python) scripts/bench.py $(PHASES)

bench-cluster: depot ## Measure create, converge, idempotence and destroy against Molecule's, with the same machines and playbook
	@$(python) scripts/bench_cluster.py

bench-role: setup ## Measure the whole test of one role against Molecule's and against Ansible alone
	@$(python) scripts/bench_role.py

shell: setup ## Open a shell on one machine: make shell HOST=kube-worker-01
	@$(proving-ground) login $(HOST)

lock: setup ## Pin the packages in pyproject.toml again
	@scripts/lock
