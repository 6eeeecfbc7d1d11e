# Thin fronts of nox and pip for a machine that has only Python, git and make.
PLUGINS ?= $(patsubst plugins/%/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
CANDIDATES = python3.13 python3.12 python3.11 python3 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v $$p && break; done)
PIP = python -m pip -qq --disable-pip-version-check
NOX = .venv-nox/bin/nox --non-interactive

help:  ## list these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: wheels  ## make .venv with core and all plugins (PLUGINS="physnet memmap" for some) and run `atomloom demo` in it
	@for p in $(PLUGINS); do test -f plugins/$$p/pyproject.toml || { echo "there is no plugin $$p;" \
		"there are: $(notdir $(wildcard plugins/*))" >&2; exit 1; }; done
	@test -x .venv/bin/python || { echo "making .venv"; $(PYTHON) -m venv .venv; }
	@echo "installing atomloom$(PLUGINS:%= atomloom-%)"
	@.venv/bin/$(PIP) install -c constraints.txt --upgrade pip
	@.venv/bin/$(PIP) uninstall --yes $$(sed -n 's/ @ .*//p' dist/constraints.txt) 2>/dev/null
	@.venv/bin/$(PIP) install -c dist/constraints.txt --find-links dist atomloom $(PLUGINS:%=atomloom-%)
	@.venv/bin/atomloom demo

test: .venv-nox/made  ## run every check: tests, docs, lint, template
	@$(NOX)

wheels: .venv-nox/made  ## fill dist/ with a wheel of core and of each plugin
	@echo "building wheels into dist/"
	@$(NOX) --session wheels >.venv-nox/wheels.log 2>&1 || { cat .venv-nox/wheels.log; exit 1; }

.venv-nox/made: constraints.txt
	@test -n "$(PYTHON)" || { echo "atomloom needs Python 3.11 or newer with its venv module; none of these is:" \
		"$(CANDIDATES). Install one, or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "making .venv-nox with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv-nox
	@.venv-nox/bin/$(PIP) install -c constraints.txt --upgrade pip
	@.venv-nox/bin/$(PIP) install -c constraints.txt nox
	@touch $@

clean:  ## remove every environment and everything built
	rm -rf .nox .venv .venv-nox dist docs/_build

.PHONY: help demo test wheels clean
