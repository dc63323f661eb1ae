# Everything works on a fresh Linux or macOS with Python 3.11 or newer, pip and make (GNU make 3.81 will do).

BIN = .venv/bin
# These files say which list of packages is in .venv: what `make run` needs, and with the tools for tests.
RUN = .venv/has-run
DEV = .venv/has-dev
# Most of a test is waiting for servers, so more of them run at once than there are processors. Each of these processes
# reads all tests, which takes twice as long where Python is told not to keep what it has compiled.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 6 --dist loadgroup --no-loadscope-reorder --durations=25
COMPILE = $(BIN)/uv --system-certs pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header -q

# The lists are complete, so nobody has to find out what each package needs.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r
UV_INSTALL = $(BIN)/uv --system-certs pip install --python $(BIN)/python --no-deps $(BYTECODE) --require-hashes -r
# Shows what installers say only if they fail. Meanwhile .venv does not count as made: broken off, it is made anew.
BEGIN = @trap 'exit 1' INT TERM; mv .venv/made .venv/unmade;
END = mv .venv/unmade .venv/made; touch $@
define INSTALL
$(BEGIN) \
{ $(UV_INSTALL) $< || { echo 'uv cannot install here, so pip does, which takes longer ...' >&3; $(PIP_INSTALL) $<; }; } \
	3>&1 >.venv/log 2>&1 || { cat .venv/log >&2; exit 1; }; \
$(END)
endef

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
run: $(RUN)
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
test-long: $(DEV)
	@BREADTH=long; export BREADTH; $(call TESTED,broad)

bench: $(RUN)
	@$(BIN)/python -m benchmarks.webhooks

# What lint-imports says is kept apart from what mypy says meanwhile; none that fails hides another.
check: $(DEV)
	@mkdir -p .run; \
	$(BIN)/lint-imports >.run/contracts 2>&1 & contracts=$$!; \
	$(BIN)/ruff check .; lint=$$?; \
	$(BIN)/ruff format --check .; format=$$?; \
	$(BIN)/mypy; types=$$?; \
	wait $$contracts; contracts=$$?; cat .run/contracts; \
	[ "$$lint $$format $$types $$contracts" = '0 0 0 0' ]

# Says where Chromium is, or fails.
chromium: $(DEV)
	@$(FIND_CHROMIUM)

requirements: .venv/has-uv
	$(COMPILE) --group uv -o requirements-uv.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra run -c requirements.txt -o requirements-run.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements-run.txt -o requirements-dev.txt

# Compiled in advance, with what it needs: else each of the processes that run tests would compile for itself.
$(DEV): BYTECODE = --compile-bytecode
$(DEV): requirements-dev.txt $(RUN)
	@if [ -e $@ ]; then echo 'Updating the tools for tests ...'; \
	else echo 'Installing the tools for tests (first run only) ...'; fi
	$(INSTALL)

$(RUN): requirements-run.txt .venv/has-uv
	@if [ -e $@ ]; then echo 'Updating the packages ...'; \
	else echo "Installing $$(grep == $< | grep -vc -e "== '" -e "< '") packages (first run only) ..."; fi
	$(INSTALL)

.venv/has-uv: requirements-uv.txt .venv/made
	@echo 'Fetching uv, which installs the rest ...'
	$(BEGIN) $(PIP_INSTALL) $< >.venv/log 2>&1; $(END)

.venv/made: $(BIN)/python
	@found=; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3; do \
		version=$$("$$python" -c 'import sys; print(sys.version.split()[0]); sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null) || continue; \
		found=$$python; \
		if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
			echo "Creating .venv with Python $$version ..."; \
			"$$python" -m venv --clear .venv && exec touch $@; \
			exit 1; \
		fi; \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo 'Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3' >&2; \
	fi; \
	exit 1

# Without a recipe: where it is gone, as after an update of Python, .venv is made anew.
$(BIN)/python:
