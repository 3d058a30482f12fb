# Two commands do everything: `make chat` and `make test`. Both set up first, and can be repeated.
PYTHON ?= python3
NAME ?= alice
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup chat test test-slow check wheel lock screenshots clean

help:
	@echo "make chat            set up, then open the app as @alice in a private network on this machine"
	@echo "make chat NAME=bobby the second person, in a second terminal"
	@echo "make test            set up, then run the whole test suite"
	@echo "make check           lint, types and import contracts"
	@echo "make wheel           build the wheel and try it in empty environments"
	@echo "make screenshots     render the gallery in screenshots/, which the README shows too"

setup: $(INSTALLED)

# uv installs what requirements.lock pins, checked by hash; it comes from the machine, or into the environment itself.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "xirtam needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV)…"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@uv=$$(command -v uv || echo $(BIN)/uv); export VIRTUAL_ENV=$(CURDIR)/$(VENV); \
		$$uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
		$$uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q xirtam_core xirtam_tui server/xirtam_server
	@touch $@

chat: setup
	@exec $(BIN)/xirtam local $(NAME)

# A storm's seed replays only with the order of sets that it ran with. Any other value makes other storms of the same seeds.
test test-slow: export PYTHONHASHSEED ?= 0

# Two of them to a core, as a test waits for half of its time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, 2 * (os.cpu_count() or 1)))')

test: setup
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# Soak, kill cycles, many seeds: minutes to an hour.
test-slow: setup
	@$(BIN)/python -m pytest -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Builds the wheel and installs it into empty environments, each part without the others' extras.
wheel: setup
	$(BIN)/python tools/check_wheel.py

screenshots: setup
	$(BIN)/python -m screenshots.render

# Repins every dependency to the newest release that resolves.
lock: setup
	uv=$$(command -v uv || echo $(BIN)/uv); $$uv pip compile pyproject.toml --universal --all-extras --group dev \
		--generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .hypothesis
