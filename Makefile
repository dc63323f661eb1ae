# Everything works on a fresh Linux or macOS with Python 3.11 or newer, pip and make (GNU make 3.81 will do).

BIN = .venv/bin
INSTALLED = .venv/installed
# Most of a test is waiting for servers, so more of them run at once than there are processors. Each of these processes
# reads all tests, which takes twice as long where Python is told not to keep what it has compiled.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 5 --dist loadgroup --no-loadscope-reorder --durations=25
COMPILE = $(BIN)/python -m uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header -q

# Prints the first Chromium there is and ends its shell well, or ends it badly.
FIND_CHROMIUM = \
	for place in "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
		"/Applications/Chromium.app/Contents/MacOS/Chromium"; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; \
	command -v "$$($(BIN)/python -c 'from playwright.sync_api import sync_playwright as start; \
		p = start().start(); print(p.chromium.executable_path); p.stop()')" || exit 1
NO_CHROMIUM = printf '%s\n' '' \
	"No Chromium was found, and the browser tests need one. Any of these will do:" \
	"  Debian, Ubuntu   apt-get install chromium" \
	"  macOS            brew install --cask google-chrome" \
	"  anywhere         $(BIN)/playwright install chromium" \
	"  you have one     CHROMIUM=/path/to/it make test" ""

.PHONY: help run test test-long bench check chromium requirements

help:
	@echo 'make run            everything on this machine; PORT and SANDBOX_PORT choose the ports'
	@echo 'make test           lint, types, import contracts and all tests'
	@echo 'make test-long      the tests that repeat something for breadth, as often as tests/support/breadth.py says'
	@echo 'make bench          how fast webhooks are taken while the worker is behind'
	@echo 'make check          lint, types and import contracts only'
	@echo 'make requirements   write requirements*.txt anew from pyproject.toml'

# One simple command, so that make starts it without a shell in between and its signals arrive.
run: $(INSTALLED)
	@$(BIN)/python -m bff sandbox

# $(1) is the marker of the tests to run, or empty for all.
TESTED = if chromium=$$($(FIND_CHROMIUM)); then \
		echo "Browser tests use $$chromium"; \
		CHROMIUM="$$chromium" $(PYTEST) $(if $(1),-m $(1)); \
	elif [ "$$CI" = true ]; then \
		$(NO_CHROMIUM); exit 1; \
	else \
		$(NO_CHROMIUM); \
		$(PYTEST) -m '$(if $(1),$(1) and )not browser' && echo 'WITHOUT THE BROWSER TESTS: no Chromium was found, see above.'; \
	fi

test: check
	@$(call TESTED,)

# Another CRASH_SEED tells other stories.
test-long: $(INSTALLED)
	@BREADTH=long; export BREADTH; $(call TESTED,broad)

bench: $(INSTALLED)
	@$(BIN)/python -m benchmarks.webhooks

check: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Says where Chromium is, or fails.
chromium: $(INSTALLED)
	@$(FIND_CHROMIUM)

requirements: $(BIN)/python
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --extra dev pyproject.toml -c requirements.txt -o requirements-dev.txt

$(INSTALLED): requirements-dev.txt | $(BIN)/python
	@echo 'Installing the dependencies into .venv ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@found=; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		found=$$python; \
		if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo 'Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3' >&2; \
	fi; \
	exit 1
